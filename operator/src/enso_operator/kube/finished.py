"""How the API server tells EnsoJobs that have ended from all others, by a field selector."""

from __future__ import annotations

import logging

from enso_operator.kube.client import Refused
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import EnsoError

UNFINISHED, FINISHED = "status.completionTime=", "status.completionTime!="
"""Field selectors of jobs that have not ended, and that have."""
_log = logging.getLogger(__name__)


def watched_jobs(jobs: Objects) -> str:
    """Return the field selector of the jobs that are watched; "" where only all of them can be.

    It blocks. Kubernetes 1.30 selects by no field of a CRD, nor does one of an earlier release.
    """
    try:
        next(jobs.each(fields=UNFINISHED), None)
    except Refused as error:
        _log.warning("jobs that have ended are watched, too, which takes memory: %s", error)
        return ""
    except EnsoError as error:  # whoever watches them will say so
        _log.debug("%s", error)
    return UNFINISHED
