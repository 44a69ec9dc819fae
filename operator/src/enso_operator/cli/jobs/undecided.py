"""Whether a job that looks ended has ended, or an EnsoAction on it is about to let it go on.

Who creates an action with kubectl, and then waits for its job, looks before the operator has acted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from http import HTTPStatus

from enso_operator.api.document import Document
from enso_operator.cli.jobs import documents
from enso_operator.cli.jobs.follow import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from enso_operator.cli.jobs.scripts import headline
from enso_operator.cli.jobs.table import Screen
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoSuchName, NotInstalled, is_temporary
from job_execution_framework.domain.errors import EnsoError

_NOT_LET = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""A token may end while the job is watched."""


class NotEnded(EnsoError):
    """The job has not ended within the time-out; `more` is what follows on the time in words."""

    def __init__(self, sentence: str, more: str = "") -> None:
        super().__init__(sentence)
        self.more = more


def has_ended(
    api: ApiServer, job: Document, tell: Callable[[str], None], end: float = math.inf
) -> bool:
    """Whether a job has ended; if it looks so, asked once no action on it is undecided any more.

    If it has not, its watch yields a newer state. `tell` gets the sentence why this takes long.
    Raises NotEnded, NoCluster and Answered.
    """
    if not documents.is_finished(job):
        return False
    head, pause = headline(job, Screen()), FIRST_PAUSE_SECONDS
    while True:
        try:
            action = undecided_action(api, job)
            if not action:
                return _is_newest(api, job)
            if pause == LONGEST_PAUSE_SECONDS and not _newest(api, job):
                return True  # deleted meanwhile
            problem = NotEnded(
                f"{head}; no operator has acted on action {action}",
                f"; one that comes back will: look with kubectl get ensoaction "
                f"-n {api.access.namespace} {action}",
            )
        except EnsoError as error:
            if not is_temporary(error):
                raise
            problem = NotEnded(f"{head}; nobody has said whether it goes on", f": {error}")
        left = end - time.monotonic()
        if left <= 0:
            raise problem
        if pause == LONGEST_PAUSE_SECONDS:  # an operator that is there acts sooner
            tell(f"{problem}{problem.more}")
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def undecided_action(api: ApiServer, job: Document) -> str:
    """Return the name of an action on the job that is neither done nor refused; "" if none is."""
    name, uid = documents.name_of(job), job["metadata"]["uid"]
    for action in _actions(api, name):
        spec: Document = action["spec"]
        is_on_it = spec["job"] == name and (spec.get("jobUID") or uid) == uid
        if is_on_it and not documents.is_finished(action):
            return documents.name_of(action)
    return ""


def _actions(api: ApiServer, job: str) -> list[Document]:
    """Return the actions on a job, and maybe others; none if they cannot be seen."""
    try:
        return _listed(api, {"fieldSelector": f"spec.job={job}"})
    except Answered as error:
        if isinstance(error, NotInstalled) or error.status in _NOT_LET:
            return []
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
    return _listed(api, {})  # Kubernetes 1.30 has no selectable fields of CRDs


def _listed(api: ApiServer, query: dict[str, str]) -> list[Document]:
    pages = api.pages(api.path("ensoactions"), query)
    return [action for page in pages for action in page["items"] or ()]


def _is_newest(api: ApiServer, job: Document) -> bool:
    """Whether a job is as it was seen: the action may have been done just before it was listed."""
    newest = _newest(api, job)
    return not newest or bool(newest["resourceVersion"] == job["metadata"]["resourceVersion"])


def _newest(api: ApiServer, job: Document) -> Document:
    """Return the newest metadata of a job; empty where it was deleted, or may only be watched."""
    try:
        found: Document = api.get(api.path("ensojobs", documents.name_of(job)))["metadata"]
    except Answered as error:
        if isinstance(error, NoSuchName) or error.status in _NOT_LET:
            return {}
        raise
    return found if found["uid"] == job["metadata"]["uid"] else {}
