"""A session obeys what its control says at the moment in which it would start a script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from job_execution_framework.domain.control import PAUSE, SessionControl
from job_execution_framework.domain.events import ScriptEvent
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.journal import Journal
from job_execution_framework.runtime.supervisor import CONTROL
from job_execution_framework.service_layer import controls
from job_execution_framework.service_layer.record_line import JOURNAL
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.jobs import plan_of

SUPERVISOR = """\
import sys
from job_execution_framework.runtime import session_runner, supervisor
session_runner.POLL_SECONDS = 3600
sys.exit(supervisor.main(*sys.argv[1:]))
"""
"""A supervisor whose thread looks for a cancel once, as it begins, and not again in time."""
WRITES = """\
import pathlib
def main(control, text, fails=False):
    pathlib.Path(control).write_text(text)
    assert not fails
"""
"""A script that has ended as soon as it has changed the control of its own session."""
PASSES = Source("def main(): pass")


class SlowSession:
    """A session run as a local process has it, or as a Pod has it."""

    def __init__(self, root: Path, *, in_a_pod: bool) -> None:
        self.root, self.folder = root, root / "run"
        self.folder.mkdir()
        pods_control = root / "pod" / CONTROL
        pods_control.parent.mkdir()
        self.control = pods_control if in_a_pod else self.folder / CONTROL
        self._more = (str(self.control), "5", str(root / "summary")) if in_a_pod else ()

    def writes(self, control: SessionControl, *, fails: bool = False, retries: int = 0) -> Script:
        """Return a script during which the control of the session changes."""
        told = {"control": str(self.control), "text": controls.to_json(control), "fails": fails}
        return Script("open", Source(WRITES), told, retries=Retries(retries, 0.1))

    @contextmanager
    def started(self, *scripts: Script) -> Generator[None]:
        """Start the session, and wait for its end when the ``with`` block has ended."""
        plan = self.root / "plan.json"
        plan.write_text(plan_of(*scripts).to_json())
        command = [sys.executable, "-c", SUPERVISOR, str(plan), str(self.folder), *self._more]
        with subprocess.Popen(command) as process:
            try:
                yield
                process.wait(DEADLINE_SECONDS)
            finally:
                process.kill()

    def run(self, *scripts: Script) -> Sequence[str]:
        """Run the scripts to the end of the session; return what it recorded."""
        with self.started(*scripts):
            pass
        return self.records()

    def records(self) -> Sequence[str]:
        return [
            f"{record.script} {type(record).__name__.removeprefix('Script')}"
            if isinstance(record, ScriptEvent)
            else type(record).__name__
            for record in Journal(self.folder / JOURNAL).read()
        ]


@pytest.fixture(params=[False, True], ids=["local", "in a Pod"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> SlowSession:
    return SlowSession(tmp_path, in_a_pod=request.param)


@pytest.mark.parametrize("control", [PAUSE, SessionControl(pause=True, after="open")])
def test_a_script_that_ends_at_once_is_not_followed_by_another_after_a_pause(
    session: SlowSession, control: SessionControl
) -> None:
    wrote = session.run(session.writes(control), Script("save", PASSES))
    assert wrote == ["open Started", "open Succeeded", "End"]


def test_a_script_that_is_to_be_skipped_does_not_follow(session: SlowSession) -> None:
    writes = session.writes(SessionControl(skip=("do",)))
    wrote = session.run(writes, Script("do", PASSES), Script("save", PASSES))
    assert wrote[2:] == ["do Skipped", "save Started", "save Succeeded", "End"]


def test_no_other_attempt_follows_a_pause(session: SlowSession) -> None:
    wrote = session.run(session.writes(PAUSE, fails=True, retries=3))
    assert wrote == ["open Started", "open Failed", "End"]


@pytest.mark.parametrize(
    ("control", "then"),
    [(PAUSE, []), (SessionControl(retry="open", attempt=1), ["open Started", "open Failed"])],
    ids=["pause", "retry"],
)
def test_a_wait_for_the_next_attempt_ends(
    session: SlowSession, control: SessionControl, then: list[str]
) -> None:
    fails = Source("def main(): raise OSError('no licence')")
    with session.started(Script("open", fails, retries=Retries(1, 50))):
        until(lambda: "open Retrying" in session.records())
        session.control.write_text(controls.to_json(control))
    assert session.records()[3:] == [*then, "End"]
