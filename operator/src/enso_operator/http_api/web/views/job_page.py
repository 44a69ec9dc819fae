"""A job, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.rights import ALLOWED, Rights
from enso_operator.http_api.web.views.actions import NOTHING, Actions, actions_of
from enso_operator.http_api.web.views.attempts import attempts_of, runs_of
from enso_operator.http_api.web.views.failure import Failure, failure_of
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.requests import Request, requests_of
from enso_operator.http_api.web.views.scripts import ShownScript, shown_script
from enso_operator.http_api.web.views.spans import Times, times_of
from enso_operator.http_api.web.views.standing import Retry, Standing, standing_of
from enso_operator.http_api.web.views.timeline import Timeline, job_axis, timeline_of
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.row import ScriptState


@dataclass(frozen=True)
class JobPage:
    """What the page shows."""

    name: str
    state: str
    failure: Failure | None
    standing: Standing
    """The state as it is shown."""
    message: str = ""
    """What it waits for, or how it ended; "" where the rest of the page says it."""
    done: int = 0
    """How many of its scripts ran and need not run again."""
    skipped: int = 0
    total: int = 0
    added_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    """When it finished; None while anything of it runs, also after its end was decided."""
    times: Times | None = None
    """How long its scripts ran; None while one of them runs, and before the first."""
    resumes: int = 0
    scripts: tuple[ShownScript, ...] = ()
    timeline: Timeline | None = None
    requests: tuple[Request, ...] = ()
    events: int = 0
    """How many events are known."""
    now_at: ShownScript | None = None
    """The script that runs."""
    actions: Actions = NOTHING
    namespace: str = ""
    is_over: bool = False
    """Nothing of it runs or will run, unless somebody resumes it."""
    origin: str = ""
    """Where the server is, as the browser reached it: ``http://localhost:5005``."""

    def address(self, path: str = "", **more: str) -> str:
        """Return the address of this page, or of one below it, with `more` parts."""
        return Query(namespace=self.namespace).address(f"/jobs/{self.name}{path}", **more)

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """What bars mean that are none of a first attempt: their class, and the words."""
        attempts = [attempt for script in self.scripts for attempt in script.attempts]
        starts = any(attempt.bar and attempt.bar.starting for attempt in attempts)
        cuts = self.timeline is not None and bool(self.timeline.cuts)
        kinds = (
            ("again", "ran again", any(attempt.is_again for attempt in attempts)),
            ("starting", "its interpreter starts", starts),
            ("cut-out", "nothing ran, not drawn at its length", cuts),
        )
        return tuple((kind, what) for kind, what, is_there in kinds if is_there)

    def as_text(self) -> str:
        """Return the failure card for people who do not see this page: of which job, and where."""
        card = self.failure.card if self.failure else ()
        return "\n".join((f"{self.name}: {self.state}", self.origin + self.address(), "", *card))


def job_page(
    snapshot: JobSnapshot, now: float, namespace: str = "", rights: Rights = ALLOWED
) -> JobPage:
    """Return what is shown of a job at the moment `now`, to somebody with these rights."""
    job = snapshot.job
    if job is None:
        return JobPage(
            snapshot.jobid,
            snapshot.state,
            failure_of(snapshot),
            Standing(snapshot.state, snapshot.state),
            namespace=namespace,
            is_over=True,
        )
    runs, axis = runs_of(job), job_axis(job, now)
    scripts = tuple(
        shown_script(job, script, attempts_of(job, script, runs, axis)) for script in job.scripts
    )
    standing = standing_of(snapshot, job)
    done = [job.rows[script.name] for script in job.main if job.is_done(script.name)]
    return JobPage(
        snapshot.jobid,
        snapshot.state,
        failure_of(snapshot),
        standing,
        message=_message(snapshot, job, standing.retry),
        done=sum(row.succeeded for row in done),
        skipped=sum(not row.succeeded for row in done),
        total=len(job.main),
        added_at=job.events[0].at if job.events else None,
        started_at=job.started_at,
        ended_at=_ended_at(job),
        times=times_of(job, job.scripts),
        resumes=job.resumes,
        scripts=scripts,
        timeline=timeline_of(axis, runs, now) if axis else None,
        requests=requests_of(job),
        events=len(job.events),
        now_at=next((script for script in scripts if script.since is not None), None),
        actions=actions_of(snapshot, rights),
        namespace=namespace,
        is_over=job.finished,
    )


def _ended_at(job: Job) -> float | None:
    """Return when it finished; not before the last attempt: sessions have clocks of their own."""
    ends = [row.latest.ended_at for row in job.rows.values() if row.latest.ended_at is not None]
    return None if job.finished_at is None else max([job.finished_at, *ends])


def _message(snapshot: JobSnapshot, job: Job, retry: Retry | None) -> str:
    """Return the line that says how the job stands, where it says more than the page."""
    runs_alone = any(row.state is ScriptState.RUNNING for row in job.rows.values())
    is_told = snapshot.card or snapshot.message.endswith("scripts are done")
    is_told = is_told or snapshot.message == "cancelled"  # the state says that
    if retry:
        is_told = is_told or f"attempt {retry.attempt} of {retry.script} starts" in snapshot.message
    has_more = ";" in snapshot.message or not runs_alone
    is_told = is_told or snapshot.message.lower() == snapshot.state.lower()
    return "" if is_told or not has_more else snapshot.message
