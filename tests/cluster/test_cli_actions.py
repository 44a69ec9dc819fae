"""`enso resume`, `pause`, `retry`, `skip`, `cancel` and `plan` on a real API server.

Where no operator runs, the test writes the status of an action as one would.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.cluster.commands import install_crds
from dev.cluster.plane import Cluster
from kubernetes.config import new_client_from_config  # pyright: ignore[reportUnknownVariableType]

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.status.action import Result
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import DEADLINE_SECONDS, Enso, with_status
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, on
from tests.support.operators import Operators
from tests.support.resources import of_scripts
from tests.support.statuses import FAILED_JOB

NAMES = ("open", "simulate", "publish", "notify")
LONGEST = "n" * 52
PASSES = "def main(): pass"
RESUMED = Result("Done", "resumed; it goes on at 'simulate'")


def job(name: str = "shot") -> dict[str, Any]:
    scripts = ({"name": script, "args": {"frames": 240}} for script in NAMES)
    session = {"name": "houdini"}
    return of_scripts(*scripts, sessions=[session]) | {"metadata": {"name": name}}


@pytest.fixture
def enso(ns: ClusterNamespace, tmp_path: Path) -> Enso:
    return Enso(ns, tmp_path)


def actions(ns: ClusterNamespace) -> dict[str, dict[str, Any]]:
    """Return the actions by the names of their jobs."""
    listed = json.loads(ns.kubectl("get", "ensoactions", "-o", "json"))
    return {action["spec"]["job"]: action for action in listed["items"]}


def decide(ns: ClusterNamespace, results: Mapping[str, Result]) -> None:
    """Wait for an action on each job, and write what came of it, as the operator does."""
    until(lambda: actions(ns).keys() >= results.keys())
    objects = ApiObjects(ns.objects.client, ns.namespace, "ensoactions")
    for name, action in actions(ns).items():
        if name in results:
            metadata, status = action["metadata"], results[name].status(1, time.time())
            objects.patch_status(metadata["name"], metadata["resourceVersion"], status)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, wrong = process.communicate(timeout=DEADLINE_SECONDS)
    return process.returncode, said, wrong


def test_a_resume_is_asked_for_with_everything_that_was_typed(
    enso: Enso, ns: ClusterNamespace, tmp_path: Path
) -> None:
    made = with_status(ns.objects, job(LONGEST), FAILED_JOB)
    file = tmp_path / "more.yaml"
    file.write_text(
        "scripts: [{name: simulate, args: {substeps: 4}, timeoutSeconds: 60}]\n"
        "sessions: [{name: houdini, resources: {limits: {memory: 32Gi}}}]\n"
    )
    typed = ["--from", "open", "--skip", "notify", "--why", "two were too few", "-f", str(file)]
    typed += ["--set", "simulate.frames=[1, 240]", "--unset", "open.frames"]
    with enso.started("resume", LONGEST, *typed) as resuming:
        decide(ns, {LONGEST: RESUMED})
        assert ended(resuming) == (0, f"{LONGEST}: resumed; it goes on at 'simulate'\n", "")

    action = actions(ns)[LONGEST]
    who = json.loads(ns.kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]["username"]
    assert action["spec"] == {
        "job": LONGEST,
        "jobUID": made["metadata"]["uid"],
        "verb": "resume",
        "why": "two were too few",
        "by": who,
        "resume": {
            "from": "open",
            "skip": ["notify"],
            "scripts": [
                {
                    "name": "simulate",
                    "args": {"substeps": 4, "frames": [1, 240]},
                    "timeoutSeconds": 60,
                },
                {"name": "open", "unsetArgs": ["frames"]},
            ],
            "sessions": [{"name": "houdini", "resources": {"limits": {"memory": "32Gi"}}}],
        },
    }
    assert action["metadata"]["name"].startswith(LONGEST)


@pytest.mark.parametrize(
    ("typed", "block"),
    [
        (["pause"], {}),
        (["pause", "--after", "simulate"], {"pause": {"after": "simulate"}}),
        (["retry"], {}),
        (["skip", "--script", "notify"], {"skip": {"script": "notify"}}),
        (["cancel"], {}),
    ],
)
def test_what_is_refused_is_said_on_standard_error(
    enso: Enso, ns: ClusterNamespace, typed: list[str], block: dict[str, Any]
) -> None:
    ns.objects.create(job())
    why = f"job shot cannot {typed[0]}"
    with enso.started(*typed, "shot") as asking:
        decide(ns, {"shot": Result("NotPossible", why)})
        assert ended(asking) == (1, "", f"enso: {why}\n")
    spec = actions(ns)["shot"]["spec"]
    assert {key: spec[key] for key in spec.keys() - {"job", "jobUID", "by"}} == {
        "verb": typed[0],
        **block,
    }


def test_an_operator_that_is_away_is_not_waited_for_for_ever(
    enso: Enso, ns: ClusterNamespace
) -> None:
    ns.objects.create(job())
    said = enso.refusal("cancel", "shot", "--timeout", "1s")
    name = actions(ns)["shot"]["metadata"]["name"]
    assert said == (
        "shot: no operator has acted within 1s; one that comes back will: look with kubectl get "
        f"ensoaction -n {ns.namespace} {name}"
    )
    assert "is no duration" in enso.refusal("cancel", "shot", "--timeout", "soon")
    assert "there is no job 'shoot'" in enso.refusal("cancel", "shoot")
    assert "spec.why" in enso.refusal("cancel", "shot", "--why", "w" * 300)
    assert len(actions(ns)) == 1
    ns.kubectl("delete", "ensoactions", "--all")
    with enso.started("pause", "shot") as waiting:
        until(lambda: actions(ns))
        ns.kubectl("delete", "ensoactions", "--all")
        code, _, wrong = ended(waiting)
        assert (code, "was deleted before it told what came of it" in wrong) == (2, True)


def test_all_that_failed_for_one_reason_go_on(enso: Enso, ns: ClusterNamespace) -> None:
    for name in ("first", "second", "third"):
        with_status(ns.objects, job(name), FAILED_JOB)
    ns.objects.create(job("fresh"))
    assert "no jobs like these" in enso("resume", "--failed", "--reason", "Timeout")[2]
    refused = Result("NotPossible", "job second is Running")
    with enso.started("resume", "--failed", "--reason", "OutOfMemory") as resuming:
        decide(ns, {"first": RESUMED, "second": refused, "third": RESUMED})
        code, said, wrong = ended(resuming)
    assert (code, wrong) == (1, "enso: job second is Running\n")
    assert sorted(line.split(":")[0] for line in said.splitlines()) == ["first", "third"]
    assert actions(ns).keys() == {"first", "second", "third"}


@pytest.mark.parametrize(("form", "loads"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_programs_get_the_actions(
    enso: Enso,
    ns: ClusterNamespace,
    form: str,
    loads: Any,  # noqa: ANN401  # as they are
) -> None:
    for name in ("first", "second"):
        ns.objects.create(job(name))
    with enso.started("cancel", "first", "gone", "second", "-o", form) as asking:
        decide(ns, {"first": Result("Done", "cancelled"), "second": Result("Done", "cancelled")})
        code, said, wrong = ended(asking)
    assert (code, "there is no job 'gone'" in wrong) == (2, True)
    items = loads(said)["items"]
    assert [(item["kind"], item["spec"]["job"]) for item in items] == [
        ("EnsoAction", "first"),
        ("EnsoAction", "second"),
    ]
    assert {item["status"]["conditions"][0]["message"] for item in items} == {"cancelled"}


def test_an_api_server_that_restarts_is_waited_for(own_cluster: Cluster, tmp_path: Path) -> None:
    install_crds(own_cluster.kubectl)
    with new_client_from_config(str(own_cluster.kubeconfig)) as client:  # type: ignore[no-untyped-call]
        ns = ClusterNamespace(own_cluster, client, "default")
        enso = Enso(ns, tmp_path)
        ns.objects.create(job())
        with enso.started("cancel", "shot") as asking:
            until(lambda: actions(ns))
            own_cluster.kill("kube-apiserver")
            assert asking.stderr
            assert "trying again" in asking.stderr.readline()
            own_cluster.revive()
            decide(ns, {"shot": Result("Done", "cancelled")})
            assert ended(asking)[:2] == (0, "shot: cancelled\n")


def test_a_first_list_of_actions_that_is_refused_is_asked_for_again(
    enso: Enso, ns: ClusterNamespace
) -> None:
    ns.objects.create(job())
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        rule = proxy.add(on("list", "ensoactions"), answer(503, "not ready"), times=2)
        arguments = ("cancel", "shot", "-n", ns.namespace)
        with enso.started(*arguments, kubeconfig=proxy.kubeconfig) as asking:
            decide(ns, {"shot": Result("Done", "cancelled")})
            assert ended(asking)[:2] == (0, "shot: cancelled\n")
    assert rule.used == 2


def test_a_plan_says_what_would_run_and_changes_nothing(
    enso: Enso, ns: ClusterNamespace, tmp_path: Path
) -> None:
    with_status(ns.objects, job(), FAILED_JOB)
    ns.objects.create(job("fresh"))
    code, said, wrong = enso("resume", "shot", "--dry-run", "--set", "simulate.frames=12")
    assert (code, wrong) == (0, "")
    assert said.splitlines() == [
        "shot: Failed, 1 of 4 scripts done",
        "When it is resumed, 4 of 4 scripts will be started:",
        "",
        "Changes: simulate.args.frames: 240 → 12",
        "",
        "#  SCRIPT    PLAN        WHY",
        "1  open      runs again  its work was in memory, which is lost",
        "2  simulate  runs        attempt 3 failed: OutOfMemory",
        "3  publish   runs",
        "4  notify    runs",
    ]
    code, said, wrong = enso("plan", "fresh", "shot", "-o", "json")
    assert (code, wrong) == (0, "")
    assert [plan["job"] for plan in json.loads(said)["plans"]] == ["fresh", "shot"]
    code, said, wrong = enso("resume", "shot", "--dry-run", "--from", "publish")
    assert (code, said) == (1, "")
    assert wrong == (
        "enso: job shot cannot go on at 'publish', because 'simulate' before it is not done; "
        "resume from 'simulate', or skip it\n"
    )
    wrong = enso("resume", "fresh", "--dry-run")[2]
    assert "only a job that has ended, or was paused, can be resumed" in wrong
    file = tmp_path / "shot.json"
    file.write_text(json.dumps(of_scripts(*({"name": name, "source": PASSES} for name in NAMES))))
    code, said, _ = enso("plan", str(file))
    assert (code, said.splitlines()[1]) == (0, "Once it is, 4 of 4 scripts will be started:")
    assert actions(ns) == {}


def test_a_job_goes_on_with_other_arguments_until_it_succeeds(
    enso: Enso, ns: ClusterNamespace, operators: Operators
) -> None:
    fails = "def main(frames, limit=0):\n    assert frames <= 128, frames\n    assert limit, limit"
    bake = {"name": "bake", "source": fails, "args": {"frames": 240}}
    cache = {"name": "cache", "source": PASSES, "checkpoint": True}
    ns.apply(of_scripts(cache, bake, {"name": "save", "source": PASSES}))
    operators.start()
    ns.waits("Finished")
    assert "resume  kubectl enso resume shot" in enso("why", "shot")[1]

    said = enso("resume", "shot", "--set", "bake.frames=128", "--why", "240 are too many")
    assert said == (0, "shot: resumed; it goes on at 'bake'\n", "")
    code, how, _ = enso("wait", "shot")
    assert (code, "AssertionError: 0" in how) == (1, True)
    assert "limit" not in enso("why", "shot")[1].split("args")[1].splitlines()[0]
    plan = json.loads(enso("resume", "shot", "--dry-run", "--set", "bake.limit=1", "-o", "json")[1])
    assert plan["changes"] == ["bake.args.limit"]  # frames has been another one since
    assert [script["plan"] for script in plan["scripts"]] == ["kept", "runs", "runs"]
    assert enso("resume", "shot", "--set", "bake.limit=1")[0] == 0
    assert enso("wait", "shot")[0] == 0
    assert [row.get("attempt", 0) for row in ns.get()["status"]["scripts"]] == [1, 3, 1]
    refused = enso("resume", "shot", "--from", "save", "--set", "cache.limit=2")
    assert refused[0] == 1
    assert "args.limit of script 'cache' was changed" in refused[2]
    dry = enso("resume", "shot", "--dry-run", "--from", "save", "--set", "cache.limit=2")
    assert dry == refused  # the same sentence, before and after
    assert "bake  frames=128 limit=1" in enso("show", "shot")[1]
    ns.kubectl("delete", "controllerrevisions", "--all")
    code, _, wrong = enso("plan", "shot")
    assert (code, "was deleted or changed" in wrong) == (1, True)


def test_a_job_goes_on_with_one_command(
    enso: Enso, ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    source = f"def main():\n    open({str(there)!r})"
    ns.apply(
        of_scripts(
            {"name": "open", "setup": True, "source": PASSES},
            {"name": "save", "source": source},
        )
    )
    operators.start()
    ns.waits("Finished")
    there.touch()

    promised = json.loads(enso("plan", "shot", "-o", "json")[1])["scripts"]
    assert [script["plan"] for script in promised] == ["runs again", "runs"]
    assert enso("resume", "shot") == (
        0,
        "shot: resumed; it goes on at 'save' after open has run again\n",
        "",
    )
    assert enso("wait", "shot")[0] == 0
    attempts = [row.get("attempt", 0) for row in ns.get()["status"]["scripts"]]
    assert attempts == [2, 2]
    code, said, wrong = enso("resume", "shot")
    assert (code, said) == (1, "")
    assert "has nothing left to do; name the script to run again from" in wrong
