"""Watches the Pods of sessions. kopf took several times as much of a processor for each event.

What a watch misses, whoever needs a Pod finds: a follower reads it again, and so do those who look
after Pods that were not released or do not end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kubernetes.client import ApiClient

from enso_operator.api.document import Document
from enso_operator.controller.list_watch import ListWatch
from enso_operator.kube.client import ApiObjects
from enso_operator.sessions.pods.names import JOB_UID_LABEL


def pod_watch(
    client: ApiClient, namespaces: Sequence[str], saw: Callable[[str | None, Document], None]
) -> ListWatch:
    """Return what shows each Pod, without a type as it is at first, and whatever happens to it."""

    def show(kind: str | None, pod: Document) -> None:
        pod["metadata"].pop("managedFields", None)  # half of its memory, and nobody reads them
        saw(kind, pod)

    pods = ApiObjects(client, "", "pods", "v1")
    return ListWatch(pods, namespaces, lambda pod: show(None, pod), show, labels=JOB_UID_LABEL)
