"""What a Pod's status says of its session, in our words. Pure: a document in, a cause out.

States come from the containers, never from the phase alone: a Pod whose image is missing stays
Pending, while its records container runs.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from enso_operator.kube.client import Document
from enso_operator.sessions.pods import kubelet_messages, names
from job_execution_framework.domain.cause import Cause, Reason

_PULLING = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError")
_NO_IMAGE = ("InvalidImageName", "ErrImageNeverPull")
_CONFIG = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "PreCreateHookError",
    "RunContainerError",
)
_OOM_KILLED = "OOMKilled"
_SIGNALLED = 128
"""A shell's way, and a runtime's, to say that a signal ended a process."""
HOPELESS = frozenset(_NO_IMAGE)
"""What no patience changes."""
UNSCHEDULABLE, GATED = "Unschedulable", "SchedulingGated"
"""A scheduler's words; whoever queues Pods, such as Kueue, holds them back by a gate."""
_READY_TO_START = "PodReadyToStartContainers"
_SAID: dict[str, str] = {
    "EvictionByEvictionAPI": "somebody evicted its Pod, as whoever drains a node does",
    "PreemptionByScheduler": "a Pod of higher priority took its place",
    "DeletionByTaintManager": "its node was closed to it by a taint",
    "DeletionByPodGC": "its node is gone",
}
_NOT_STARTED = ("StartError", "ContainerCannotRun")
_DISRUPTIONS = {
    "PreemptionByScheduler": Reason.PREEMPTED,
    "EvictionByEvictionAPI": Reason.EVICTED,
    "TerminationByKubelet": Reason.EVICTED,
    "DeletionByTaintManager": Reason.NODE_LOST,
    "DeletionByPodGC": Reason.NODE_LOST,
}
_REASONS = {
    "Evicted": Reason.EVICTED,
    "Preempting": Reason.PREEMPTED,
    "DeadlineExceeded": Reason.DEADLINE_EXCEEDED,
    "NodeLost": Reason.NODE_LOST,
    "NodeShutdown": Reason.NODE_LOST,
    "Terminated": Reason.NODE_LOST,
}


def part(document: Document, key: str) -> Document:
    """Return a part of a document, empty where it is not there."""
    found: Document | None = document.get(key)
    return found or {}


def items(document: Document, key: str) -> list[Document]:
    """Return a list in a document, empty where it is not there."""
    found: list[Document] | None = document.get(key)
    return found or []


def job_of(pod: Document) -> str:
    """Return the job that a Pod says it is of; nothing where it is no Pod of ours.

    The watch selects by one label, which anybody may give to a Pod.
    """
    return str(part(pod["metadata"], "labels").get(names.JOB_LABEL) or "")


def is_gated(pod: Document) -> bool:
    """Whether the Pod was not released yet."""
    return any(gate["name"] == names.GATE for gate in items(pod["spec"], "schedulingGates"))


def is_container(pod: Document) -> bool:
    """Whether it is a container script's Pod, which has no runtime of ours."""
    return names.ATTEMPT in part(pod["metadata"], "annotations")


def needs_volumes(pod: Document) -> bool:
    """Whether the Pod has a node, which has not mounted its volumes yet."""
    if not is_scheduled(pod) or is_over(pod) or has_begun(pod) or is_leaving(pod):
        return False
    ready = (one["status"] for one in _conditions(pod) if one["type"] == _READY_TO_START)
    return next(ready, "False") != "True"


def is_scheduled(pod: Document) -> bool:
    """Whether a node was chosen for it: until then nothing of it can have run."""
    return bool(pod["spec"].get("nodeName"))


def is_leaving(pod: Document) -> bool:
    """Whether somebody deleted the Pod."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def has_begun(pod: Document) -> bool:
    """Whether the session's container was ever started."""
    status = _container(pod, names.SESSION)
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
    """Whether its status will not change any more: all that its kubelet has to say is in it."""
    return part(pod, "status").get("phase") in ("Succeeded", "Failed")


def ended(pod: Document) -> Document | None:
    """Return how the session's container ended; None while it has not."""
    state = part(_container(pod, names.SESSION), "state")
    return state.get("terminated")


def restarts(pod: Document) -> int:
    """Return how often the session's container was started again."""
    return int(_container(pod, names.SESSION).get("restartCount") or 0)


def told(pod: Document) -> str:
    """Return what the session's container left as its last words."""
    return str((ended(pod) or {}).get("message") or "")


def where(pod: Document) -> str:
    """Say on which node, in which Pod and from which image the session runs or ran."""
    node = pod["spec"].get("nodeName")
    image = str(_container(pod, names.SESSION).get("imageID") or "")
    name, _, digest = image.rpartition("@sha256:")
    given = _image(pod, names.SESSION)
    shown = f"{name or given.partition('@')[0]}@sha256:{digest[:8]}" if name else given
    return ", ".join(part for part in (node, f"pod {pod['metadata']['name']}", shown) if part)


