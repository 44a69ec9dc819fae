"""A job whose changed definition is deleted while the operator is away."""

from __future__ import annotations

import json

from enso_operator.kube.ensojob import EnsoJobObject
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.operators import Operator, Operators
from tests.support.resources import action, of_scripts

SOURCE = "def main(frames):\n    assert frames == 2, frames"


def resumed(ns: ClusterNamespace, operators: Operators) -> Operator:
    """Let the job fail, and resume it with another argument while its spec holds it."""
    ns.apply(of_scripts({"name": "do", "source": SOURCE, "args": {"frames": 1}}))
    operator = operators.start()
    ns.waits("Finished")
    ns.patch(suspend=True)
    change = {"scripts": [{"name": "do", "args": {"frames": 2}}]}
    ns.create(action("resume", "again", resume=change))
    ns.kubectl("wait", "--for=condition=Succeeded", "ensoaction/again", "--timeout=120s")
    assert ns.state() == "Suspended"
    return operator


def revisions(ns: ClusterNamespace) -> list[str]:
    listed = json.loads(ns.kubectl("get", "controllerrevisions", "-o", "json"))["items"]
    return [str(revision["metadata"]["name"]) for revision in listed]


def lose(ns: ClusterNamespace, operator: Operator, *kinds: str) -> list[str]:
    """Delete all objects of these kinds while the operator is away; then let the job go."""
    before = revisions(ns)
    operator.kill()
    for kind in kinds:
        ns.kubectl("delete", kind, "--all")
    ns.patch(suspend=False)
    return before


def test_it_is_made_again_of_the_jobs_actions(ns: ClusterNamespace, operators: Operators) -> None:
    before = lose(ns, resumed(ns, operators), "controllerrevisions")
    operators.start()
    ns.waits("Succeeded")
    assert revisions(ns) == before
    done = dict(ns.job_events())["ScriptSucceeded"]
    assert done.startswith("1/1 do, attempt 2, ")
    assert done.endswith("; args frames=2")


def test_where_the_actions_are_gone_too_nothing_runs(
    ns: ClusterNamespace, operators: Operators
) -> None:
    (name,) = lose(ns, resumed(ns, operators), "controllerrevisions", "ensoactions")
    operators.start()
    until(lambda: EnsoJobObject(ns.get()).is_finished)
    job = EnsoJobObject(ns.get())
    assert job.condition("Stalled")["status"] == "True"
    assert f"its definition 2 is lost, because ControllerRevision {name} was" in "".join(
        job.raw_status["why"]
    )
    assert [row["attempt"] for row in job.raw_status["scripts"]] == [1]
    assert revisions(ns) == []
