"""What the rows of the list know of a job: its template, labels, and the type of an exception."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.memory_backend import EmbeddedJobs, Limits
from enso_operator.manifests.template_folder import TemplateFolder
from tests.support.api import Api, Served
from tests.support.eventually import until_async
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import job
from tests.support.templates import template

pytestmark = pytest.mark.anyio
LABELS = {"show": "heron", "argocd.argoproj.io/instance": "fx"}
BROKEN = template({"name": "break", "source": "def main(): raise ValueError('no')"}, parameters=[])
BROKEN["metadata"]["labels"] = LABELS


async def runs(served: Served, folder: Path, ended: int = 1000) -> Api:
    """Serve jobs in memory, with a template whose run fails with an exception."""
    (folder / "publish.json").write_text(json.dumps(BROKEN))
    jobs = EmbeddedJobs(served.library, Limits(ended=ended), TemplateFolder(folder))
    return await served.over(await served.stack.enter_async_context(jobs))


async def run(api: Api) -> str:
    """Run the template to its end; return the job."""
    jobid: str = (await api.post("/add-job", {"template": "publish"})).json()["jobid"]
    await api.execute(jobid)
    await api.ended(jobid)
    return jobid


async def test_a_run_in_memory_is_found_by_its_template_and_labels(
    served: Served, tmp_path: Path
) -> None:
    api = await runs(served, tmp_path)
    jobid, other = await run(api), await api.add(["say", {}])
    for found in ("template=publish", "label=show=heron", "text=heron", "text=valueerror"):
        page = (await api.get(f"/?{found}")).text
        assert f'href="/jobs/{jobid}"' in page
        assert f'href="/jobs/{other}"' not in page
        assert "argocd" not in page
    assert "No job matches." in (await api.get("/?template=other")).text


async def test_a_run_that_is_forgotten_takes_its_template_along(
    served: Served, tmp_path: Path
) -> None:
    api = await runs(served, tmp_path, ended=1)
    first, second = await run(api), await run(api)

    async def is_forgotten() -> bool:
        page = (await api.get("/?template=publish")).text
        assert f'href="/jobs/{second}"' in page
        return f'href="/jobs/{first}"' not in page

    await until_async(is_forgotten)


async def test_an_exception_is_shown_with_its_type_in_memory(
    served: Served, tmp_path: Path
) -> None:
    api = await runs(served, tmp_path)
    jobid = await run(api)
    assert 'Exception <span class="quiet">ValueError</span>' in (await api.get("/")).text
    shown = (await api.get(f"/jobs/{jobid}")).text
    assert '<span class="quiet">ValueError</span>' in shown
    assert '<span class="quiet">Exception</span>' not in shown


async def test_an_exception_is_shown_with_its_type_in_a_cluster(served: Served) -> None:
    objects = InMemoryCluster().objects("shows")
    objects.create(job({"scripts": [{"name": "break", "source": "x"}]}, "shot"))
    document = objects.get("shot")
    failure = {"script": "break", "attempt": 1, "reason": "Exception", "error": "ValueError"}
    status = {"reason": "Exception", "failure": failure}
    objects.patch_status("shot", document["metadata"]["resourceVersion"], status)
    api = await served.over(ClusterJobs(objects, InMemoryStreams()))
    assert 'Exception <span class="quiet">ValueError</span>' in (await api.get("/")).text
