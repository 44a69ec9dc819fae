"""A secret is nowhere but in the job's own memory and in what a script itself printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from enso_operator.cli import run_folders
from enso_operator.cli.progress import Progress
from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.observability.traced_job import TracedJob
from enso_operator.observability.traces import spans_of
from enso_operator.sessions.local.sessions import OUTPUT, LocalSessions
from job_execution_framework.domain import events
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.records import to_line
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.api import Served
from tests.support.canary import WAYS, Canary

pytestmark = pytest.mark.anyio


def said_of(job: Job) -> str:
    """Return all that is said of a job, after a look whether its story went as planned."""
    kinds = [type(event) for event in job.events]
    assert kinds.count(events.ScriptFailed) == WAYS + 1
    assert kinds.count(events.ScriptSucceeded) == 2
    texts = [repr(job), repr(job.events), repr(job.rows), str(failure_card(job))]
    spans = spans_of(job, job.events, TracedJob("uid", "job", {}))
    assert len(spans) >= WAYS + 1 + 2
    texts += [repr(spans)]
    for event in job.events:
        texts += [str(event), to_line(event).decode()]
    return "\n".join(texts)


def test_a_secret_of_a_job_in_one_process_is_nowhere_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    canary, uow = Canary(), InMemoryJobUnitOfWork()
    job_id = services.add(canary.scripts(), job_uow=uow)
    services.execute(job_id, job_uow=uow)
    assert not canary.found_in(said_of(uow.jobs.get(job_id)))
    terminal = capfd.readouterr()
    assert not canary.found_in_output(terminal.out)
    assert not canary.found_in(terminal.err)


async def test_a_secret_of_a_job_in_sessions_and_over_http_is_nowhere_else(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As `enso run` does it: a manifest cannot hold a secret, but Python can."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    canary, folder = Canary(), run_folders.runs_of(tmp_path / "job.yaml", "job").new()
    uow = JournalUnitOfWork(Job("job", canary.scripts()), Journal(folder.journal))
    services.add(canary.scripts(), job_uow=uow, job_id="job")
    progress = Progress(folder, tmp_path / "job.yaml")
    sessions = LocalSessions(folder.sessions)
    with progress:
        clock = SystemClock()
        planner, publisher = Planner(ScriptLibrary()), Publisher(progress.committed)
        await Actor("job", uow, sessions, planner, clock, publisher).drive()
    job = uow.jobs.get("job")
    progress.ended(job)
    await sessions.reap(10)

    assert not canary.found_in(said_of(job))
    outputs = [*folder.sessions.glob(f"*/{OUTPUT}")]
    assert not canary.found_in_output("\n".join(file.read_text() for file in outputs))
    terminal = capfd.readouterr()
    assert not canary.found_in_output(terminal.out)
    assert not canary.found_in(terminal.err)
    files = [file for file in folder.path.rglob("*") if file.is_file() and file not in outputs]
    assert {"journal", "plan.json"} <= {file.name for file in files}
    assert not [file.name for file in files if canary.found_in(file.read_bytes())]

    api = await served.over(_OneJob(job))
    answers = [await api.get(path) for path in ("/list-jobs", "/get-job/job", "/openapi.json")]
    assert answers[1].json()["state"] == "Failed"
    assert not [answer.text for answer in answers if canary.found_in(answer.text)]


class _OneJob(EmbeddedJobs):
    """The jobs that the HTTP API stands on, where there is this one."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._repository.jobs[job.id] = job
