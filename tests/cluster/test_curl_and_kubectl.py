"""The same jobs seen by curl and by kubectl, with an operator that runs them."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.api import SCRIPTS
from tests.support.curl import ADD, EXECUTE, GET, LIST, RESUME, RESUME_WITH_SUBSTEPS, shell
from tests.support.eventually import until
from tests.support.operators import operators_of
from tests.support.resources import of_scripts
from tests.support.serve_program import serving

ROOT = Path(__file__).resolve().parents[2]
PASSES = "def main(): pass"
SAID = ("outcome", "error")


@pytest.fixture
def port(ns: ClusterNamespace, tmp_path: Path) -> Generator[int]:
    """An HTTP API over the namespace, and an operator that looks after it."""
    kubeconfig = ns.cluster.kubeconfig
    with (
        operators_of(kubeconfig, ns.namespace, tmp_path) as operators,
        serving(kubeconfig, "--namespace", ns.namespace) as server,
    ):
        operators.start()
        yield server.port


def test_a_job_added_by_curl_is_run_and_seen_by_kubectl(ns: ClusterNamespace, port: int) -> None:
    assert shell(LIST, port) == []
    jobid = shell(ADD, port)["jobid"]
    assert shell(GET, port, jobid)["state"] == "Suspended"
    assert ns.names() == [jobid]
    shell(EXECUTE, port, jobid)
    ns.waits("Succeeded", jobid)
    assert shell(LIST, port) == [{"jobid": jobid, "state": "Succeeded"}]
    shown = shell(GET, port, jobid)
    assert [script["state"] for script in shown["scripts"]] == ["Succeeded"] * 3
    assert shown["scripts"][2]["parameters"]["arg2"] == "/release/saved.hip"
    assert ns.columns(jobid) == [jobid, "Succeeded", "3/3"]
    done = [message for reason, message in ns.job_events(jobid) if reason == "ScriptSucceeded"]
    assert done[2].startswith("3/3 example-script-3, attempt 1, ")
    assert done[2].endswith('; args arg1="save houdini file" arg2=/release/saved.hip')


def test_a_job_applied_by_kubectl_is_executed_by_curl(ns: ClusterNamespace, port: int) -> None:
    ns.apply(of_scripts({"source": "def main(): 1 / 0"}, suspend=True))
    until(lambda: ns.state() == "Suspended")
    assert shell(EXECUTE, port, "shot")["state"] in ("Waiting", "Running")
    ns.waits("Finished")
    shown = shell(GET, port, "shot")
    assert shown["state"] == "Failed"
    assert shown["why"] == ns.get()["status"]["why"]


def test_a_job_that_failed_for_a_wrong_argument_is_resumed_by_curl(
    ns: ClusterNamespace, port: int
) -> None:
    ns.apply(
        of_scripts(
            {"name": "open", "source": PASSES, "setup": True},
            {"name": "bake", "source": PASSES, "checkpoint": True},
            {"name": "simulate", "source": SCRIPTS["simulate"], "args": {"substeps": 2}},
            {"name": "publish", "source": PASSES},
            {"name": "notify", "source": PASSES},
        )
    )
    ns.waits("Finished")
    failure = shell(GET, port, "shot")["failure"]
    assert failure.startswith(
        "simulate failed: ValueError: 2 substeps are too few; args substeps=2"
    )

    answer = shell(RESUME_WITH_SUBSTEPS, port, "shot")

    action = json.loads(ns.kubectl("get", "ensoaction", answer["action"], "-o", "json"))
    assert action["spec"]["jobUID"] == ns.get()["metadata"]["uid"]
    (told,) = [c["message"] for c in action["status"]["conditions"] if c["type"] == "Succeeded"]
    assert answer["outcome"] == told == "resumed; it goes on at 'simulate' after open has run again"
    ns.waits("Succeeded")
    rows = {row["name"]: row for row in shell(GET, port, "shot")["scripts"]}
    attempts = {name: row.get("attempt", 0) for name, row in rows.items()}
    assert attempts == {"open": 2, "bake": 1, "simulate": 2, "publish": 1, "notify": 1}
    assert rows["simulate"]["parameters"] == {"substeps": 4}
    (resumed,) = [message for reason, message in ns.job_events() if reason == "JobResumed"]
    assert "simulate.args.substeps" in resumed
    assert "two were too few" in resumed


def test_a_job_that_runs_is_asked_by_curl(ns: ClusterNamespace, port: int, tmp_path: Path) -> None:
    def asked(route: str, fields: str = "") -> str:
        command = RESUME.replace("resume-job", route).replace("}'", f"{fields}}}'")
        return str(next(text for key, text in shell(command, port, "shot").items() if key in SAID))

    wait = "import pathlib, time\ndef main(gate):\n while not pathlib.Path(gate).exists():"
    ns.apply(
        of_scripts(
            {
                "name": "open",
                "source": f"{wait} time.sleep(0.1)",
                "args": {"gate": f"{tmp_path}/a"},
            },
            {"name": "publish", "source": PASSES},
            {"name": "notify", "source": PASSES},
        )
    )
    until(lambda: ns.state() == "Running")
    until(lambda: shell(GET, port, "shot")["scripts"][0]["state"] == "Running")

    to_skip = asked("skip-script", ', "script": "notify"')
    assert to_skip == "its session was asked to skip 'notify'"
    assert asked("retry-job") == "job shot has no script that waits for its next attempt"
    assert asked("pause-job") == "its session was asked to pause after 'open', which runs now"
    assert asked("pause-job").startswith("job shot is pausing already: its session was asked")
    assert asked("cancel-job", ', "why": "a typo"') == "cancelled; session main-1 is being stopped"
    assert shell(LIST, port) == [{"jobid": "shot", "state": "Cancelled"}]
    cancelled = [message for reason, message in ns.job_events() if reason == "JobCancelled"]
    assert cancelled == ["a typo; by unknown"]


def test_what_is_not_possible_is_refused_by_curl_as_by_kubectl(
    ns: ClusterNamespace, port: int
) -> None:
    ns.apply(of_scripts({"name": "open", "source": PASSES}))
    ns.waits("Succeeded")
    refusal = shell(RESUME, port, "shot")
    sentence = "job shot has nothing left to do; name the script to run again from"
    assert refusal == {"error": sentence}
    (action,) = json.loads(ns.kubectl("get", "ensoactions", "-o", "json"))["items"]
    (told,) = [c["message"] for c in action["status"]["conditions"] if c["type"] == "Succeeded"]
    assert told == sentence
