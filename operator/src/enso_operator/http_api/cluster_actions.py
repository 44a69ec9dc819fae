"""Creates EnsoActions for `cluster_backend`, and reads their outcomes."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.http_api.action_requests import idempotency_id
from enso_operator.kube.client import NoSuchObject, Taken
from enso_operator.kube.ensoaction import EnsoActionObject
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import InvalidAction, Unavailable


def manifest_of(spec: EnsoActionSpec, key: str, ensojob: EnsoJobObject) -> Document:
    """Return the EnsoAction; the same request with the same key gets the same name.

    A name has at most 63 characters: a job's has 52, and 5 or 10 come after it.
    """
    stem = f"{ensojob.name}-"
    name = (
        {"name": stem + idempotency_id(key, spec, ensojob.uid)} if key else {"generateName": stem}
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "EnsoAction",
        "metadata": name,
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
        | {"jobUID": ensojob.uid},
    }


def create_action(actions: Objects, document: Document) -> str:
    """Create the action and return its name. An action with a key may exist already."""
    name: str | None = document["metadata"].get("name")
    try:
        return str(actions.create(document)["metadata"]["name"])
    except Taken as error:
        if name is None:  # the API server generated a name that is taken, which is rare
            raise Unavailable("the action got no name: try again") from error
        return name


def outcome_of(actions: Objects, name: str) -> str | None:
    """Return the outcome of an action; None if the operator has not acted yet.

    Raises InvalidAction if the action was refused, or deleted before the operator acted.
    """
    try:
        action = EnsoActionObject(actions.get(name))
    except NoSuchObject as error:
        raise InvalidAction(
            f"EnsoAction {name} was deleted before anybody acted on it: ask again"
        ) from error
    if not action.is_finished:
        return None
    succeeded = action.condition("Succeeded")
    if succeeded.get("status") != "True":
        raise InvalidAction(str(succeeded.get("message")))
    return str(succeeded.get("message"))


def pending_outcome(namespace: str, name: str) -> str:
    """Return a sentence: the operator has not acted yet, and how to see the outcome later."""
    return (
        "asked, but the operator has not acted on it yet, and will when it can: kubectl -n "
        f"{namespace} get ensoaction {name} tells what comes of it"
    )
