"""Jobs over a cluster: arguments are compared with EnsoScripts before the EnsoJob is created."""

from __future__ import annotations

import pytest

from enso_operator.api.document import Document
from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.kube.client import Forbidden
from tests.support.api import Served
from tests.support.in_memory_objects import InMemoryCluster, InMemoryObjects
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import library_script
from tests.support.templates import template

pytestmark = pytest.mark.anyio
FRAMES = {"name": "frames", "type": "integer", "required": True}
UNFIT: Document = {
    "instructions": [["simulate", {"frames": "24"}], ["no_such", {}], ["example_script", {}]]
}


@pytest.fixture
def objects() -> InMemoryObjects:
    objects = InMemoryCluster().objects("shows")
    script = library_script("simulate", source="def main(:", parameters=[FRAMES])
    objects.beside("ensoscripts").create(script)
    return objects


async def test_what_does_not_fit_is_refused(served: Served, objects: InMemoryObjects) -> None:
    api = await served.over(ClusterJobs(objects, InMemoryStreams()))
    answer = await api.post("/add-job", UNFIT)
    why = 'is "24", a string, but takes an integer: write it without quotes'
    sentence = f"script 'simulate': argument 'frames' {why}"
    assert (answer.status_code, answer.json()["error"]) == (422, sentence)
    assert await api.jobs() == {}
    assert await api.add(["simulate", {"frames": 24}]) in await api.jobs()


async def test_what_a_template_gives_a_script_that_does_not_fit_is_refused(
    served: Served, objects: InMemoryObjects
) -> None:
    args = {"frames": "$(params.shot)"}
    document = template({"name": "bake", "scriptRef": {"name": "simulate"}, "args": args})
    objects.beside("ensojobtemplates").create(document)
    api = await served.over(ClusterJobs(objects, InMemoryStreams()))
    answer = await api.post("/add-job", {"template": "publish", "params": {"shot": "024"}})
    why = 'is "024", a string, but takes an integer: write it without quotes'
    sentence = f"script 'bake': argument 'frames' {why}"
    assert (answer.status_code, answer.json()["error"]) == (422, sentence)
    assert await api.jobs() == {}


async def test_who_may_read_no_scripts_leaves_it_to_the_operator(
    served: Served, objects: InMemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = InMemoryObjects.get

    def forbidden(self: InMemoryObjects, name: str) -> Document:
        if self.cluster is objects.beside("ensoscripts").cluster:
            raise Forbidden("ensoscripts is forbidden")
        return get(self, name)

    monkeypatch.setattr(InMemoryObjects, "get", forbidden)
    api = await served.over(ClusterJobs(objects, InMemoryStreams()))
    assert (await api.post("/add-job", UNFIT)).status_code == 201
