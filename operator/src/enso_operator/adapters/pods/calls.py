"""Calls to the API server about the Pods of one namespace. They block: make them in threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kubernetes.client import ApiClient

from enso_operator.adapters.kube import (
    Document,
    Forbidden,
    NoSuchObject,
    Objects,
    Refused,
    request,
)
from enso_operator.adapters.pods import names
from enso_operator.adapters.pods.state import part
from job_execution_framework.domain.errors import Conflict, InvalidJob, NotYet

EXPIRED_SECONDS = 1
"""The time that a Pod is left with which is to be ended."""
_VIOLATES = "violates PodSecurity"
_CONTROL_PATH = "/metadata/annotations/" + names.CONTROL.replace("/", "~1")
R = TypeVar("R")


@dataclass(frozen=True)
class PodCalls:
    """Every call may raise Unavailable and Refused."""

    client: ApiClient
    namespace: str

    def get(self, name: str) -> Document | None:
        """Return the Pod, None where there is none."""
        try:
            return request(self.client, "GET", self._path("pods", name))
        except NoSuchObject:
            return None

    def create(self, pod: Document) -> Document:
        """Create the Pod. Raises Conflict where its name is taken, InvalidJob, NotYet."""
        return _creating(lambda: request(self.client, "POST", self._path("pods"), pod))

    def create_plan(self, config: Document) -> None:
        """Create the ConfigMap; its name tells its content, so one that is there is the same.

        Raises InvalidJob where somebody else made one of this name, NotYet.
        """
        try:
            _creating(lambda: request(self.client, "POST", self._path("configmaps"), config))
        except Conflict:
            name = config["metadata"]["name"]
            found = request(self.client, "GET", self._path("configmaps", name))
            ours = all(found.get(key) == config[key] for key in ("data", "immutable"))
            if not ours or owner_of(found) != owner_of(config):
                why = f"a ConfigMap {name} is there already, and is not this job's: delete it"
                raise InvalidJob(why) from None

    def committed(self, job: str) -> str:
        """Return the uid of the Pod that a job has committed to, nothing where there is none."""
        try:
            found = Objects(self.client, self.namespace, "ensojobs").get(job)
        except NoSuchObject:
            return ""
        run = part(part(part(found, "status"), "ledger"), "run")
        return str(run.get("uid") or "")

    def release(self, name: str, uid: str) -> None:
        """Let the Pod of this uid be scheduled, if it is there and still gated."""
        operations: list[Document] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": "/spec/schedulingGates/0/name", "value": names.GATE},
            {"op": "remove", "path": "/spec/schedulingGates/0"},
        ]
        _unless_gone(lambda: request(self.client, "PATCH", self._path("pods", name), operations))

    def tell(self, name: str, uid: str, word: str) -> None:
        """Leave a word for the session of this uid, if it is still there."""
        operations: list[Document] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": _CONTROL_PATH, "value": word},
        ]
        _unless_gone(lambda: request(self.client, "PATCH", self._path("pods", name), operations))

    def delete(self, name: str, uid: str) -> None:
        """Have the Pod of this uid ended, with its grace, if it is still there."""
        body = {"preconditions": {"uid": uid}}
        _unless_gone(lambda: request(self.client, "DELETE", self._path("pods", name), body))

    def expire(self, name: str, uid: str) -> None:
        """Have what runs in the Pod of this uid ended, with its grace; the Pod stays, to be read.

        It is what a kubelet does to a Pod that has had its time.
        """
        operations: list[Document] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/spec/activeDeadlineSeconds", "value": EXPIRED_SECONDS},
        ]
        _unless_gone(lambda: request(self.client, "PATCH", self._path("pods", name), operations))

    def give_up(self, pod: Document) -> bool:
        """Have a Pod removed that has not begun; return False where it is not as it was any more.

        Its grace is for scripts, and none runs: the container beside them would use it up.
        """
        metadata = pod["metadata"]
        conditions = {key: metadata[key] for key in ("uid", "resourceVersion")}
        body: Document = {"preconditions": conditions, "gracePeriodSeconds": 1}
        path = self._path("pods", metadata["name"])
        return _unless_gone(lambda: request(self.client, "DELETE", path, body))

    def warnings(self, uid: str) -> list[Document]:
        """Return what the cluster's own Events warn of about the Pod of this uid."""
        query = {"fieldSelector": f"involvedObject.uid={uid},type=Warning"}
        found = request(self.client, "GET", self._path("events"), query=query)
        items: list[Document] = found["items"]
        return items

    def _path(self, kind: str, name: str = "") -> str:
        path = f"/api/v1/namespaces/{self.namespace}/{kind}"
        return f"{path}/{name}" if name else path


def owner_of(document: Document) -> str:
    """Return the uid of the object that an object belongs to, nothing where there is none."""
    owners: list[Document] = document["metadata"].get("ownerReferences") or []
    return next((str(one["uid"]) for one in owners if one.get("controller")), "")


def _creating(call: Callable[[], R]) -> R:
    """Sort what keeps an object from being created: what may get better, and what never will."""
    try:
        return call()
    except Forbidden as error:
        if _VIOLATES in str(error):
            raise InvalidJob(f"the session's Pod is refused: {error}") from error
        raise NotYet(str(error)) from error  # a quota, or a right that is missing
    except Refused as error:
        raise InvalidJob(f"the session's Pod is refused: {error}") from error
    except NoSuchObject as error:
        raise NotYet(str(error)) from error  # its namespace is going


def _unless_gone(call: Callable[[], object]) -> bool:
    """Return whether there was something to call for."""
    try:
        call()
    except Forbidden:
        raise
    except (NoSuchObject, Conflict, Refused):
        return False
    return True