def waits_for(pod: Document) -> tuple[str, Cause] | None:
    """Return why the session has not begun, where that is known: the kubelet's word, and ours."""
    if is_gated(pod) or has_begun(pod):
        return None
    if gates := items(pod["spec"], "schedulingGates"):
        names_of = ", ".join(str(gate["name"]) for gate in gates)
        why = f"its Pod is held back by scheduling gates of others: {names_of}"
        return GATED, Cause(Reason.SCHEDULING_GATED, why)
    for condition in _conditions(pod):
        if condition["type"] == "PodScheduled" and condition.get("reason") == UNSCHEDULABLE:
            return UNSCHEDULABLE, Cause(Reason.UNSCHEDULABLE, str(condition.get("message") or ""))
    waits = (_waiting(pod, name) for name in (*_init_containers(pod), names.SESSION))
    return next(filter(None, waits), None)


def _waiting(pod: Document, name: str) -> tuple[str, Cause] | None:
    """Return why a container does not run, where its kubelet says so."""
    waiting = part(part(_container(pod, name), "state"), "waiting")
    word, why = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    whose = "" if name in names.OURS else f"its init container {name}: "
    if word in _PULLING or word in _NO_IMAGE:
        sentence = kubelet_messages.of_pull(_image(pod, name), why or word)
        return word, Cause(Reason.IMAGE_PULL_FAILED, whose + sentence)
    if word in _CONFIG:
        return word, Cause(Reason.CONFIG_ERROR, whose + (why or word))
    if word == "CrashLoopBackOff":
        sentence = f"its container {name} ends again and again"
        return word, Cause(Reason.CONFIG_ERROR, sentence + _last_end(pod, name))
    return None


def init_container_in_the_way(pod: Document) -> str:
    """Return the init container of others that the session waits for, or died of; mostly none.

    Whoever admits Pods may add some: a vault's, a mesh's. Its log is then the one to read.
    """
    if has_begun(pod) or is_gated(pod):
        return ""
    return next((name for name in _init_containers(pod) if _is_in_the_way(pod, name)), "")


def container_to_read(pod: Document) -> str:
    """Return the container whose log tells most; nothing while none has one."""
    if has_begun(pod):
        return names.SESSION
    ran = [name for name in _init_containers(pod) if _last_terminated(pod, name)]
    # One that was ended with its Pod may have ended well.
    last = next((name for name in reversed(ran) if name not in names.OURS), "")
    return init_container_in_the_way(pod) or (last if is_over(pod) else "")


def init_container_that_runs(pod: Document) -> str:
    """Return the one that the session waits for; that takes a moment, or for ever."""
    name = "" if is_over(pod) else init_container_in_the_way(pod)
    return name if "running" in part(_container(pod, name), "state") else ""


def _is_in_the_way(pod: Document, name: str) -> bool:
    """Whether a container has begun, and neither ended well nor is what runs beside the session."""
    status = _container(pod, name)
    state = part(status, "state")
    if name in names.OURS:
        return False
    if "terminated" in state:
        return bool(state["terminated"].get("exitCode"))
    if "running" in state:
        return not (_spec(pod, name).get("restartPolicy") == "Always" and status.get("started"))
    return "terminated" in part(status, "lastState")


def _init_containers(pod: Document) -> list[str]:
    return [str(container["name"]) for container in items(pod["spec"], "initContainers")]


def is_disturbed(pod: Document) -> bool:
    """Whether somebody else ends the Pod, or has ended it: it is deleted, evicted, preempted."""
    status = part(pod, "status")
    targets = [one for one in _conditions(pod) if one["type"] == "DisruptionTarget"]
    is_target = any(one["status"] == "True" for one in targets)
    return is_leaving(pod) or is_target or status.get("reason") in _REASONS


def why_over(pod: Document) -> Cause:
    """Return why a session ended that did not end by itself, or is gone."""
    return _disruption(pod) or _end_of_container(pod) or _rejection(pod)


def _disruption(pod: Document) -> Cause | None:
    """Return what the scheduler, a kubelet or whoever drains a node did to the Pod."""
    status = part(pod, "status")
    said = str(status.get("message") or "")
    for condition in _conditions(pod):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            reason = _DISRUPTIONS.get(str(condition.get("reason")), Reason.EVICTED)
            ours = _SAID.get(str(condition.get("reason")), "")
            told = str(condition.get("message") or "") or said
            return Cause(reason, f"{ours}: {told}" if ours else told)
    word = str(status.get("reason") or "")
    return Cause(_REASONS[word], said) if word in _REASONS else None


def imposed(events: Sequence[Document]) -> Cause | None:
    """Return what a kubelet did to a Pod, as the Pod's Events tell: its status may not."""
    for event in events:
        if reason := _REASONS.get(str(event.get("reason"))):
            return Cause(reason, str(event.get("message") or ""))
    return None


