"""What the Events in a real API server say of Pods that wait for volumes, or have ended."""

from __future__ import annotations

from kubernetes.client import ApiClient

from enso_operator.kube.client import FIRST_PAGE, ApiObjects
from enso_operator.sessions.pods.pod_warnings import Warned, warnings_of
from job_execution_framework.domain.cause import Cause, Reason
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.resources import Document

PODS = {"uid-1", "uid-2", "uid-3", "uid-4"}


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


def test_the_newest_event_about_a_volume_and_the_end_of_each_pod_that_waits(
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
        event(107, "uid-1", 5, reason="Evicted", message="low on memory"),
        event(108, "uid-1", 4, reason="Preempting", message="an earlier one"),
        event(109, "uid-4", 4, reason="Evicted", message="low on disk"),
        event(110, "uid-4", 9, reason="MissingClusterDNS", message="no end"),
    ]
    events = ApiObjects(api_client, ns.namespace, "events", "v1")
    for document in (*others, *told):
        about = document["involvedObject"] | {"namespace": ns.namespace}
        events.create(document | {"involvedObject": about})

    attach = "FailedAttachVolume", Cause(Reason.CONFIG_ERROR, "FailedAttachVolume")
    assert warnings_of(api_client, ns.namespace, PODS) == {
        "uid-1": Warned(
            ("FailedMount", Cause(Reason.CONFIG_ERROR, "no key")),
            Cause(Reason.EVICTED, "low on memory"),
        ),
        "uid-2": Warned(volume=attach),
        "uid-4": Warned(end=Cause(Reason.EVICTED, "low on disk")),
    }
    assert warnings_of(api_client, "kube-system", PODS) == {}
