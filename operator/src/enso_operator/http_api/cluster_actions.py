"""Creates EnsoActions for `cluster_backend`, and reads their outcomes."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.http_api.action_requests import idempotency_id
from enso_operator.kube.client import NoSuchObject, Taken
from enso_operator.kube.ensoaction import EnsoActionObject, has_name
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.objects import Objects
from job_execution_framework.domain.errors import InvalidAction, JobNotFound, Unavailable


class Withdrawn(Exception):  # as Busy: what it is
    """An action that was created does not exist any more."""


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

    Raises InvalidAction if the action was refused, and Withdrawn if it does not exist any more.
    """
    try:
        action = EnsoActionObject(actions.get(name))
    except NoSuchObject as error:
        raise Withdrawn(name) from error
    if not action.is_finished:
        return None
    succeeded = action.condition("Succeeded")
    if succeeded.get("status") != "True":
        raise InvalidAction(str(succeeded.get("message")))
    return str(succeeded.get("message"))


def outcome_without(name: str, before: EnsoJobObject, now: EnsoJobObject | None) -> str:
    """Return the outcome of an action that was deleted, from the ledger of its job.

    Raises JobNotFound if the job was deleted, too, and InvalidAction if nothing was done.
    """
    if now is None or now.uid != before.uid:
        raise JobNotFound(
            f"job {before.name} was deleted, and EnsoAction {name} with it: nobody can say any "
            "more whether it was done before"
        )
    # Read as JSON: a newer operator may have written it.
    if any(has_name(acted, name) for acted in now.raw_ledger.get("actions") or ()):
        return f"done, but EnsoAction {name} was deleted before anybody read what is still to come"
    raise InvalidAction(f"EnsoAction {name} was deleted before anybody acted on it: ask again")


def pending_outcome(namespace: str, name: str) -> str:
    """Return a sentence: the operator has not acted yet, and how to see the outcome later."""
    return (
        "asked, but the operator has not acted on it yet, and will when it can: kubectl -n "
        f"{namespace} get ensoaction {name} tells what comes of it"
    )
