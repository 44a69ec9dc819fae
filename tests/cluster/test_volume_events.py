"""What the Events in a real API server say of Pods that wait for their volumes."""

from __future__ import annotations

from kubernetes.client import ApiClient

from enso_operator.kube.client import FIRST_PAGE, ApiObjects
from enso_operator.sessions.pods.volume_events import why_they_wait
from job_execution_framework.domain.cause import Cause, Reason
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.resources import Document

PODS = {"uid-1", "uid-2", "uid-3"}


def event(number: int, uid: str, second: int | None = None, **fields: str) -> Document:
    """Return a Warning about the Pod of this uid; `second` is when it was last so."""
    about: Document = {"kind": "Pod", "name": f"pod-of-{uid}"} | ({"uid": uid} if uid else {})
    at: Document = {} if second is None else {"lastTimestamp": f"2026-11-30T12:00:{second:02}Z"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"event-{number:03}"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "FailedMount",
        **at,
        **fields,
    }


def test_the_newest_event_about_a_volume_of_each_pod_that_waits(
    ns: ClusterNamespace, api_client: ApiClient
) -> None:
    others = [event(number, f"other-{number}", 59) for number in range(3 * FIRST_PAGE)]
    told = [
        event(100, "uid-1", 2, message="no key"),
        event(101, "uid-1", 1, message="no secret"),
        event(102, "uid-1", 3, reason="Unhealthy", message="not about a volume"),
        event(103, "uid-1", 4, type="Normal", message="no warning"),
        event(104, "uid-2", reason="FailedAttachVolume"),
        event(105, "", 5, message="about no Pod in particular"),
        event(106, "uid-3", 5, reason="FailedScheduling"),
    ]
    events = ApiObjects(api_client, ns.namespace, "events", "v1")
    for document in (*others, *told):
        about = document["involvedObject"] | {"namespace": ns.namespace}
        events.create(document | {"involvedObject": about})

    assert why_they_wait(api_client, ns.namespace, PODS) == {
        "uid-1": ("FailedMount", Cause(Reason.CONFIG_ERROR, "no key")),
        "uid-2": ("FailedAttachVolume", Cause(Reason.CONFIG_ERROR, "FailedAttachVolume")),
    }
    assert why_they_wait(api_client, "kube-system", PODS) == {}
