"""`enso wait`: waits until jobs have ended; the exit code depends on how they ended."""

from __future__ import annotations

import math
import time

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, follow, times
from enso_operator.cli.jobs.connect import no_such_job
from enso_operator.cli.jobs.scripts import headline
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.undecided import NotEnded, has_ended
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName

SUCCEEDED, FAILED, NOT_KNOWN = 0, 1, 2
"""Exit codes; of several jobs it is the largest."""
MOMENT_SECONDS = 1.0
"""How long a newer state of a job is waited for at least, where there is one."""


def wait(api: ApiServer, names: tuple[str, ...], timeout: str) -> int:
    """Print how each job has ended; return the exit code."""
    seconds = times.duration(timeout) if timeout else None
    end = math.inf if seconds is None else time.monotonic() + seconds
    codes = [SUCCEEDED]
    for number, name in enumerate(names):
        jobs = of_job(api, name, has_answered=number > 0)
        try:
            document = wait_for_end(jobs, api, name, end)
        except NotEnded as error:
            codes.append(refuse(f"{error} within {times.age(seconds or 0)}{error.more}"))
        except NoSuchName as error:  # go on with the other jobs
            codes.append(refuse(str(error)))
        else:
            print(how_it_ended(document), flush=True)
            codes.append(code_of(document))
    return max(codes)


def wait_for_end(jobs: follow.Follower, api: ApiServer, name: str, end: float) -> Document:
    """Return a job once it has ended. Raises NotEnded, NoSuchName, NoCluster and Answered."""
    job: Document = {}
    event: follow.WatchEvent | None = None
    problem = follow.ProblemPrinter()
    while True:
        # The first response has its own time-out, so that every job is asked for at least once.
        least = MOMENT_SECONDS if documents.is_finished(job) else 0.0  # its newer state is coming
        seconds = None if end == math.inf or event is None else max(least, end - time.monotonic())
        event = jobs.next(seconds)
        if event is None and job:
            raise NotEnded(f"{headline(job, Screen())}; it has not ended")
        if event is None:
            raise NotEnded(f"{name}: the API server has not answered")
        problem.note(event)
        job = job_in(event, job, api, name)
        if has_ended(api, job, problem.show, end):
            return job


def of_job(api: ApiServer, name: str, *, has_answered: bool = False) -> follow.Follower:
    """Return a follower that watches one job."""
    jobs = follow.Follower(api, has_answered=has_answered)
    jobs.follow(api.path("ensojobs"), {"fieldSelector": f"metadata.name={name}"})
    return jobs


def job_in(event: follow.WatchEvent, before: Document, api: ApiServer, name: str) -> Document:
    """Return the job after an event of the watch. Raises NoSuchName."""
    if isinstance(event, follow.Disconnected):
        return before
    if isinstance(event, follow.Changed):
        return event.document
    if isinstance(event, follow.FullList):
        jobs: list[Document] = [job for page in event.pages for job in page["items"]]
        if jobs:
            return jobs[0]
    if before and documents.is_finished(before):
        return before
    if before:
        raise NoSuchName(f"job {name!r} was deleted before it had ended", 404)
    raise no_such_job(api, name)


def code_of(job: Document) -> int:
    """Return the exit code for a job that has ended."""
    return SUCCEEDED if documents.has_succeeded(job) else FAILED


def how_it_ended(job: Document) -> str:
    """Return the line that says how the job has ended."""
    line = headline(job, Screen())
    message = documents.condition(job, "Succeeded").get("message")
    return line if documents.has_succeeded(job) or not message else f"{line}; {message}"