def _end_of_container(pod: Document) -> Cause | None:
    end = ended(pod) or {}
    if cause := out_of_memory(pod):
        return cause
    if end.get("reason") in _NOT_STARTED:
        return _not_started(pod, str(end.get("message") or end["reason"]))
    if is_leaving(pod):
        return Cause(Reason.SESSION_LOST, "somebody deleted its Pod")
    if restarts(pod):
        return Cause(Reason.SESSION_LOST, "its container was started a second time by the node")
    if name := init_container_in_the_way(pod):
        sentence = f"its init container {name} ended{_last_end(pod, name)}"
        return Cause(Reason.INIT_CONTAINER, sentence)
    why = f"its container ended with exit {exit_of(pod)}"
    return Cause(Reason.SESSION_LOST, why) if end else None


def _not_started(pod: Document, message: str) -> Cause:
    why = kubelet_messages.of_start(message)
    if is_container(pod):
        return Cause(Reason.CONFIG_ERROR, f"the container's command could not be started: {why}")
    needs = "its image has no python3 that can be started, and enso needs one of 3.10 or later"
    return Cause(Reason.INTERPRETER_DID_NOT_START, f"{needs}: {why}")


def _rejection(pod: Document) -> Cause:
    """Return what a kubelet that would not take the Pod says; else that nothing is known."""
    status = part(pod, "status")
    if word := status.get("reason"):
        return Cause(Reason.SESSION_LOST, f"{word}: {status.get('message') or ''}")
    return Cause(Reason.SESSION_LOST, "its Pod is gone")


def out_of_memory(pod: Document) -> Cause | None:
    """Return the cause of a session that the kernel ended for memory; None of any other end.

    A kubelet says OOMKilled also where only a child was killed: the exit code is what became of it.
    """
    end = ended(pod) or {}
    if end.get("reason") != _OOM_KILLED or signal_of(end) != signal.SIGKILL.name:
        return None
    of = _memory_limit(pod)
    return Cause(
        Reason.OUT_OF_MEMORY,
        f"the session used more memory than its limit{of}, and the kernel killed it",
    )


def signal_of(end: Document) -> str:
    """Return the name of the signal that ended a container, nothing where it was none."""
    number = int(end.get("signal") or 0) or int(end.get("exitCode") or 0) - _SIGNALLED
    return next((known.name for known in signal.Signals if known == number), "")


def exit_of(pod: Document, container: str = names.SESSION) -> str:
    """Say how a container exited, and what the kernel did to a child of it."""
    end = _last_terminated(pod, container)
    name = signal_of(end)
    said = f"code {end.get('exitCode') or 0}" + (f", that is {name}" if name else "")
    if end.get("reason") == _OOM_KILLED:
        of = _memory_limit(pod, container)
        said += f"; the kernel killed a process of it, beyond its memory limit{of}"
    return said


def _last_end(pod: Document, container: str) -> str:
    """Say how a container ended last, with the words that it left; nothing where it did not."""
    if not (end := _last_terminated(pod, container)):
        return ""
    said = " ".join(str(end.get("message") or "").split())
    return f" with exit {exit_of(pod, container)}" + (f": {said}" if said else "")


def _last_terminated(pod: Document, container: str) -> Document:
    status = _container(pod, container)
    now, before = part(status, "state"), part(status, "lastState")
    return part(now, "terminated") or part(before, "terminated")


def _memory_limit(pod: Document, container: str = names.SESSION) -> str:
    limit = part(part(_spec(pod, container), "resources"), "limits").get("memory")
    return f" of {limit}" if limit else ""


def records_have_begun(pod: Document) -> bool:
    """Whether the container that prints the records has a log."""
    state = part(_container(pod, names.RECORDS), "state")
    return "running" in state or "terminated" in state or has_begun(pod) or is_over(pod)


def records_are_over(pod: Document) -> bool:
    """Whether the container that prints the records has ended for good."""
    state = part(_container(pod, names.RECORDS), "state")
    return is_over(pod) and "running" not in state


def _ran(terminated: Document) -> bool:
    return terminated.get("reason") not in _NOT_STARTED


def _conditions(pod: Document) -> list[Document]:
    return items(part(pod, "status"), "conditions")


def _image(pod: Document, name: str) -> str:
    return str(_spec(pod, name).get("image") or "")


def _spec(pod: Document, name: str) -> Document:
    """Return what the Pod says of a container; nothing where it has none of that name."""
    found = items(pod["spec"], "containers") + items(pod["spec"], "initContainers")
    nothing: Document = {}
    return next((container for container in found if container["name"] == name), nothing)


def _container(pod: Document, name: str) -> Document:
    """Return the status of a container; nothing where there is none yet."""
    status = part(pod, "status")
    found = items(status, "containerStatuses") + items(status, "initContainerStatuses")
    named = [one for one in found if one["name"] == name]
    return named[0] if named else {}
