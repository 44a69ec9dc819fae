"""A script that writes nothing for too long is ended, wherever it hangs."""

from __future__ import annotations

import sys

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Container, Function, Script, Source
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.runner import Result
from tests.support.scripts import HANGS_SECONDS, Scripts
from tests.unit.runtime.conftest import Start


def run(scripts: Scripts, source: str, idle: float, timeout: float | None = None) -> Result:
    script = Script("mesh", Source(source), timeout_seconds=timeout, idle_timeout_seconds=idle)
    scripts.runner.announce(script, 1)
    return scripts.runner.run(script, 1)


@pytest.mark.parametrize(
    ("hangs", "line"),
    [
        ("time.sleep(600)", "line 6 in solve: time.sleep(600)"),
        ("while True: pass", "line 6 in solve: while True: pass"),
        ("threading.Event().wait()", "line 6 in solve: threading.Event().wait()"),
    ],
)
def test_a_script_that_says_nothing_is_ended_and_the_users_line_is_named(
    scripts: Scripts, hangs: str, line: str
) -> None:
    source = (
        "import enso, threading, time\n"
        "def main():\n"
        "    enso.progress(42.5, 'meshing')\n"
        "    solve()\n"
        "def solve():\n"
        f"    {hangs}\n"
    )
    result = run(scripts, source, HANGS_SECONDS)
    assert result.cause
    assert result.interpreter_lost
    assert (result.cause.reason, result.cause.message) == (
        Reason.IDLE_TIMEOUT,
        f"wrote nothing for {HANGS_SECONDS} s",
    )
    assert str(result.cause.at) == line
    assert result.cause.said[-1] == "openjd_progress: 42.5"
    assert run(scripts, "def main(): return 1", 1).output == 1


def test_whoever_writes_or_tells_progress_is_not_idle(scripts: Scripts) -> None:
    source = """\
import enso, sys, time
def main():
    for number in range(16):
        time.sleep(0.25)
        if number % 2: enso.progress(number)
        else: print(number, end="", file=sys.stderr, flush=True)
"""
    assert run(scripts, source, 3).cause is None


def test_a_wrapper_around_the_interpreter_is_no_hindrance(start: Start) -> None:
    scripts = start(["sh", "-c", f'{sys.executable} "$@"; exit $?', "wrapper"])
    result = run(scripts, "import time\ndef main():\n    time.sleep(600)\n", HANGS_SECONDS)
    assert result.cause
    assert result.cause.reason == Reason.IDLE_TIMEOUT
    assert str(result.cause.at) == "line 3 in main: time.sleep(600)"


def test_a_script_that_blocks_all_signals_is_ended_all_the_same(scripts: Scripts) -> None:
    source = """\
import signal, time
def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    time.sleep(600)
"""
    result = run(scripts, source, 0.5)
    assert result.cause
    assert result.cause.reason == Reason.IDLE_TIMEOUT


def test_a_function_and_the_next_script_have_their_own_limits(scripts: Scripts) -> None:
    asleep = Script("nap", Function("time:sleep"), {}, idle_timeout_seconds=0.5)
    assert scripts.runner.run(asleep, 1).cause  # it takes no parameters so
    quiet = "import time\ndef main(): time.sleep(1)"
    assert scripts.run(quiet).cause is None
    result = run(scripts, "import time\ndef main(): time.sleep(600)", idle=60, timeout=0.5)
    assert result.cause
    assert result.cause.reason == Reason.TIMEOUT


def test_its_finally_runs_as_after_a_timeout(start: Start) -> None:
    scripts = start(grace=60)
    source = """\
import pathlib, time
def main():
    try:
        time.sleep(600)
    finally:
        pathlib.Path("cleaned-up").touch()
"""
    source = source.replace("cleaned-up", str(scripts.directory / "cleaned-up"))
    assert run(scripts, source, HANGS_SECONDS).cause
    assert (scripts.directory / "cleaned-up").exists()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            Script("a", Source(""), idle_timeout_seconds=0),
            "script 'a': idleTimeoutSeconds is 0, but must be positive",
        ),
        (
            Script("a", Source(""), timeout_seconds=60, idle_timeout_seconds=600),
            "script 'a': idleTimeoutSeconds is 600, but timeoutSeconds ends the attempt after 60",
        ),
        (
            Script("a", Container("curl"), idle_timeout_seconds=60),
            "script 'a': idleTimeoutSeconds means nothing for a container",
        ),
    ],
)
def test_one_that_makes_no_sense_is_refused(script: Script, sentence: str) -> None:
    with pytest.raises(InvalidJob, match=sentence):
        Job("job", (script,))


def test_in_this_process_it_is_refused() -> None:
    script = Script("slow", Source("def main(): pass"), idle_timeout_seconds=1)
    with pytest.raises(InvalidJob, match="'slow' has a timeout, but a script in this process"):
        InProcessRunner(ScriptLibrary([])).check([script])


def test_a_plan_has_it_only_where_it_is_set() -> None:
    scripts = (Script("a", Source("")), Script("b", Source(""), idle_timeout_seconds=60))
    job = Job("job", scripts)
    job.record(events.JobAdded(at=0))
    plan = Plan.of(job, Open("main-1", "main", ("a", "b")), ScriptLibrary([]))
    assert plan.to_json().count("idle_timeout_seconds") == 1
    assert Plan.from_json(plan.to_json(), {}) == plan
