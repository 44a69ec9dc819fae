"""Where the output of an attempt is kept, beside the session's log, so that it outlives a Pod.

The supervisor writes the files (`runtime.output_files`); whoever shows a job names them. The name
follows from the job alone, so that no event and no status has to carry it.
"""

from __future__ import annotations

import re

from job_execution_framework.domain.history import History

LONGEST_LOST = 300
"""Characters of the sentence that says why the output of an attempt is not on disk."""


def output_file(directory: str, job_id: str, number: int, script: str, attempt: int) -> str:
    """Return the file of one attempt of a job's script, `number` being its place in the job."""
    return f"{output_folder(directory, job_id)}/{number:02}-{script}.{attempt}.log"


def output_folder(directory: str, job_id: str) -> str:
    """Return the folder with the files of one job."""
    return f"{directory.rstrip('/')}/{re.sub('[^-_A-Za-z0-9]', '_', job_id)}"


def latest_output(job: History, script: str) -> str:
    """Return the file of a script's latest attempt; empty where its session keeps none."""
    directory = job.session(job.script(script).session).output_directory
    number, attempt = [*job.rows].index(script) + 1, job.rows[script].attempt
    is_kept = directory and attempt
    return output_file(directory, job.id, number, script, attempt) if is_kept else ""
