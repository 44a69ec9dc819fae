"""From `kubectl apply` to events and status: what a user sees of an operator."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from job_execution_framework.runtime.supervisor import CONTROL
from tests.cluster.action_client import ActionClient
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.fault_proxy import FaultProxy, hold, on, writes
from tests.support.operators import Operators
from tests.support.resources import Document, library_script, of_scripts

SLEEPS = "import time\ndef main():\n    time.sleep(60)"
PASSES = "def main(): pass"
GRACE_SECONDS = 30
"""As the chart gives it. It needs less than five, but where the machine is busy."""
DURATION = re.compile(r"\b[0-9.]+ m?s\b")


def passing(*names: str, **spec: object) -> Document:
    return of_scripts(*[{"name": name, "source": PASSES} for name in names], **spec)


def notes(note: Path, name: str) -> Document:
    """A script that writes down each of its starts."""
    source = f"def main():\n    with open({str(note)!r}, 'a') as file: file.write('{name}\\n')"
    return {"name": name, "source": source}


def waits(go: Path) -> Document:
    """A script that ends once `go` is there."""
    source = (
        "import pathlib, time\n"
        "def main(go):\n"
        "    while not pathlib.Path(go).exists(): time.sleep(0.01)"
    )
    return {"name": "wait", "source": source, "args": {"go": str(go)}}


def test_a_job_that_fails_is_told_as_it_was(ns: ClusterNamespace, operators: Operators) -> None:
    fails = {"name": "do", "source": "def main(frames):\n    1 / 0", "args": {"frames": 240}}
    ns.apply(of_scripts({"name": "open", "source": PASSES}, fails, {"name": "save"}))
    operators.start()
    ns.waits("Finished")

    described = ns.kubectl("describe", "ensojob", "shot")
    error, resume = "ZeroDivisionError: division by zero", "resume: kubectl enso resume shot"
    assert ns.columns() == ["shot", "Failed", "1/3", "do", "Exception"]
    assert [(reason, DURATION.sub("N ms", text)) for reason, text in ns.outcomes()] == [
        ("JobAdded", "open, do, save"),
        ("JobStarted", "the job was started"),
        ("SessionOpened", "main-1: open, do, save"),
        ("ScriptSucceeded", "1/3 open, attempt 1, N ms"),
        (
            "ScriptFailed",
            "2/3 do, attempt 1, N ms: ZeroDivisionError: division by zero; args frames=240",
        ),
        ("SessionEnded", "main-1"),
        (
            "JobFailed",
            f"do failed: {error}; args frames=240; attempt 1, N ms; {resume}",
        ),
    ]
    assert "at      do, line 2 in main: 1 / 0" in described


def test_a_job_that_succeeds_is_done(ns: ClusterNamespace, operators: Operators) -> None:
    ns.apply(passing("open", "save"))
    operators.start()
    ns.waits("Succeeded")
    assert ns.columns() == ["shot", "Succeeded", "2/2"]
    assert [row["state"] for row in ns.get()["status"]["scripts"]] == ["Succeeded", "Succeeded"]


def test_what_the_same_manifest_brings_again_changes_nothing(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(passing("open"))
    operators.start()
    ns.waits("Finished")
    before = ns.get()
    ns.apply(passing("open"))
    assert ns.get() == before
    assert set(before["metadata"]) & {"finalizers", "labels", "ownerReferences"} == set()
    assert [*before["metadata"]["annotations"]] == [
        "kubectl.kubernetes.io/last-applied-configuration"
    ]


def test_a_suspended_job_waits_and_goes_on(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(of_scripts(notes(note, "one"), notes(note, "two"), suspend=True))
    operators.start()
    until(lambda: ns.state() == "Suspended")
    assert not note.exists()
    ns.patch(suspend=False)
    ns.waits("Succeeded")
    assert note.read_text().split() == ["one", "two"]
    names = [name for name, _ in ns.job_events()]
    assert names.index("JobUnsuspended") < names.index("SessionOpened")
    assert names.count("SessionOpened") == 1


def test_suspend_lets_the_running_script_end_and_unsuspend_goes_on(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note, go = tmp_path / "note", tmp_path / "go"
    ns.apply(of_scripts(waits(go) | {"checkpoint": True}, notes(note, "two")))
    operators.start()
    until(lambda: ns.columns()[:4] == ["shot", "Running", "0/2", "wait"])
    ns.patch(suspend=True)
    until(lambda: ns.state() == "Suspended")
    until(lambda: any(operators.state.rglob(CONTROL)))  # it is written after the status
    go.touch()
    until(lambda: "SessionEnded" in dict(ns.job_events()))
    until(lambda: ns.columns()[:3] == ["shot", "Suspended", "1/2"])
    assert not note.exists()
    ns.patch(suspend=False)
    ns.waits("Succeeded")
    assert note.read_text() == "two\n"
    assert [reason for reason, _ in ns.job_events()].count("JobUnsuspended") == 1


def test_a_job_that_is_deleted_while_it_runs_is_ended(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}, {"name": "never", "source": PASSES}))
    operators.start()
    until(lambda: ns.state() == "Running" and "ScriptStarted" in dict(ns.job_events()))
    assert operators.supervisors()
    ns.kubectl("delete", "ensojob", "shot")
    until(lambda: not operators.supervisors() and not operators.folders())
    until(lambda: "SessionEnded" in dict(ns.job_events()))
    told = dict(ns.job_events())
    assert told["JobCancelled"] == "its EnsoJob was deleted"
    assert "1/2 long, attempt 1" in told["ScriptFailed"]


def test_a_job_that_was_deleted_while_no_operator_looked_is_ended(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}))
    first = operators.start()
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    first.kill()
    ns.kubectl("delete", "ensojob", "shot")
    assert operators.supervisors()
    operators.start()
    until(lambda: not operators.supervisors() and not operators.folders())


def test_a_deadline_ends_the_job(ns: ClusterNamespace, operators: Operators) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}, activeDeadlineSeconds=1))
    operators.start()
    ns.waits("Finished")
    assert ns.columns()[1:5] == ["Failed", "0/1", "DeadlineExceeded"]
    assert "longer than its 1 s" in dict(ns.job_events())["JobFailed"]


def test_describe_shows_events_in_the_order_of_what_happened(
    ns: ClusterNamespace, operators: Operators
) -> None:
    """Of more than twelve that are not sorted already it mixes up those of one second."""
    passes = [{"name": f"passes-{number}", "source": PASSES} for number in range(8)]
    ns.apply(of_scripts(*passes, {"name": "long", "source": SLEEPS}))
    operators.start()
    until(lambda: ns.columns()[:4] == ["shot", "Running", "8/9", "long"])
    ActionClient(ns).create("cancel")
    ns.waits("Finished")
    table = ns.kubectl("describe", "ensojob", "shot").partition("Events:")[2].splitlines()
    shown = [line.split(maxsplit=4)[1::3] for line in table if "enso.dev/operator" in line]
    items: list[Document] = json.loads(ns.kubectl("get", "events", "-o", "json"))["items"]
    items.sort(key=lambda event: (event["eventTime"], event["metadata"]["name"]))
    assert shown == [[event["reason"], event["message"]] for event in items]
    assert len(shown) > 12
    assert shown[-1][0] == "SessionEnded"


def test_a_finished_job_is_deleted_when_its_time_is_over(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(passing("one", ttlSecondsAfterFinished=1))
    ns.apply(passing("one") | {"metadata": {"name": "kept"}})
    operators.start()
    until(lambda: ns.names() == ["kept"])
    assert "JobSucceeded" in dict(ns.job_events())
    ns.patch("kept", ttlSecondsAfterFinished=0)
    until(lambda: ns.names() == [])
    until(lambda: operators.folders() == [])


def test_a_script_may_come_after_the_job_that_names_it(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(of_scripts({"name": "open", "scriptRef": {"name": "open_scene"}}))
    operators.start()
    until(lambda: "NotGoingOn" in dict(ns.job_events()))
    ns.apply(library_script(source=PASSES))
    ns.waits("Succeeded")


def test_a_script_that_never_comes_fails_the_job_before_anything_runs(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    ns.apply(of_scripts(notes(tmp_path / "note", "one"), {"scriptRef": {"name": "opn-scene"}}))
    ns.apply(library_script(source=PASSES))
    operators.start()
    ns.waits("Finished")
    assert not (tmp_path / "note").exists()
    message = dict(ns.job_events())["JobFailed"]
    assert "script 'script-1'" in message
    assert "did you mean 'open-scene'?" in message
    assert ns.get()["status"]["reason"] == "ScriptNotFound"


def test_a_script_that_changes_changes_no_session_that_runs(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    go, note = tmp_path / "go", tmp_path / "note"
    ns.apply(library_script(source=notes(note, "before")["source"]))
    ns.apply(of_scripts(waits(go), {"scriptRef": {"name": "open_scene"}}))
    operators.start()
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    ns.apply(library_script(source=notes(note, "after")["source"]))
    go.touch()
    ns.waits("Succeeded")
    assert note.read_text() == "before\n"


SECRET = {"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}
BIG = "x" * 60_000


@pytest.mark.parametrize(
    ("document", "reason", "sentence"),
    [
        (of_scripts({"args": {"token": 1}, "argsFrom": [SECRET]}), "InvalidJob", "is in args, too"),
        (of_scripts({"argsFrom": [SECRET]}), "InvalidJob", "local sessions do not read"),
        (
            of_scripts({"name": "send", "container": {"image": "x"}}),
            "InvalidJob",
            "script 'send' is a container: local sessions run none",
        ),
        (
            of_scripts(*[{"source": "def main(): pass\n#" + BIG} for _ in range(19)]),
            "InvalidJob",
            "bytes of at most 1048576: use smaller sources",
        ),
    ],
    ids=["invalid", "secret", "container", "large"],
)
def test_what_cannot_be_run_says_so_and_holds_up_nobody(
    ns: ClusterNamespace, operators: Operators, document: Document, reason: str, sentence: str
) -> None:
    ns.create(document)
    ns.apply(passing("one") | {"metadata": {"name": "other"}})
    operators.start()
    ns.waits("Stalled")
    ns.waits("Succeeded", "other")
    status = ns.get()["status"]
    assert status["reason"] == reason
    assert sentence in "".join(status["why"])
    assert any(sentence in message for _, message in ns.job_events())


def test_a_session_outlives_its_operator_and_the_next_one_goes_on(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    note, go = tmp_path / "note", tmp_path / "go"
    ns.apply(of_scripts(notes(note, "one"), waits(go), notes(note, "three")))
    first = operators.start()
    until(lambda: ns.columns()[:4] == ["shot", "Running", "1/3", "wait"])
    first.kill()
    go.touch()
    until(lambda: note.read_text().split() == ["one", "three"])
    operators.start()
    ns.waits("Succeeded")
    told = ns.job_events()
    assert [name for name, _ in told].count("ScriptSucceeded") == 3
    assert len({*told}) == len(told)


def test_a_session_that_vanished_leaves_doubt_and_says_so(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}, {"name": "next", "source": PASSES}))
    first = operators.start()
    until(lambda: ns.columns()[:4] == ["shot", "Running", "0/2", "long"])
    first.kill()
    for pid in operators.supervisors():
        os.kill(pid, signal.SIGKILL)
    operators.start()
    ns.waits("Finished")
    rows = {row["name"]: row["state"] for row in ns.get()["status"]["scripts"]}
    assert rows["long"] == "Interrupted"
    assert ns.get()["status"]["reason"] == "SessionLost"
    assert "ScriptInterrupted" in dict(ns.job_events())


def test_an_operator_stops_though_the_api_server_does_not_answer(
    ns: ClusterNamespace, operators: Operators
) -> None:
    """A kubelet kills it GRACE_SECONDS after SIGTERM, but requests may take longer."""
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}))
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        until(operator.is_ready)
        held = proxy.add(writes() | on("list", "ensojobs"), hold(DEADLINE_SECONDS))
        ns.apply(passing("one") | {"metadata": {"name": "other"}})
        until(lambda: held.used > 1)
        operator.send(signal.SIGTERM)
        until(lambda: not operator.process.is_alive(), GRACE_SECONDS)
        assert operator.process.exitcode == 0
        assert "Traceback" not in operator.log_text


def test_an_operator_stops_in_order_and_leaves_sessions_alone(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}))
    operator = operators.start()
    until(lambda: ns.state() == "Running")
    assert operator.stop() == 0
    assert operators.supervisors()
    assert ns.state() == "Running"
