"""How the API server tells EnsoJobs that have ended from all others, by a field selector."""

from __future__ import annotations

import logging
from typing import NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from enso_operator.kube.client import Refused
from enso_operator.kube.objects import Objects
from enso_operator.kube.pages import Page, reader_of
from job_execution_framework.domain.errors import EnsoError

UNFINISHED, FINISHED = "status.completionTime=", "status.completionTime!="
"""Field selectors of jobs that have not ended, and that have."""
_log = logging.getLogger(__name__)


class _Metadata(TypedDict):
    namespace: str
    name: str
    uid: str
    resourceVersion: str
    generation: int
    deletionTimestamp: NotRequired[str]


class _TimeToLive(TypedDict):
    ttlSecondsAfterFinished: NotRequired[int]


class _Condition(TypedDict):
    type: str
    status: str


class _Status(TypedDict):
    completionTime: str
    observedGeneration: NotRequired[int]
    conditions: NotRequired[list[_Condition]]
    template: NotRequired[_TimeToLive]


class _Ended(TypedDict):
    """What tells of a job that has ended whether it needs work, and until when it is kept."""

    metadata: _Metadata
    spec: _TimeToLive
    status: _Status


ended = reader_of(TypeAdapter(Page[_Ended]))
"""Reads jobs that have ended as far as is needed of one that is left alone."""


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
