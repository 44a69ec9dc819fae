"""A job is suspended, cancelled, deleted, lost: what runs may clean up, and nothing runs twice."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

import pytest
from dev.cluster import binaries

from job_execution_framework.domain.control import GO_ON, PAUSE, SessionControl
from job_execution_framework.service_layer import controls
from tests.node.jobs.one_job import OneJob
from tests.node.jobs.pod_namespace import SANDBOX, Document
from tests.node.jobs.written import (
    CLEANS_UP,
    IGNORES_SIGTERM,
    SLEEPS,
    SLEEPS_AT_FIRST,
    container,
    script,
)
from tests.support.eventually import until
from tests.support.resources import action

RETRY = [{"name": "houdini", "onInterrupted": {"policy": "Retry", "limit": 1, "backoffSeconds": 0}}]
INTERPRETER = "/enso/run/worker.py"
"""An argument of the process that runs a session's scripts, and of no other."""
WAITS = (
    "import os, time\n"
    "def main():\n"
    "    print('up', flush=True)\n"
    "    while not os.path.exists('/enso/home/go'): time.sleep(0.05)\n"
)
GO = ("python3", "-c", "open('/enso/home/go', 'w')")


def name_of(pod: Document) -> str:
    return str(pod["metadata"]["name"])


def lets_go(job: OneJob) -> None:
    job.kubectl("exec", name_of(job.pods()[-1]), "-c", "session", "--", *GO)


def test_suspend_lets_the_running_script_end_and_unsuspend_goes_on(job: OneJob) -> None:
    job.run(
        script("open", setup=True),
        script("do", WAITS, checkpoint=True),
        script("save"),
        sessions=[{"name": "houdini"}],
    )
    job.says("up")
    job.patch(suspend=True)
    until(lambda: job.state() == "Suspended")
    assert job.rows()[1] == ("do", "Running", 1)
    (first,) = job.pods()
    until(lambda: heard(job, name_of(first)) == PAUSE)
    lets_go(job)
    until(lambda: job.rows()[1] == ("do", "Succeeded", 1))
    until(lambda: job.events("SessionEnded"))
    assert job.rows() == [
        ("open", "Succeeded", 1),
        ("do", "Succeeded", 1),
        ("save", "NotStarted", 0),
    ]
    job.patch(suspend=False)
    job.waits("Succeeded")
    assert job.rows() == [
        ("open", "Succeeded", 2),
        ("do", "Succeeded", 1),
        ("save", "Succeeded", 1),
    ]
    assert job.events("SessionOpened") == ["houdini-1: open, do, save", "houdini-2: open, save"]
    assert [name_of(pod).partition("houdini")[2][:3] for pod in job.pods()] == ["-1-", "-2-"]


def heard(job: OneJob, pod: str) -> SessionControl | None:
    """Return what the session reads of that."""
    read = job.kubectl("exec", pod, "-c", "session", "--", "cat", "/enso/control/control")
    return controls.from_json(read) if read else None


def test_a_suspend_that_is_taken_back_in_time_keeps_the_session(job: OneJob) -> None:
    job.run(script("open", setup=True), script("do", WAITS), script("save"))
    job.says("up")
    job.patch(suspend=True)
    until(lambda: heard(job, name_of(job.pod())) == PAUSE)
    job.patch(suspend=False)
    until(lambda: heard(job, name_of(job.pod())) == GO_ON)
    lets_go(job)
    job.waits("Succeeded")
    assert [attempt for _, _, attempt in job.rows()] == [1, 1, 1]
    assert job.events("SessionOpened") == ["main-1: open, do, save"]


@pytest.mark.parametrize("word", ["pause", "cancel"])
def test_a_session_of_before_controls_had_a_version_is_told_in_words(
    job: OneJob, word: str
) -> None:
    job.run(script("do", WAITS), script("save"))
    job.says("up")
    older = '{"metadata": {"annotations": {"enso.dev/control-version": null}}}'
    job.kubectl("patch", "pod", name_of(job.pod()), "--type=merge", "-p", older)
    asked = action(word, f"{job.name}-{word}", job=job.name)
    job.kubectl("create", "-f", "-", stdin=json.dumps(asked))
    until(lambda: job.pod()["metadata"]["annotations"]["enso.dev/control"] == word)


def test_a_job_that_waits_for_a_node_is_suspended_at_once(job: OneJob) -> None:
    job.run(script("open"), sessions=[{"name": "houdini", "nodeSelector": {"gpu": "yes"}}])
    job.says_that("waits: Unschedulable")
    job.patch(suspend=True)
    until(lambda: job.events("SessionEnded") and not job.pods())
    assert job.events("SessionEnded") == ["houdini-1"]
    until(lambda: job.columns()[1:] == ["Suspended", "0/1"])
    job.patch(suspend=False)
    job.says_that("houdini-2 waits: Unschedulable")


