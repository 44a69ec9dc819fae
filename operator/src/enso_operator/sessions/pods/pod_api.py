"""Calls to the API server about the Pods of one namespace. They block: make them by `on_loop`."""

from __future__ import annotations

from dataclasses import dataclass

from kubernetes.client import ApiClient

from enso_operator.api.document import Document
from enso_operator.kube.client import (
    ApiObjects,
    Forbidden,
    NoRoom,
    NoSuchObject,
    Refused,
    Taken,
    request,
)
from enso_operator.kube.ensojob import KIND, EnsoJobObject
from enso_operator.kube.pages import identity
from enso_operator.sessions.pods import names, state
from enso_operator.sessions.pods.demand import OutOfQuota, demand_of
from job_execution_framework.domain.control import GO_ON, SessionControl
from job_execution_framework.domain.errors import Conflict, InvalidJob, NotYet, Unavailable
from job_execution_framework.service_layer import controls

EXPIRED_SECONDS = 1
"""The activeDeadlineSeconds of a Pod that is to be ended at once."""
_VIOLATES = "violates PodSecurity"
_CONTROL_PATH = "/metadata/annotations/" + names.CONTROL.replace("/", "~1")
_GATES_PATH = "/spec/schedulingGates"


@dataclass(frozen=True)
class PodApi:
    """Calls about Pods. Each may raise Unavailable and Refused."""

    client: ApiClient
    namespace: str

    def get(self, name: str) -> Document | None:
        """Return the Pod, None where there is none."""
        try:
            return request(self.client, "GET", self._path("pods", name))
        except NoSuchObject:
            return None

    def create(self, pod: Document) -> Document:
        """Create the Pod, and return which it is.

        Raises Taken where the name exists, InvalidJob, NotYet.
        """
        return self._create("pods", pod)

    def create_plan(self, config: Document) -> None:
        """Create the ConfigMap. Its name is a digest of it, so an existing one is the same.

        Raises InvalidJob where another owner has one of this name, and NotYet.
        """
        try:
            self._create("configmaps", config)
        except Taken:
            name = config["metadata"]["name"]
            found = request(self.client, "GET", self._path("configmaps", name))
            ours = all(found.get(key) == config[key] for key in ("data", "immutable"))
            if not ours or owner_of(found) != owner_of(config):
                why = f"a ConfigMap {name} is there already, and is not this job's: delete it"
                raise InvalidJob(why) from None

    def committed(self, job: str) -> str:
        """Return the uid of the Pod that a job has committed to; "" where there is none."""
        try:
            return EnsoJobObject(
                ApiObjects(self.client, self.namespace, KIND).get(job)
            ).committed_uid
        except NoSuchObject:
            return ""

    def release(self, name: str, uid: str) -> None:
        """Remove enso's gate from the Pod of this uid, if the Pod exists and has it.

        Gates of others, such as queues, stay.
        """
        gates = [{"name": names.GATE}]  # a guess; the Pod is read where it has other gates
        while gates:
            ours = gates.index({"name": names.GATE})
            operations: list[Document] = [
                {"op": "test", "path": _GATES_PATH, "value": gates},
                {"op": "remove", "path": f"{_GATES_PATH}/{ours}"},
            ]
            try:
                return self._patch(name, uid, operations)
            except NoSuchObject:
                return None
            except Refused:
                found = self._gates(name, uid)
                if found == gates:  # the patch was refused for another reason
                    raise
                gates = found
        return None

    def send_control(self, name: str, uid: str, control: SessionControl) -> None:
        """Write the control into the annotation of the Pod of this uid, if it exists."""
        if (pod := self._there(name, uid)) is None:
            return
        annotations = state.part(pod["metadata"], "annotations")
        known, text = annotations.get(names.CONTROL, ""), controls.to_json(control)
        if annotations.get(names.CONTROL_VERSION) != str(controls.VERSION):
            text = "cancel" if control.cancel else "pause" if control.stops else ""
        if text != known and not (control == GO_ON and not known):
            self._change(name, uid, {"op": "add", "path": _CONTROL_PATH, "value": text})

    def expire(self, name: str, uid: str) -> None:
        """Have the kubelet end the Pod of this uid, with its grace period, but keep the object.

        The Pod gets an active deadline of 1 s. People can still read its logs.
        """
        path = "/spec/activeDeadlineSeconds"
        self._change(name, uid, {"op": "add", "path": path, "value": EXPIRED_SECONDS})

    def delete(self, name: str, uid: str) -> None:
        """Delete the Pod of this uid, with its grace period, if it exists."""
        self._delete(name, {"preconditions": {"uid": uid}})

    def give_up(self, pod: Document) -> bool:
        """Delete a Pod that has not begun; return False where it was changed meanwhile.

        Its grace period is 1 s, as no script runs: the records container would use up all of it.
        """
        metadata = pod["metadata"]
        conditions = {key: metadata[key] for key in ("uid", "resourceVersion")}
        body: Document = {"preconditions": conditions, "gracePeriodSeconds": 1}
        return self._delete(metadata["name"], body)

    def _create(self, plural: str, document: Document) -> Document:
        """Create an object, and return which it is.

        Errors are NotYet, which may go away, and InvalidJob, which cannot.
        """
        try:
            return request(self.client, "POST", self._path(plural), document, read=identity)
        except NoRoom as error:
            name = str(document["metadata"]["name"])
            raise OutOfQuota(str(error), demand_of(document), name) from error
        except Forbidden as error:
            if _VIOLATES in str(error):
                raise InvalidJob(f"the session's Pod is refused: {error}") from error
            raise NotYet(str(error)) from error  # a right that is missing, say
        except Refused as error:
            raise InvalidJob(f"the session's Pod is refused: {error}") from error
        except NoSuchObject as error:
            raise NotYet(str(error)) from error  # its namespace is being deleted

    def _change(self, name: str, uid: str, operation: Document) -> None:
        """Change the Pod of this uid, if it exists."""
        try:
            self._patch(name, uid, [operation])
        except NoSuchObject:
            return
        except Refused:
            if self._there(name, uid):
                raise

    def _patch(self, name: str, uid: str, operations: list[Document]) -> None:
        tested = [{"op": "test", "path": "/metadata/uid", "value": uid}, *operations]
        try:
            request(self.client, "PATCH", self._path("pods", name), tested, read=identity)
        except Conflict as error:  # another writer changed the Pod: try again later
            raise Unavailable(str(error)) from error

    def _delete(self, name: str, body: Document) -> bool:
        """Delete the Pod; return False where the preconditions in the body failed."""
        try:
            request(self.client, "DELETE", self._path("pods", name), body)
        except (NoSuchObject, Conflict):
            return False
        return True

    def _there(self, name: str, uid: str) -> Document | None:
        """Return the Pod of this name and uid; None where there is none."""
        pod = self.get(name)
        return pod if pod and pod["metadata"]["uid"] == uid else None

    def _gates(self, name: str, uid: str) -> list[Document]:
        """Return the gates of the Pod of this uid; empty where enso's is not among them."""
        pod = self._there(name, uid)
        return state.items(pod["spec"], "schedulingGates") if pod and state.is_gated(pod) else []

    def _path(self, kind: str, name: str = "") -> str:
        path = f"/api/v1/namespaces/{self.namespace}/{kind}"
        return f"{path}/{name}" if name else path


def owner_of(document: Document) -> str:
    """Return the uid of an object's controlling owner; "" where there is none."""
    owners: list[Document] = document["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")
