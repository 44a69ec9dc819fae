"""What Warning Events of kubelets say of Pods of one namespace, and no status does.

That is which volume does not come; and that a kubelet has ended a Pod: its container may obey with
exit 0, and then the status only says `Succeeded`.

The API server finds Events by nothing but namespace and name: for each list it reads all Events of
the namespace from etcd, whatever the field selector selects. They are not in its watch cache, and
where an administrator puts them there, it answers `resourceVersion=0` with all of them at once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, NotRequired

from kubernetes.client import ApiClient
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from enso_operator.api.document import Document
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.pages import Page, reader_of
from enso_operator.sessions.pods import causes
from job_execution_framework.domain.cause import Cause, Reason

Why = tuple[str, Cause]
"""The kubelet's reason, and our cause."""
ABOUT_VOLUMES = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
FREQUENT = ("FailedScheduling", "Failed", "BackOff", "Unhealthy")
"""Reasons that thousands of Pods may have at once."""
SELECTED = ",".join(
    ["type=Warning", "involvedObject.kind=Pod", *(f"reason!={reason}" for reason in FREQUENT)]
)
"""Selectors know no "or", and three lists cost three times as much: what is frequent is out."""


class Warned(NamedTuple):
    """What the newest Warnings say of a Pod."""

    volume: Why | None = None
    """Why a volume does not come."""
    end: Cause | None = None
    """Why its kubelet has ended it."""


NOTHING = Warned()


class _Pod(TypedDict):
    uid: NotRequired[str]


class _Event(TypedDict):
    involvedObject: _Pod
    reason: NotRequired[str]
    message: NotRequired[str]
    lastTimestamp: NotRequired[str | None]


_events = reader_of(TypeAdapter(Page[_Event]))


def warnings_of(client: ApiClient, namespace: str, uids: Collection[str]) -> dict[str, Warned]:
    """Return what is said of these Pods, by uid.

    It blocks, and may raise Unavailable and Refused. One page of Events is in memory at a time.
    """
    newest: dict[tuple[str, bool], tuple[str, Warned]] = {}
    for event in ApiObjects(client, namespace, "events", "v1").each(fields=SELECTED, read=_events):
        uid = event["involvedObject"].get("uid", "")
        warned = _warned(event) if uid in uids else NOTHING
        if warned == NOTHING:
            continue
        at, what = event.get("lastTimestamp") or "", (uid, warned.end is None)
        if what not in newest or at >= newest[what][0]:
            newest[what] = at, warned
    found: dict[str, Warned] = {}
    for (uid, _), (_, warned) in newest.items():
        other = found.get(uid, NOTHING)
        found[uid] = Warned(warned.volume or other.volume, warned.end or other.end)
    return found


def _warned(event: Document) -> Warned:
    """Return what one Event says."""
    word, message = str(event.get("reason", "")), str(event.get("message", ""))
    if word in ABOUT_VOLUMES:
        return Warned(volume=(word, Cause(Reason.CONFIG_ERROR, message or word)))
    return Warned(end=causes.of_kubelet(word, message))
