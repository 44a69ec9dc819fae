"""Warning Events about volumes that Pods of one namespace wait for, as a kubelet writes them.

The API server finds Events by nothing but namespace and name: for each list it reads all Events of
the namespace from etcd, whatever the field selector selects. They are not in its watch cache, and
where an administrator puts them there, it answers `resourceVersion=0` with all of them at once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NotRequired

from kubernetes.client import ApiClient
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from enso_operator.kube.client import ApiObjects
from enso_operator.kube.pages import Page, reader_of
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


class _Pod(TypedDict):
    uid: NotRequired[str]


class _Event(TypedDict):
    involvedObject: _Pod
    reason: NotRequired[str]
    message: NotRequired[str]
    lastTimestamp: NotRequired[str | None]


_events = reader_of(TypeAdapter(Page[_Event]))


def why_they_wait(client: ApiClient, namespace: str, uids: Collection[str]) -> dict[str, Why]:
    """Return what the newest Event about a volume says of each of these Pods, by uid.

    It blocks, and may raise Unavailable and Refused. One page of Events is in memory at a time.
    """
    newest: dict[str, tuple[str, Why]] = {}
    for event in ApiObjects(client, namespace, "events", "v1").each(fields=SELECTED, read=_events):
        uid, reason = event["involvedObject"].get("uid", ""), event.get("reason", "")
        if uid not in uids or reason not in ABOUT_VOLUMES:
            continue
        at = event.get("lastTimestamp") or ""
        if uid not in newest or at >= newest[uid][0]:
            cause = Cause(Reason.CONFIG_ERROR, event.get("message") or reason)
            newest[uid] = at, (reason, cause)
    return {uid: why for uid, (_, why) in newest.items()}
