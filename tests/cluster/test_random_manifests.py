"""Random manifests against a real API server and a real operator with local sessions.

What is admitted ends in a state that explains itself, nothing in the operator breaks, and when all
has ended nothing is asked for any more. RANDOM_MANIFESTS=10000 makes as many by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from enso_operator.api.document import is_document
from enso_operator.kube.client import Refused
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.values import is_list
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, Filter, watches
from tests.support.operators import Operators
from tests.support.random_manifests import RandomManifests, count, is_settled, unexplained
from tests.support.resources import Document, of_scripts

MANIFESTS = 300
LEAST_ADMITTED = 0.3
AT_ONCE = 20
"""How many jobs one kubectl deletes, which has a minute for it."""
PLURALS = {
    "EnsoJob": "ensojobs",
    "EnsoScript": "ensoscripts",
    "EnsoJobTemplate": "ensojobtemplates",
    "EnsoAction": "ensoactions",
}
OTHER_KINDS = [*PLURALS][1:]
CLOCK = of_scripts({"source": "import time\ndef main(): time.sleep(10)"})
MOST_WAITS = {"backoffSeconds": 1, "maxSeconds": 1, "factor": 1, "limit": 2}


def bounded(value: object) -> object:
    """Return a part of a manifest in which no retry is waited for long, and no job is deleted."""
    if is_list(value):
        return [bounded(item) for item in value]
    if not is_document(value):
        return value
    return {
        key: min(item, MOST_WAITS[key])
        if key in MOST_WAITS and isinstance(item, (int, float))
        else bounded(item)
        for key, item in value.items()
        if key != "ttlSecondsAfterFinished"
    }


def manifests() -> Iterator[Document]:
    """Yield jobs, and with every fifth one something of another kind."""
    for seed in range(count(MANIFESTS)):
        kind = OTHER_KINDS[seed % len(OTHER_KINDS)] if seed % 5 == 0 else "EnsoJob"
        document = RandomManifests(seed).of(kind, f"random-{seed}")
        document["spec"] = bounded(document["spec"])
        if kind == "EnsoAction" and isinstance(document["spec"], dict):
            document["spec"]["job"] = f"random-{max(0, seed - 3)}"
        yield document


def statuses(ns: ClusterNamespace) -> dict[str, Document]:
    jobs = [EnsoJobObject(document) for document in ns.objects.each()]
    return {job.name: job.raw_status for job in jobs}


@pytest.mark.timeout(3600)
def test_each_job_ends_or_waits_and_says_why(ns: ClusterNamespace, operators: Operators) -> None:
    made, admitted, refusals = 0, 0, list[str]()
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start("--resync-seconds=3600", kubeconfig=proxy.kubeconfig)
        until(operator.is_ready)
        for document in manifests():
            made += 1
            try:
                ns.objects.beside(PLURALS[document["kind"]]).create(document)
            except Refused as error:
                refusals.append(str(error))
            else:
                admitted += document["kind"] == "EnsoJob"
        print(f"{made} made, {len(refusals)} refused, {admitted} jobs admitted")  # noqa: T201  # -s shows it
        assert all(refusals)
        assert admitted >= LEAST_ADMITTED * made
        until(lambda: all(map(is_settled, statuses(ns).values())), 3000, longest_pause=2)

        ended = statuses(ns)
        unclear = {name: unexplained(status) for name, status in ended.items()}
        assert {name: missing for name, missing in unclear.items() if missing} == {}
        assert "Traceback" not in operator.log_text
        assert "enso_actor_failures_total 0.0" in operator.http_get("/metrics")[1]

        waiting = [name for name, status in ended.items() if lacks_template(status)]
        for start in range(0, len(waiting), AT_ONCE):  # they look for their template again
            some = waiting[start : start + AT_ONCE]
            ns.kubectl("delete", "--wait=false", "ensojob", *some)
        until(lambda: not operators.supervisors(), 60)
        ns.apply(CLOCK | {"metadata": {"name": "begin"}})
        ns.waits("Succeeded", "begin")
        before = len(proxy.calls)
        ns.apply(CLOCK | {"metadata": {"name": "clock"}})
        ns.waits("Succeeded", "clock")
        asked = [call for call in proxy.calls[before:] if not (about("clock") | watches())(call)]
        assert [(call.verb, call.resource, call.name) for call in asked] == []


def lacks_template(status: Document) -> bool:
    return status.get("reason") == "TemplateNotFound"


def about(name: str) -> Filter:
    """Select what is asked about one job, its Events among it."""
    said = json.dumps({"name": name}).strip("{}").replace(" ", "").encode()
    return Filter(lambda call: call.name == name or said in call.body.replace(b" ", b""))
