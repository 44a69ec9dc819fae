"""From `kubectl apply` to events and status: what a user sees of an operator."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cluster.desk import Desk
from tests.support.fault_proxy import FaultProxy, hold, on, writes
from tests.support.operators import DEADLINE_SECONDS, Operators, until
from tests.support.resources import Document, library_script, of_scripts

SLEEPS = "import time\ndef main():\n    time.sleep(60)"
PASSES = "def main(): pass"


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


def test_a_job_that_fails_is_told_as_it_was(desk: Desk, operators: Operators) -> None:
    fails = {"name": "do", "source": "def main(frames):\n    1 / 0", "args": {"frames": 240}}
    desk.apply(of_scripts({"name": "open", "source": PASSES}, fails, {"name": "save"}))
    operators.start()
    desk.waits("Finished")

    described = desk.kubectl("describe", "ensojob", "shot")
    assert desk.columns() == ["shot", "Failed", "1/3", "do", "Exception"]
    assert desk.told() == [
        ("JobAdded", "open, do, save"),
        ("JobStarted", "the job was let go"),
        ("SessionOpened", "main-1: open, do, save"),
        ("ScriptStarted", "1/3 open, attempt 1"),
        ("ScriptSucceeded", "1/3 open, attempt 1, 0.0 s"),
        ("ScriptStarted", "2/3 do, attempt 1; args frames=240"),
        (
            "ScriptFailed",
            "2/3 do, attempt 1, 0.0 s: ZeroDivisionError: division by zero; args frames=240",
        ),
        ("SessionEnded", "main-1"),
        (
            "JobFailed",
            "do failed: ZeroDivisionError: division by zero; args frames=240; attempt 1, 0.0 s",
        ),
    ]
    assert "at      do, line 2 in main: 1 / 0" in described


def test_a_job_that_succeeds_is_done(desk: Desk, operators: Operators) -> None:
    desk.apply(passing("open", "save"))
    operators.start()
    desk.waits("Succeeded")
    assert desk.columns() == ["shot", "Succeeded", "2/2"]
    assert [row["state"] for row in desk.get()["status"]["scripts"]] == ["Succeeded", "Succeeded"]


def test_what_the_same_manifest_brings_again_changes_nothing(
    desk: Desk, operators: Operators
) -> None:
    desk.apply(passing("open"))
    operators.start()
    desk.waits("Finished")
    before = desk.get()
    desk.apply(passing("open"))
    assert desk.get() == before
    assert set(before["metadata"]) & {"finalizers", "labels", "ownerReferences"} == set()
    assert [*before["metadata"]["annotations"]] == [
        "kubectl.kubernetes.io/last-applied-configuration"
    ]


def test_a_suspended_job_waits_and_goes_on(
    desk: Desk, operators: Operators, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    desk.apply(of_scripts(notes(note, "one"), notes(note, "two"), suspend=True))
    operators.start()
    until(lambda: desk.state() == "Suspended")
    assert not note.exists()
    desk.patch(suspend=False)
    desk.waits("Succeeded")
    assert note.read_text().split() == ["one", "two"]
    names = [name for name, _ in desk.told()]
    assert names.index("JobUnsuspended") < names.index("SessionOpened")
    assert names.count("SessionOpened") == 1


def test_suspend_lets_the_running_script_end_and_unsuspend_goes_on(
    desk: Desk, operators: Operators, tmp_path: Path
) -> None:
    note, go = tmp_path / "note", tmp_path / "go"
    desk.apply(of_scripts(waits(go) | {"checkpoint": True}, notes(note, "two")))
    operators.start()
    until(lambda: desk.columns()[:4] == ["shot", "Running", "0/2", "wait"])
    desk.patch(suspend=True)
    until(lambda: desk.state() == "Suspended")
    go.touch()
    until(lambda: "SessionEnded" in dict(desk.told()))
    assert desk.columns()[:3] == ["shot", "Suspended", "1/2"]
    assert not note.exists()
    desk.patch(suspend=False)
    desk.waits("Succeeded")
    assert note.read_text() == "two\n"
    assert [each for each, _ in desk.told()].count("JobUnsuspended") == 1


def test_a_job_that_is_deleted_while_it_runs_is_ended(desk: Desk, operators: Operators) -> None:
    desk.apply(of_scripts({"name": "long", "source": SLEEPS}, {"name": "never", "source": PASSES}))
    operators.start()
    until(lambda: desk.state() == "Running" and "ScriptStarted" in dict(desk.told()))
    assert operators.supervisors()
    desk.kubectl("delete", "ensojob", "shot")
    until(lambda: not operators.supervisors() and not operators.folders())
    until(lambda: "SessionEnded" in dict(desk.told()))
    told = dict(desk.told())
    assert told["JobCancelled"] == "its EnsoJob was deleted"
    assert "1/2 long, attempt 1" in told["ScriptFailed"]


def test_a_job_that_was_deleted_while_no_operator_looked_is_ended(
    desk: Desk, operators: Operators
) -> None:
    desk.apply(of_scripts({"name": "long", "source": SLEEPS}))
    first = operators.start()
    until(lambda: "ScriptStarted" in dict(desk.told()))
    first.kill()
    desk.kubectl("delete", "ensojob", "shot")
    assert operators.supervisors()
    operators.start()
    until(lambda: not operators.supervisors() and not operators.folders())


def test_a_deadline_ends_the_job(desk: Desk, operators: Operators) -> None:
    desk.apply(of_scripts({"name": "long", "source": SLEEPS}, activeDeadlineSeconds=1))
    operators.start()
    desk.waits("Finished")
    assert desk.columns()[1:5] == ["Failed", "0/1", "DeadlineExceeded"]
    assert "longer than its 1 s" in dict(desk.told())["JobFailed"]


def test_describe_shows_events_in_the_order_of_what_happened(
    desk: Desk, operators: Operators
) -> None:
    """Of more than twelve that are not sorted already it mixes up those of one second."""
    passes = [{"name": f"passes-{number}", "source": PASSES} for number in range(7)]
    desk.apply(of_scripts(*passes, {"name": "long", "source": SLEEPS}, activeDeadlineSeconds=5))
    operators.start()
    desk.waits("Finished")
    table = desk.kubectl("describe", "ensojob", "shot").partition("Events:")[2].splitlines()
    shown = [line.split(maxsplit=4)[1::3] for line in table if "enso.dev/operator" in line]
    items: list[Document] = json.loads(desk.kubectl("get", "events", "-o", "json"))["items"]
    items.sort(key=lambda event: (event["eventTime"], event["metadata"]["name"]))
    assert shown == [[event["reason"], event["message"]] for event in items]
    assert len(shown) > 12
    assert shown[-1][0] == "SessionEnded"


def test_a_finished_job_is_deleted_when_its_time_is_over(desk: Desk, operators: Operators) -> None:
    desk.apply(passing("one", ttlSecondsAfterFinished=1))
    desk.apply(passing("one") | {"metadata": {"name": "kept"}})
    operators.start()
    until(lambda: desk.names() == ["kept"])
    assert "JobSucceeded" in dict(desk.told())
    desk.patch("kept", ttlSecondsAfterFinished=0)
    until(lambda: desk.names() == [])
    until(lambda: operators.folders() == [])


def test_a_script_may_come_after_the_job_that_names_it(desk: Desk, operators: Operators) -> None:
    desk.apply(of_scripts({"name": "open", "scriptRef": {"name": "open_scene"}}))
    operators.start()
    until(lambda: "NotGoingOn" in dict(desk.told()))
    desk.apply(library_script(source=PASSES))
    desk.waits("Succeeded")


def test_a_script_that_never_comes_fails_the_job_before_anything_runs(
    desk: Desk, operators: Operators, tmp_path: Path
) -> None:
    desk.apply(of_scripts(notes(tmp_path / "note", "one"), {"scriptRef": {"name": "opn-scene"}}))
    desk.apply(library_script(source=PASSES))
    operators.start()
    desk.waits("Finished")
    assert not (tmp_path / "note").exists()
    message = dict(desk.told())["JobFailed"]
    assert "script 'script-1'" in message
    assert "did you mean 'open-scene'?" in message
    assert desk.get()["status"]["reason"] == "ScriptNotFound"


def test_a_script_that_changes_changes_no_session_that_runs(
    desk: Desk, operators: Operators, tmp_path: Path
) -> None:
    go, note = tmp_path / "go", tmp_path / "note"
    desk.apply(library_script(source=notes(note, "before")["source"]))
    desk.apply(of_scripts(waits(go), {"scriptRef": {"name": "open_scene"}}))
    operators.start()
    until(lambda: "ScriptStarted" in dict(desk.told()))
    desk.apply(library_script(source=notes(note, "after")["source"]))
    go.touch()
    desk.waits("Succeeded")
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
    desk: Desk, operators: Operators, document: Document, reason: str, sentence: str
) -> None:
    desk.create(document)
    desk.apply(passing("one") | {"metadata": {"name": "other"}})
    operators.start()
    desk.waits("Stalled")
    desk.waits("Succeeded", "other")
    status = desk.get()["status"]
    assert status["reason"] == reason
    assert sentence in "".join(status["why"])
    assert any(sentence in message for _, message in desk.told())


def test_a_session_outlives_its_operator_and_the_next_one_goes_on(
    desk: Desk, operators: Operators, tmp_path: Path
) -> None:
    note, go = tmp_path / "note", tmp_path / "go"
    desk.apply(of_scripts(notes(note, "one"), waits(go), notes(note, "three")))
    first = operators.start()
    until(lambda: desk.columns()[:4] == ["shot", "Running", "1/3", "wait"])
    first.kill()
    go.touch()
    until(lambda: note.read_text().split() == ["one", "three"])
    operators.start()
    desk.waits("Succeeded")
    names = [name for name, _ in desk.told()]
    assert (names.count("ScriptStarted"), names.count("ScriptSucceeded")) == (3, 3)


def test_a_session_that_vanished_leaves_doubt_and_says_so(desk: Desk, operators: Operators) -> None:
    desk.apply(of_scripts({"name": "long", "source": SLEEPS}, {"name": "next", "source": PASSES}))
    first = operators.start()
    until(lambda: desk.columns()[:4] == ["shot", "Running", "0/2", "long"])
    first.kill()
    for pid in operators.supervisors():
        os.kill(pid, signal.SIGKILL)
    operators.start()
    desk.waits("Finished")
    rows = {row["name"]: row["state"] for row in desk.get()["status"]["scripts"]}
    assert rows["long"] == "Interrupted"
    assert desk.get()["status"]["reason"] == "SessionLost"
    assert "ScriptInterrupted" in dict(desk.told())


def test_an_operator_stops_though_the_api_server_does_not_answer(
    desk: Desk, operators: Operators
) -> None:
    """Whoever stops it kills it five seconds later: requests may take longer than that."""
    desk.apply(of_scripts({"name": "long", "source": SLEEPS}))
    with FaultProxy(operators.kubeconfig) as proxy:
        one = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        until(one.is_ready)
        held = proxy.add(writes() | on("list", "ensojobs"), hold(DEADLINE_SECONDS))
        desk.apply(passing("one") | {"metadata": {"name": "other"}})
        until(lambda: held.used > 1)
        one.send(signal.SIGTERM)
        until(lambda: not one.process.is_alive(), 5)
        assert one.process.exitcode == 0
        assert "Traceback" not in one.said


def test_an_operator_stops_in_order_and_leaves_sessions_alone(
    desk: Desk, operators: Operators
) -> None:
    desk.apply(of_scripts({"name": "long", "source": SLEEPS}))
    one = operators.start()
    until(lambda: desk.state() == "Running")
    assert one.stop() == 0
    assert operators.supervisors()
    assert desk.state() == "Running"