def test_a_job_that_is_suspended_as_it_begins_starts_nothing_or_lets_it_end(job: OneJob) -> None:
    job.run(script("open"), script("save"))
    until(lambda: job.events("SessionOpened"))
    job.patch(suspend=True)
    until(lambda: job.events("SessionEnded"))
    assert job.events("SessionEnded") == ["main-1"]
    assert not job.events("ScriptInterrupted")
    job.patch(suspend=False)
    job.waits("Succeeded")
    assert {attempt for _, _, attempt in job.rows()} <= {1, 2}


def test_what_is_cancelled_may_clean_up_and_its_last_words_stay(job: OneJob) -> None:
    stubborn = job.another("stubborn")
    job.run(script("long", CLEANS_UP), script("save"), activeDeadlineSeconds=20)
    stubborn.run(script("long", IGNORES_SIGTERM), script("save"), activeDeadlineSeconds=20)
    for this_job in (job, stubborn):
        assert this_job.fails().rows == {
            "long": ("Failed", 1, "Cancelled"),
            "save": ("NotStarted", 0, ""),
        }
        assert "cleaned up" in this_job.whole_output() or this_job is stubborn
        assert this_job.processes("/enso/plan") == []


def test_a_job_that_is_deleted_while_it_runs_cleans_up(job: OneJob) -> None:
    stubborn = job.another("stubborn")
    job.run(script("long", CLEANS_UP), script("save"))
    stubborn.run(script("long", IGNORES_SIGTERM))
    for this_job in (job, stubborn):
        this_job.says("up")
    pod, other = job.pod(), stubborn.pod()
    with followed(job, name_of(pod)) as lines:
        for this_job in (job, stubborn):
            this_job.kubectl("delete", "ensojob", this_job.name, "--wait=false")
    assert "cleaned up" in lines
    until(lambda: not job.processes("/enso/plan", pod))
    until(lambda: not stubborn.processes("/enso/plan", other))
    for this_job in (job, stubborn):
        until(partial(this_job.events, "SessionEnded"))
        until(partial(this_job.events, "JobCancelled"))
        assert this_job.events("JobCancelled") == ["its EnsoJob was deleted"]
    until(lambda: not job.pods() and not stubborn.pods())
    for this_job in (job, stubborn):
        assert this_job.events("ScriptFailed") or this_job.events("ScriptInterrupted")


@contextmanager
def followed(job: OneJob, pod: str) -> Generator[list[str]]:
    """Yield the lines that the Pod's session has written and writes; it ends with the Pod."""
    options = ("--kubeconfig", str(job.node.kubeconfig), "-n", job.namespace)
    given = [str(binaries.kubectl()), *options, "logs", "-f", pod, "-c", "session"]
    lines: list[str] = []

    def read() -> None:
        with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            lines.extend(line.rstrip() for line in process.stdout)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        until(lambda: lines)  # it follows them
        yield lines
    finally:
        thread.join()


def test_pods_stay_for_their_readers_until_the_time_is_over(job: OneJob) -> None:
    says = "def main(frames): print('frame', frames, flush=True)"
    job.run(
        script("open"), script("do", says, args={"frames": 240}), container("tell", "echo", "x")
    )
    job.waits("Succeeded")
    session, alone = job.pods()
    assert [line for line in job.output(name_of(session)).splitlines() if line] == [
        "--- open, attempt 1",
        "--- do, attempt 1",
        "frame 240",
    ]
    assert job.output(name_of(alone)) == "x\n"
    until(lambda: {pod["status"]["phase"] for pod in job.pods()} == {"Succeeded"})
    job.patch(ttlSecondsAfterFinished=1)
    until(lambda: job.name not in job.names() and not job.pods())


def test_timeouts_and_retries_hold_in_pods(job: OneJob) -> None:
    alone = job.another("alone")
    slow = {"timeoutSeconds": 1, "retries": {"limit": 1}}
    job.run(script("open"), script("long", SLEEPS, **slow), script("save"))
    alone.run(container("long", "sleep", "120") | slow)
    told = job.fails()
    assert told.reason == "Timeout"
    assert "long failed: Timeout: ran longer than 1 s; attempt 2" in told.line
    assert told.rows["open"] == ("Succeeded", 2, "")
    assert (job.starts_of("open"), job.starts_of("long")) == (2, 2)
    told = alone.fails()
    assert "long failed: Timeout: ran longer than 1 s; attempt 2" in told.line
    assert [name_of(pod).partition("-long-")[2][:2] for pod in alone.pods()] == ["1-", "2-"]


