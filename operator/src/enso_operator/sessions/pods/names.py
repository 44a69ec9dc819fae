"""Names, labels and annotations of session Pods, by which Pods and jobs are matched."""

from __future__ import annotations

import hashlib
import re
import string

LONGEST_NAME = 63
"""A Pod's name is its host name, too."""
_NUMBER = re.compile(r"-([0-9]+)\Z")
_DIGITS = string.digits + string.ascii_lowercase
_MARK_LENGTH = 5
_SHORTEST_JOB = 20

JOB_LABEL = "enso.dev/job"
JOB_UID_LABEL = "enso.dev/job-uid"
"""On every session Pod: the label that the watch selects by."""
SESSION_LABEL = "enso.dev/session"
MANAGED_BY = "app.kubernetes.io/managed-by"
RUN = "enso.dev/run"
"""Annotation: the session run, whose name may be longer than a label's value."""
CONTROL = "enso.dev/control"
"""Annotation: the session's control, which the session reads as a file (downward API)."""
CONTROL_VERSION = "enso.dev/control-version"
"""Annotation: which controls the session understands. One without it knows `pause` and `cancel`."""
PLAN = "enso.dev/plan"
"""Annotation: the ConfigMap with the plan; its name is derived from the plan's content. Of a
container script's Pod: a digest of its variables."""
ATTEMPT = "enso.dev/attempt"
"""Annotation of a container script's Pod: the record of its start, without the time."""
TIMEOUT = "enso.dev/timeout-seconds"
"""Annotation of a container script's Pod: how long it may run; 0 for as long as it likes."""
GATE = "enso.dev/release"
"""Scheduling gate of a Pod that is not released."""
SESSION, RECORDS = "session", "records"
CONTAINERS = (SESSION, RECORDS)
"""Names of enso's own containers in a session Pod; others come from admission webhooks."""


def pod_name(job: str, run: str, uid: str) -> str:
    """Return the name of a session run's Pod, which is always the same for one run.

    Job and session are shortened; the run's number and a hash of the full names make it unique.
    """
    session, found = session_of(run), _NUMBER.search(run)
    number = found[1] if found else "0"
    end = f"-{number}-{_mark(f'{uid}/{session}')}"
    room = LONGEST_NAME - len(end) - 1
    job = job[: max(room - len(session), _SHORTEST_JOB)].rstrip("-")
    return f"{job}-{session[: room - len(job)]}".rstrip("-") + end


def session_of(run: str) -> str:
    """Return the session that a run is of."""
    return _NUMBER.sub("", run)


def label(text: str) -> str:
    """Return a name, cut to the length of a label's value."""
    return text[:LONGEST_NAME].rstrip("-")


def _mark(text: str) -> str:
    value, mark = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]), ""
    for _ in range(_MARK_LENGTH):
        value, digit = divmod(value, len(_DIGITS))
        mark += _DIGITS[digit]
    return mark
