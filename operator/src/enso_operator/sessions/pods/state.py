"""Pure functions that read the state of a session's Pod; `causes.py` has the reasons for a state.

The state comes from the containers, not from the phase alone: a Pod whose image is missing stays
Pending while its records container runs.
"""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.sessions.pods import names

_READY_TO_START = "PodReadyToStartContainers"
NOT_STARTED = ("StartError", "ContainerCannotRun")


def part(document: Document, key: str) -> Document:
    """Return a part of a document, empty where it is not there."""
    found: Document | None = document.get(key)
    return found or {}


def items(document: Document, key: str) -> list[Document]:
    """Return a list in a document, empty where it is not there."""
    found: list[Document] | None = document.get(key)
    return found or []


def job_of(pod: Document) -> str:
    """Return the name of the job in a session Pod's labels; "" for any other Pod.

    The watch selects by one label, which users may also give to other Pods.
    """
    return str(part(pod["metadata"], "labels").get(names.JOB_LABEL) or "")


def is_gated(pod: Document) -> bool:
    """Whether the Pod was not released yet."""
    return any(gate["name"] == names.GATE for gate in items(pod["spec"], "schedulingGates"))


def is_container(pod: Document) -> bool:
    """Whether this is the Pod of a container script, which has no enso runtime in it."""
    return names.ATTEMPT in part(pod["metadata"], "annotations")


def needs_volumes(pod: Document) -> bool:
    """Whether the Pod has a node that has not mounted its volumes yet."""
    if not is_scheduled(pod) or is_over(pod) or has_begun(pod) or is_leaving(pod):
        return False
    ready = (
        condition["status"] for condition in conditions(pod) if condition["type"] == _READY_TO_START
    )
    return next(ready, "False") != "True"


def is_scheduled(pod: Document) -> bool:
    """Whether the Pod has a node: before that none of its containers can have run."""
    return bool(pod["spec"].get("nodeName"))


def is_leaving(pod: Document) -> bool:
    """Whether the Pod is being deleted."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def has_begun(pod: Document) -> bool:
    """Whether the session's container was ever started."""
    status = status_of(pod, names.SESSION)
    state = part(status, "state")
    last = part(status, "lastState")
    return bool(
        state.get("running")
        or (state.get("terminated") and _ran(state["terminated"]))
        or last.get("terminated")
        or status.get("restartCount")
    )


def is_over(pod: Document) -> bool:
    """Whether the session's container has ended for good, or can never start."""
    return is_final(pod) or ended(pod) is not None


def is_final(pod: Document) -> bool:
    """Whether the kubelet has written the Pod's last status."""
    return part(pod, "status").get("phase") in ("Succeeded", "Failed")


def ended(pod: Document) -> Document | None:
    """Return how the session's container ended; None while it has not."""
    state = part(status_of(pod, names.SESSION), "state")
    return state.get("terminated")


def restarts(pod: Document) -> int:
    """Return how often the session's container was started again."""
    return int(status_of(pod, names.SESSION).get("restartCount") or 0)


def termination_message(pod: Document) -> str:
    """Return the termination message of the session's container: a summary, in its last line."""
    return str((ended(pod) or {}).get("message") or "")


def where(pod: Document) -> str:
    """Say on which node, in which Pod and from which image the session runs or ran."""
    node = pod["spec"].get("nodeName")
    image = str(status_of(pod, names.SESSION).get("imageID") or "")
    name, _, digest = image.rpartition("@sha256:")
    given = image_of(pod, names.SESSION)
    shown = f"{name or given.partition('@')[0]}@sha256:{digest[:8]}" if name else given
    return ", ".join(part for part in (node, f"pod {pod['metadata']['name']}", shown) if part)


def init_container_in_the_way(pod: Document) -> str:
    """Return the injected init container that blocks the session, or failed it; "" where none.

    Admission webhooks may add init containers, such as a vault's. Its log is then the one to read.
    """
    if has_begun(pod) or is_gated(pod):
        return ""
    return next((name for name in init_containers(pod) if _is_in_the_way(pod, name)), "")


def container_to_read(pod: Document) -> str:
    """Return the container whose log is the most useful; "" while none has a log."""
    if has_begun(pod):
        return names.SESSION
    ran = [name for name in init_containers(pod) if last_terminated(pod, name)]
    # An init container that was ended together with its Pod may have exited with 0.
    last = next((name for name in reversed(ran) if name not in names.CONTAINERS), "")
    return init_container_in_the_way(pod) or (last if is_over(pod) else "")


def init_container_that_runs(pod: Document) -> str:
    """Return the running init container that the session waits for; "" where there is none."""
    name = "" if is_over(pod) else init_container_in_the_way(pod)
    return name if "running" in part(status_of(pod, name), "state") else ""


def _is_in_the_way(pod: Document, name: str) -> bool:
    """Whether an injected init container has begun, has not exited with 0, and is no sidecar."""
    status = status_of(pod, name)
    state = part(status, "state")
    if name in names.CONTAINERS:
        return False
    if "terminated" in state:
        return bool(state["terminated"].get("exitCode"))
    if "running" in state:
        return not (spec_of(pod, name).get("restartPolicy") == "Always" and status.get("started"))
    return "terminated" in part(status, "lastState")


def init_containers(pod: Document) -> list[str]:
    """Return their names, in the order in which they run."""
    return [str(container["name"]) for container in items(pod["spec"], "initContainers")]


def last_terminated(pod: Document, container: str) -> Document:
    """Return the last `terminated` state of a container; empty where it has none."""
    status = status_of(pod, container)
    now, before = part(status, "state"), part(status, "lastState")
    return part(now, "terminated") or part(before, "terminated")


def records_have_begun(pod: Document) -> bool:
    """Whether the container that prints the records has a log."""
    state = part(status_of(pod, names.RECORDS), "state")
    return "running" in state or "terminated" in state or has_begun(pod) or is_over(pod)


def records_are_over(pod: Document) -> bool:
    """Whether the container that prints the records has ended for good."""
    state = part(status_of(pod, names.RECORDS), "state")
    return is_over(pod) and "running" not in state


def _ran(terminated: Document) -> bool:
    return terminated.get("reason") not in NOT_STARTED


def conditions(pod: Document) -> list[Document]:
    """Return the conditions of the Pod's status."""
    return items(part(pod, "status"), "conditions")


def image_of(pod: Document, name: str) -> str:
    """Return the image that a container is to run."""
    return str(spec_of(pod, name).get("image") or "")


def spec_of(pod: Document, name: str) -> Document:
    """Return the spec of a container; empty where the Pod has none of that name."""
    found = items(pod["spec"], "containers") + items(pod["spec"], "initContainers")
    nothing: Document = {}
    return next((container for container in found if container["name"] == name), nothing)


def status_of(pod: Document, name: str) -> Document:
    """Return the status of a container; empty where there is none yet."""
    status = part(pod, "status")
    found = items(status, "containerStatuses") + items(status, "initContainerStatuses")
    nothing: Document = {}
    return next((status for status in found if status["name"] == name), nothing)