def test_a_containers_end_is_its_outcome(job: OneJob) -> None:
    missing, env = job.another("missing"), job.another("env")
    fails = "echo looking; echo no route to the tracker; exit 3"
    job.run(
        container("ok", "true"),
        container("tell", "sh", "-c", fails) | {"retries": {"limit": 1}},
        container("never", "true"),
    )
    missing.run(container("tell", "no-such-program"))
    job.kubectl("create", "secret", "generic", "tracker", "--from-literal=token=hush")
    reference = {"secretKeyRef": {"name": "tracker", "key": "token"}}
    checks = "test $TOKEN = hush && test $LEVEL = 9 && test $0 = studio"
    variables = [{"name": "TOKEN", "valueFrom": reference}, {"name": "LEVEL", "value": "9"}]
    env.run(container("tell", "sh", env=variables, args=["-c", checks, "studio"]))

    told = job.fails()
    assert told.reason == "ExitCode"
    assert "tell failed: ExitCode: the container exited with code 3; attempt 2" in told.line
    assert "  looking\n  no route to the tracker" in told.why
    assert told.rows == {
        "ok": ("Succeeded", 1, ""),
        "tell": ("Failed", 2, "ExitCode"),
        "never": ("NotStarted", 0, ""),
    }
    assert job.get()["status"]["scripts"][1]["exitCode"] == 3
    assert len(job.pods()) == 3
    told = missing.fails()
    assert told.reason == "ConfigError"
    assert 'exec: "no-such-program": executable file not found in $PATH' in told.line
    env.waits("Succeeded")


def test_a_container_whose_pod_is_deleted_is_in_doubt(job: OneJob) -> None:
    job.run(container("tell", "sh", "-c", "echo up; sleep 120") | {"retries": {"limit": 1}})
    job.says("up")
    job.kubectl("delete", "pod", name_of(job.pod()))
    told = job.fails()
    assert told.rows == {"tell": ("Interrupted", 1, "SessionLost")}
    assert "tell interrupted: SessionLost: somebody deleted its Pod" in told.line


def test_a_lost_session_is_followed_by_another_as_often_as_it_may(job: OneJob) -> None:
    again = job.another("again")
    job.run(
        script("open", setup=True),
        script("do", checkpoint=True),
        script("long", SLEEPS_AT_FIRST),
        sessions=RETRY,
    )
    again.run(script("long", SLEEPS), sessions=RETRY)
    for this_job in (job, again):
        this_job.says("up")
        this_job.kill("/enso/plan")
    job.waits("Succeeded")
    assert job.events("SessionOpened") == ["houdini-1: open, do, long", "houdini-2: open, long"]
    assert [job.starts_of(name) for name in ("open", "do", "long")] == [2, 1, 2]
    until(lambda: len(again.pods()) == 2)
    second = again.pods()[1]
    until(lambda: "up" in again.output(name_of(second)))
    again.end(second)
    told = again.fails()
    assert told.rows == {"long": ("Interrupted", 2, "SessionLost")}
    assert len(again.pods()) == 2


def test_another_session_starts_only_when_the_one_before_is_dead(job: OneJob) -> None:
    forced = job.another("forced")
    source = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEPS_AT_FIRST}"
    for this_job in (job, forced):
        this_job.run(script("long", source), sessions=RETRY)
    for this_job in (job, forced):
        this_job.says("up")
    pods = [job.pod(), forced.pod()]
    forced.kubectl("delete", "pod", name_of(pods[1]), "--force", "--grace-period=0")
    job.kubectl("delete", "pod", name_of(pods[0]), "--wait=false")
    follows(job)
    assert not job.processes(INTERPRETER, pods[0])
    follows(forced)
    # The supervisor and the container of the records end after the interpreter, and the node of a
    # busy machine may take longer than the operator waits for a Pod that was deleted by force.
    until(lambda: is_dead(job, pods[0]) and is_dead(forced, pods[1]))
    for this_job in (job, forced):
        this_job.waits("Succeeded")
        assert this_job.starts_of("long") == 2


def is_dead(job: OneJob, pod: Document) -> bool:
    """Whether no process of a Pod is left, but for what keeps its namespaces."""
    return {line[0] for line in job.commands(pod).values()} <= {SANDBOX}


def follows(job: OneJob) -> None:
    """Wait for the session after the first."""
    until(lambda: job.events("SessionOpened")[1:])
