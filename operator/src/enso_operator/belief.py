"""What a session may tell, as a script of it can write what we read: of itself, and nothing else.

The rest of what cannot be true `Job.apply` refuses.
"""

from __future__ import annotations

from job_execution_framework.domain.errors import IllegalTransition
from job_execution_framework.domain.events import SessionOpened
from job_execution_framework.domain.job import Job
from job_execution_framework.service_layer.observations import Observations, Outcome


def check(job: Job, seen: Observations) -> None:
    """Raise IllegalTransition where the open session tells what only somebody else could know."""
    if not job.run or seen.run not in ("", job.run.run):
        return
    for event in seen.records:
        if event.origin != job.run.run:
            said = f"{type(event).__name__} in the name of {event.origin or 'nobody'}"
            raise IllegalTransition(f"{job.run.run} wrote {said}")
    for outcome in seen.ended.outcomes if seen.ended else ():
        _check_last_words(job, job.run, outcome)


def _check_last_words(job: Job, run: SessionOpened, outcome: Outcome) -> None:
    """Each attempt after a run's first one needs a failure that some script of it is allowed."""
    name, attempt = outcome.script, outcome.attempt
    if name not in run.scripts:
        raise IllegalTransition(f"script {name} is not in the plan of {run.run}")
    failures = sum(script.retries.limit for script in job.scripts)
    if attempt > job.rows[name].attempt + 1 + failures:
        raise IllegalTransition(f"script {name} had no attempt {attempt}")
