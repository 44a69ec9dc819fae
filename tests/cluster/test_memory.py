"""How much memory an operator uses for many large jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.operators import Operator, Operators
from tests.support.resources import Document, of_scripts

SOURCE = "def main(): pass  # " + "x" * 63_000
LARGE, COUNT = 19 * len(SOURCE), 25
TWICE = [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}]


def large(name: str, **spec: object) -> Document:
    """A job of `LARGE` bytes, which is about the largest that an API server takes."""
    scripts = [{"name": f"script-{i}", "source": SOURCE} for i in range(19)]
    return of_scripts(*scripts, **spec) | {"metadata": {"name": name}}


def create(ns: ClusterNamespace, documents: list[Document]) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len([*pool.map(ns.objects.create, documents)]) == len(documents)


def held(operator: Operator) -> int:
    """Return the resident memory of a process in bytes."""
    return psutil.Process(operator.pid).memory_info().rss


@pytest.mark.timeout(400)
def test_nothing_is_held_of_what_waits_for_its_user_or_has_ended(
    ns: ClusterNamespace, operators: Operators
) -> None:
    before = held(operators.ready())
    operators.started[0].stop()
    suspended = [large(f"suspended-{i}", suspend=True) for i in range(COUNT)]
    ended = [large(f"ended-{i}", ttlSecondsAfterFinished=3600) for i in range(COUNT)]
    for document in ended:  # invalid, so that nothing has to run
        document["spec"]["scripts"][0] |= {"args": {"token": 1}, "argsFrom": TWICE}
    create(ns, [*suspended, *ended])
    operator = operators.start("--resync-seconds=1")
    until(lambda: ns.states() == {"Suspended": COUNT, "Failed": COUNT}, 300)
    # Working with large objects leaves about 22 MiB; to hold one kind would be as much again, and
    # half of it more.
    until(lambda: held(operator) - before < 1.5 * COUNT * LARGE)
    until(lambda: f"enso_live_jobs {COUNT}.0" in operator.http_get("/metrics")[1])


def test_a_list_is_read_in_pages_of_about_so_many_bytes(ns: ClusterNamespace) -> None:
    create(ns, [large(f"large-{i}", suspend=True) for i in range(20)])
    mark = ns.cluster.audit.mark()
    assert len([*ns.objects.each()]) == 20
    asked = ns.requests(mark)
    limits = [parse_qs(urlsplit(request.path).query)["limit"][0] for request in asked]
    assert limits == ["16", "1", "1", "1", "1"]
