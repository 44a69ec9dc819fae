"""How to let a job go on that its spec suspends; who refuses an action on one says it.

`enso`, the HTTP API and the operator call it: the domain knows neither kubectl nor namespaces.
"""

from __future__ import annotations

from job_execution_framework.domain.actions import SUSPENDED_BY_SPEC, Action
from job_execution_framework.domain.job import Job


def unsuspend_command(namespace: str, name: str) -> str:
    """Return the command that lets an EnsoJob go on which its spec suspends."""
    patch = """'{"spec": {"suspend": false}}'"""
    return f"kubectl -n {namespace} patch ensojob {name} --type=merge -p {patch}"


def why_not(job: Job, action: Action, namespace: str) -> str:
    """Return why the job of an EnsoJob cannot do an action, as `Job.why_not`, with what helps."""
    why = job.why_not(action)
    if why.endswith(SUSPENDED_BY_SPEC):
        return f"{why} with {unsuspend_command(namespace, job.id)}"
    return why
