"""`enso wait`: until jobs have ended; its exit code says how."""

from __future__ import annotations

import time

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, follow, times
from enso_operator.cli.jobs.asking import no_such_job
from enso_operator.cli.jobs.scripts import headline
from enso_operator.cli.jobs.table import Screen
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from job_execution_framework.domain.errors import EnsoError

SUCCEEDED, FAILED, NOT_KNOWN = 0, 1, 2
"""Exit codes; of several jobs it is the largest."""


class NotEnded(EnsoError):
    """The time is over."""


def wait(api: ApiServer, names: tuple[str, ...], timeout: str) -> int:
    """Print how each job has ended; return the exit code."""
    seconds = times.duration(timeout) if timeout else None
    end = None if seconds is None else time.monotonic() + seconds
    codes = [SUCCEEDED]
    for name in names:
        try:
            document = ended(api, name, end)
        except NotEnded as error:
            codes.append(refuse(f"{error} within {times.age(seconds or 0)}"))
        except NoSuchName as error:  # the other jobs are waited for all the same
            codes.append(refuse(str(error)))
        else:
            print(how_it_ended(document), flush=True)
            codes.append(code_of(document))
    return max(codes)


def ended(api: ApiServer, name: str, end: float | None) -> Document:
    """Return a job once it has ended. Raises NotEnded, NoSuchName, NoCluster and Answered."""
    jobs = of_job(api, name)
    job: Document = {}
    while True:
        # How it stands is known in any case: the first answer has a deadline of its own.
        seconds = None if end is None or not job else max(0.0, end - time.monotonic())
        seen = jobs.next(seconds)
        if seen is None:
            raise NotEnded(f"{headline(job, Screen())}; it has not ended")
        job = job_in(seen, job, api, name)
        if documents.is_finished(job):
            return job


def of_job(api: ApiServer, name: str) -> follow.Follower:
    """Return a follower of one job."""
    jobs = follow.Follower(api)
    jobs.follow(api.path("ensojobs"), {"fieldSelector": f"metadata.name={name}"})
    return jobs


def job_in(seen: follow.Seen, before: Document, api: ApiServer, name: str) -> Document:
    """Return the job as it is by what was seen of it. Raises NoSuchName."""
    if isinstance(seen, follow.Away):
        return before
    if isinstance(seen, follow.Changed):
        return seen.document
    if isinstance(seen, follow.All):
        found: list[Document] = [job for page in seen.pages for job in page["items"]]
        if found:
            return found[0]
    if before:
        raise NoSuchName(f"job {name!r} was deleted before it had ended", 404)
    raise no_such_job(api, name)


def code_of(job: Document) -> int:
    """Return the exit code for a job that has ended."""
    return SUCCEEDED if documents.has_succeeded(job) else FAILED


def how_it_ended(job: Document) -> str:
    """Return one line."""
    line = headline(job, Screen())
    said = documents.condition(job, "Succeeded").get("message")
    return line if documents.has_succeeded(job) or not said else f"{line}; {said}"
