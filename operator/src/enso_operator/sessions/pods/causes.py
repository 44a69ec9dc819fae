"""Why a session's Pod does not begin, or has ended. Pure: a document in, a `Cause` out."""

from __future__ import annotations

import signal

from enso_operator.api.document import Document
from enso_operator.sessions.pods import kubelet_messages, names, state
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
"""Added to a signal's number, this is the exit code of a process that the signal ended."""
HOPELESS = frozenset(_NO_IMAGE)
"""Waiting reasons of a kubelet that do not go away by waiting."""
UNSCHEDULABLE, GATED = "Unschedulable", "SchedulingGated"
"""Reasons of the condition PodScheduled. Queues such as Kueue hold Pods back with a gate."""
_SENTENCES: dict[str, str] = {
    "EvictionByEvictionAPI": "somebody evicted its Pod, as whoever drains a node does",
    "PreemptionByScheduler": "a Pod of higher priority took its place",
    "DeletionByTaintManager": "its node was closed to it by a taint",
    "DeletionByPodGC": "its node is gone",
}
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


def waits_for(pod: Document) -> tuple[str, Cause] | None:
    """Return why the session has not begun: the kubelet's reason and our cause; None if unknown."""
    if state.is_gated(pod) or state.has_begun(pod):
        return None
    if gates := state.items(pod["spec"], "schedulingGates"):
        names_of = ", ".join(str(gate["name"]) for gate in gates)
        why = f"its Pod is held back by scheduling gates of others: {names_of}"
        return GATED, Cause(Reason.SCHEDULING_GATED, why)
    for condition in state.conditions(pod):
        if condition["type"] == "PodScheduled" and condition.get("reason") == UNSCHEDULABLE:
            return UNSCHEDULABLE, Cause(Reason.UNSCHEDULABLE, str(condition.get("message") or ""))
    waits = (_waiting(pod, name) for name in (*state.init_containers(pod), names.SESSION))
    return next(filter(None, waits), None)


def _waiting(pod: Document, name: str) -> tuple[str, Cause] | None:
    """Return why a container waits: the kubelet's reason and our cause; None if unknown."""
    waiting = state.part(state.part(state.status_of(pod, name), "state"), "waiting")
    word, why = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    whose = "" if name in names.CONTAINERS else f"its init container {name}: "
    if word in _PULLING or word in _NO_IMAGE:
        sentence = kubelet_messages.of_pull(state.image_of(pod, name), why or word)
        return word, Cause(Reason.IMAGE_PULL_FAILED, whose + sentence)
    if word in _CONFIG:
        return word, Cause(Reason.CONFIG_ERROR, whose + (why or word))
    if word == "CrashLoopBackOff":
        sentence = f"its container {name} ends again and again"
        return word, Cause(Reason.CONFIG_ERROR, sentence + _last_end(pod, name))
    return None


def is_disturbed(pod: Document) -> bool:
    """Whether the Pod is deleted, evicted or preempted, by others than its session."""
    status = state.part(pod, "status")
    is_target = any(map(_is_disruption, state.conditions(pod)))
    return state.is_leaving(pod) or is_target or status.get("reason") in _REASONS


def why_over(pod: Document) -> Cause:
    """Return why a session ended that did not end by itself, or whose Pod is gone."""
    return disruption(pod) or _end_of_container(pod) or _rejection(pod)


def disruption(pod: Document) -> Cause | None:
    """Return why others than its session ended the Pod, as its status says; None if unknown."""
    status = state.part(pod, "status")
    message = str(status.get("message") or "")
    for condition in state.conditions(pod):
        if _is_disruption(condition):
            reason = _DISRUPTIONS.get(str(condition.get("reason")), Reason.EVICTED)
            ours = _SENTENCES.get(str(condition.get("reason")), "")
            theirs = str(condition.get("message") or "") or message
            return Cause(reason, f"{ours}: {theirs}" if ours else theirs)
    return of_kubelet(str(status.get("reason") or ""), message)


def _is_disruption(condition: Document) -> bool:
    return (condition["type"], condition["status"]) == ("DisruptionTarget", "True")


def of_kubelet(word: str, message: str) -> Cause | None:
    """Return why a kubelet ended a Pod, from an Event about it; None where that tells no end."""
    return Cause(_REASONS[word], message) if word in _REASONS else None


def _end_of_container(pod: Document) -> Cause | None:
    end = state.ended(pod) or {}
    if cause := out_of_memory(pod):
        return cause
    if end.get("reason") in state.NOT_STARTED:
        return _not_started(pod, str(end.get("message") or end["reason"]))
    if state.is_leaving(pod):
        return Cause(Reason.SESSION_LOST, "somebody deleted its Pod")
    if state.restarts(pod):
        return Cause(Reason.SESSION_LOST, "its container was started a second time by the node")
    if name := state.init_container_in_the_way(pod):
        sentence = f"its init container {name} ended{_last_end(pod, name)}"
        return Cause(Reason.INIT_CONTAINER, sentence)
    why = f"its container ended with exit {exit_of(pod)}"
    return Cause(Reason.SESSION_LOST, why) if end else None


def _not_started(pod: Document, message: str) -> Cause:
    why = kubelet_messages.of_start(message)
    if state.is_container(pod):
        return Cause(Reason.CONFIG_ERROR, f"the container's command could not be started: {why}")
    needs = "its image has no python3 that can be started, and enso needs one of 3.10 or later"
    return Cause(Reason.INTERPRETER_DID_NOT_START, f"{needs}: {why}")


def _rejection(pod: Document) -> Cause:
    """Return the message of a kubelet that rejected the Pod; else that the cause is unknown."""
    status = state.part(pod, "status")
    if word := status.get("reason"):
        return Cause(Reason.SESSION_LOST, f"{word}: {status.get('message') or ''}")
    return Cause(Reason.SESSION_LOST, "its Pod is gone")


def out_of_memory(pod: Document) -> Cause | None:
    """Return the cause if the kernel killed the session's main process for memory; else None.

    A kubelet reports OOMKilled also where only a child was killed: the exit code tells which.
    """
    end = state.ended(pod) or {}
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
    """Return how a container exited, as text, and whether a child of it was killed for memory."""
    end = state.last_terminated(pod, container)
    name = signal_of(end)
    said = f"code {end.get('exitCode') or 0}" + (f", that is {name}" if name else "")
    if end.get("reason") == _OOM_KILLED:
        of = _memory_limit(pod, container)
        said += f"; the kernel killed a process of it, beyond its memory limit{of}"
    return said


def _last_end(pod: Document, container: str) -> str:
    """Return as text how a container ended last, with its message; "" where it has not ended."""
    if not (end := state.last_terminated(pod, container)):
        return ""
    said = " ".join(str(end.get("message") or "").split())
    return f" with exit {exit_of(pod, container)}" + (f": {said}" if said else "")


def _memory_limit(pod: Document, container: str = names.SESSION) -> str:
    resources = state.part(state.spec_of(pod, container), "resources")
    limit = state.part(resources, "limits").get("memory")
    return f" of {limit}" if limit else ""
