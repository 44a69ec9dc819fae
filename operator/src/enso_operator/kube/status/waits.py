"""What a status says that its job waits for outside of itself: room in a quota, a node, an image.

An actor that takes a job over reads it: people were told of that before it was written.
"""

from __future__ import annotations

from enso_operator.api.status import EnsoJobStatus
from enso_operator.kube.status import columns
from enso_operator.kube.status.conditions import message_in, message_of
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.job import Job


def waits_in(status: EnsoJobStatus, job: Job) -> Cause | None:
    """Return why the job of this status waits; None where it does not, or for itself alone."""
    said, reason = message_in(status), status.reason
    if reason is None or status.failure:
        return None
    if said == message_of(job, status.conditions or (), columns.waits(job)):
        return None  # such as a retry at a later time
    before, _, message = said.partition(f"{reason}: ")
    return Cause(reason, message) if before.endswith((" waits: ", "; ")) else None
