"""Sessions as processes of this machine, which outlive whoever started them.

Each run has a directory: its plan, what the supervisor keeps there (see
`job_execution_framework.runtime.supervisor`), and ``output.log``, what its scripts wrote.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import job_execution_framework
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.coordinator.token_bucket import TokenBucket
from enso_operator.manifests.to_domain import SecretKey
from enso_operator.sessions.local.state_folders import make_private
from enso_operator.sessions.regular_file import piece_of
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL, SessionControl
from job_execution_framework.domain.errors import Conflict, InvalidJob, Unreadable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.progress import Progress
from job_execution_framework.domain.script import Container
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import leaves
from job_execution_framework.runtime import supervisor
from job_execution_framework.service_layer import controls, progress_line
from job_execution_framework.service_layer.observations import Ended, Observations
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.record_line import (
    JOURNAL,
    LONGEST_PROGRESS_BYTES,
    PROGRESS,
    Lines,
)
from job_execution_framework.service_layer.records import End, Record, from_line, only_events

_CORE = Path(job_execution_framework.__file__).parents[1]
_RUN_MODULE = """\
import runpy, sys
sys.path.append(sys.argv[1])
del sys.argv[:2]
runpy.run_module(sys.argv[0], run_name="__main__")
"""
_SUPERVISOR = ("-I", "-S", "-c", _RUN_MODULE, str(_CORE), "job_execution_framework.runtime")
"""Arguments with which Python runs a supervisor without imports from the current folder or from
PYTHONPATH: a user's copy.py there would replace the standard library's."""
PLAN, UID, OUTPUT = "plan.json", "uid", "output.log"
PIECE_BYTES = 64 * 1024
RECORDS_AT_ONCE, RECORDS_A_SECOND = 2000, 200
"""Rate limit of reading a journal, in records: scripts may flood it."""
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.005, 0.1
"""Bounds of the polling interval of the journal; it grows while no records come."""


class LocalSessions:
    """Session runs below one directory, which belongs to one job."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._secrets: dict[str, dict[str, str]] = {}
        self._processes: dict[str, int] = {}
        self.location = SessionLocation()
        """Where the latest session run is."""

    def directory(self, run: str) -> Path:
        """Return the run's directory."""
        return self.root / run

    def check(self, job: Job) -> None:
        """Raise InvalidJob where a script needs what only a Pod can have."""
        for script in job.scripts:
            if isinstance(script.work, Container):
                raise InvalidJob(f"script {script.name!r} is a container: local sessions run none")
            for name, value in script.parameters.items():
                secrets = (leaf for leaf in leaves(value) if isinstance(leaf, Secret))
                if any(isinstance(secret.reveal(), SecretKey) for secret in secrets):
                    raise InvalidJob(
                        f"script {script.name!r}: argument {name!r} comes from a Secret, which "
                        "local sessions do not read"
                    )

    async def open(self, plan: Plan) -> str:
        """Write the plan and return the run's uid; the same plan keeps its uid."""
        directory = self.directory(plan.run)
        text = plan.to_json()
        make_private(directory)
        self._secrets[plan.run] = plan.secrets()
        plan_file, uid = directory / PLAN, directory / UID
        with _alone(directory):  # two operators may open one run at the same moment
            known = uid.exists() and plan_file.read_text("utf-8") == text
            if not known and not (directory / supervisor.MARKER).exists():
                _write(plan_file, text)
                _write(uid, uuid4().hex)
            return uid.read_text("utf-8")

    async def release(self, run: str, uid: str) -> None:
        """Start the supervisor, unless it was started before."""
        directory = self.directory(run)
        if (directory / UID).read_text("utf-8") != uid:
            raise Conflict(
                f"session run {run} has another uid than was committed: it is not started"
            )
        if (directory / supervisor.MARKER).exists() or supervisor.is_alive(directory):
            return
        program = [sys.executable, *(["-B"] if sys.dont_write_bytecode else []), *_SUPERVISOR]
        with (directory / OUTPUT).open("ab") as output:
            self._processes[run] = os.posix_spawn(  # noqa: ASYNC221  # it takes a millisecond
                sys.executable,
                [*program, str(directory / PLAN), str(directory)],
                {**os.environ, **self._secrets.get(run, {})},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
                ],
                setsid=True,
            )

    async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        """Yield the records as they come; the last observation says that the run `ended`."""
        del after  # nobody cuts a journal: it is read from its start
        self.location = SessionLocation(log=str(self.directory(run) / OUTPUT))
        journal, position, pause = self.directory(run) / JOURNAL, 0, 0.0
        lines, damage, progress = Lines(), "", None
        now = asyncio.get_running_loop().time
        bucket = TokenBucket(RECORDS_AT_ONCE, RECORDS_A_SECOND, now())
        while True:
            # Checked before the read, so that the last read sees all that the run has written.
            gone = self._end_without_supervisor(run)
            piece = b"" if damage else _read(journal, position)
            position += len(piece)
            records: list[Record] = []
            try:
                records += map(from_line, lines.of(piece))
            except Unreadable as error:
                damage = f"its journal is damaged: {error}"
                await self.tell(run, uid, CANCEL)
            ended = _ended(records, None if piece else gone)
            if ended and damage:
                ended = Ended(log_is_complete=False, cause=Cause(Reason.SESSION_LOST, damage))
            before, progress = progress, _progress(self.directory(run)) or progress
            if records or ended or progress != before:
                yield Observations(only_events(records), ended, run=run, progress=progress)
            if ended:
                return
            pause = SHORTEST_LOOK_SECONDS if piece else min(pause * 1.5, LONGEST_LOOK_SECONDS)
            bucket.spend(len(records))
            await asyncio.sleep(max(pause, SHORTEST_LOOK_SECONDS, bucket.wait(now())))

    async def tell(self, run: str, uid: str, control: SessionControl) -> None:
        """Write the control file, which the supervisor reads before it starts a script."""
        del uid  # a directory is never reused
        _write(self.directory(run) / supervisor.CONTROL, controls.to_json(control))

    async def reap(self, patience: float) -> None:
        """Wait until every supervisor started here has exited; kill the others after `patience`.

        A session is killed with its supervisor.
        """
        deadline = time.monotonic() + patience
        for run, pid in list(self._processes.items()):
            while self._has_process(run):
                if time.monotonic() >= deadline:
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(SHORTEST_LOOK_SECONDS)

    def _has_process(self, run: str) -> bool:
        """Whether the supervisor that was started here still runs; one that ended is reaped."""
        pid = self._processes.get(run)
        if pid is not None and os.waitpid(pid, os.WNOHANG) != (0, 0):
            del self._processes[run]
            pid = None
        return pid is not None

    def _end_without_supervisor(self, run: str) -> Ended | None:
        """Return how the run ended, if its supervisor certainly runs no more; else None."""
        directory = self.directory(run)
        if supervisor.is_alive(directory) or self._has_process(run):
            return None
        if supervisor.first_start(directory):  # the marker is ours: nobody can start it any more
            cause = Cause(Reason.SESSION_LOST, f"its supervisor did not start; see {directory}")
            return Ended(log_is_complete=True, cause=cause)
        if supervisor.is_alive(directory):
            return None
        cause = Cause(Reason.SESSION_LOST, "its process is gone without a final record")
        return Ended(log_is_complete=False, cause=cause)


@contextmanager
def _alone(directory: Path) -> Generator[None]:
    """Hold the directory's lock."""
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ended(records: list[Record], gone: Ended | None) -> Ended | None:
    end = next((record for record in records if isinstance(record, End)), None)
    if end is None:
        return gone
    broken = Cause(Reason.SESSION_LOST, end.broken) if end.broken else None
    return Ended(log_is_complete=True, cause=broken, killed=end.killed)


def _read(path: Path, position: int) -> bytes:
    """Return the next piece of a file; empty where the file does not exist yet."""
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read(PIECE_BYTES)
    except FileNotFoundError:
        return b""


def _progress(directory: Path) -> Progress | None:
    """Return the progress of what runs, if it has said any."""
    line = piece_of(directory / PROGRESS, 0, LONGEST_PROGRESS_BYTES + 1)
    return progress_line.from_line(line.rstrip(b"\n"))


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole: nobody ever reads half of it."""
    fresh = path.with_name(f"{path.name}.{uuid4().hex}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
