"""What people, scripts and other controllers do to jobs while they run."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.canary import Canary
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, answer, on
from tests.support.operators import Operators
from tests.support.resources import of_scripts

SLEEPS = "import time\ndef main():\n    time.sleep(60)"


def test_a_secret_is_in_no_byte_that_leaves_the_operator(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    """Local sessions do not read Secrets: neither do the operator, and whoever reads its jobs."""
    canary = Canary()
    ns.kubectl("create", "secret", "generic", "tracker", f"--from-literal=token={canary.value}")
    wants = [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}]
    ns.apply(of_scripts({"source": "def main(token): print(token)", "argsFrom": wants}))
    story = Story(ns, "other", tmp_path / "note")
    with FaultProxy(operators.kubeconfig) as proxy:
        operator = operators.start(kubeconfig=proxy.kubeconfig)
        story.begin()
        story.ends_well()
        ns.waits("Stalled")
        told = [proxy.sent().decode("utf-8", "replace"), operator.log_text]
        told += [operator.http_get("/metrics")[1], ns.kubectl("describe", "ensojobs")]
        resources = {call.resource for call in proxy.calls}
    assert not [text for text in told if canary.found_in(text)]
    assert "secrets" not in resources
    secret = f"/registry/secrets/{ns.namespace}/tracker"
    assert canary.keys_in(ns.cluster.folder / "etcd") == {secret}
    folders = operators.folders()
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert files
    assert not [file.name for file in files if canary.found_in(file.read_bytes())]


def test_a_writer_that_never_rests_loses_nothing_and_gains_nothing(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    story, rests = Story(ns, "shot", tmp_path / "note"), threading.Event()

    def label() -> None:
        number = 0
        while not rests.is_set():
            number += 1
            ns.kubectl("label", "--overwrite", "ensojob", "shot", f"studio/touched={number}")

    story.begin()
    writer = threading.Thread(target=label)
    writer.start()
    try:
        until(lambda: touched(story) > 1)
        operators.start()
        story.ends_well()
    finally:
        rests.set()
        writer.join()


def touched(story: Story) -> int:
    """Return the number of the newest label."""
    return int(story.document["metadata"].get("labels", {}).get("studio/touched", 0))


def test_a_job_deleted_and_created_anew_is_another_job(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}))
    operators.start()
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    ns.kubectl("delete", "ensojob", "shot")
    story = Story(ns, "shot", tmp_path / "note")
    story.begin()
    until(story.is_over)
    assert story.note.read_text().split() == ["open", "do", "save"]
    until(lambda: not operators.supervisors())
    until(lambda: len(operators.folders()) == 1)


def test_a_status_that_somebody_broke_harms_no_other_job(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}))
    broken = {
        "type": "Succeeded",
        "status": "Unknown",
        "reason": "Confused",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = json.dumps({"status": {"conditions": [broken]}})
    ns.kubectl("patch", "ensojob/shot", "--subresource=status", "--type=merge", "-p", status)
    operator = operators.start()
    until(lambda: "NotGoingOn" in dict(ns.job_events()))
    assert "the status of job shot is none" in dict(ns.job_events())["NotGoingOn"]
    story = Story(ns, "other", tmp_path / "note")
    story.begin()
    story.ends_well()
    assert operator.http_get("/healthz")[0] == 200


def test_what_breaks_in_the_operator_itself_is_said_and_tried_again(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    waits = (
        f"import os, time\ndef main():\n    while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    )
    ns.apply(of_scripts({"source": waits}))
    operator = operators.start()
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    (journal,) = operators.state.glob("*/*/*/main-1/journal")
    kept = journal.rename(journal.with_name("kept"))
    journal.mkdir()  # a folder instead of a file: an unexpected error
    until(lambda: "NotGoingOn" in dict(ns.job_events()))
    assert "enso itself broke; it tries again in 2 s" in dict(ns.job_events())["NotGoingOn"]
    assert "enso_actor_failures_total 0.0" not in operator.http_get("/metrics")[1]
    assert "its actor broke" in operator.log_text
    story = Story(ns, "other", tmp_path / "note")
    story.begin()
    story.ends_well()
    journal.rmdir()
    kept.rename(journal)
    go.touch()
    ns.waits("Succeeded")
    assert operator.http_get("/healthz")[0] == 200


def test_why_a_job_is_none_is_told_when_its_events_are_taken(
    ns: ClusterNamespace, operators: Operators
) -> None:
    twice = [{"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}]
    with FaultProxy(operators.kubeconfig) as proxy:
        refused = proxy.add(on("create", "events"), answer(500, "etcdserver: no leader"), times=3)
        operators.start(kubeconfig=proxy.kubeconfig)
        ns.apply(of_scripts({"args": {"token": 1}, "argsFrom": twice}))
        ns.waits("Finished")
        assert "is in args, too" in dict(ns.job_events())["NotGoingOn"]
        assert refused.used == 3


def test_a_session_whose_supervisor_is_killed_is_lost(
    ns: ClusterNamespace, operators: Operators
) -> None:
    ns.apply(of_scripts({"name": "long", "source": SLEEPS}))
    operators.start()
    until(lambda: "ScriptStarted" in dict(ns.job_events()))
    for pid in operators.supervisors():
        os.kill(pid, signal.SIGKILL)
    ns.waits("Finished")
    assert ns.columns()[1:5] == ["Failed", "0/1", "long", "SessionLost"]
    assert ns.get()["status"]["scripts"][0]["state"] == "Interrupted"


def test_a_wish_that_changes_fast_is_obeyed_in_the_end(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    story = Story(ns, "shot", tmp_path / "note")
    story.begin(suspend=True)
    operators.start()
    for number in range(9):
        ns.patch(suspend=number % 2 == 1)
    until(story.is_over)
    assert ns.columns()[1:3] == ["Succeeded", "3/3"]
    # What lived in the memory of a session that was suspended is run again by the next one.
    assert story.note.read_text().split()[-3:] == ["open", "do", "save"]
