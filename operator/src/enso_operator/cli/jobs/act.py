"""`enso resume`, `pause`, `retry`, `skip`, `cancel`: create EnsoActions, and wait for the outcome.

The operator does an action or refuses it, and writes the outcome to the action's status, which is
watched (`outcomes.py`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, output, times
from enso_operator.cli.jobs.connect import REFUSED, for_each, job_of
from enso_operator.cli.jobs.outcomes import Outcomes
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoCluster

DONE = 0
"""Exit code where all did it; of several jobs it is the largest."""
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts to create an action while the API server does not answer."""
LONGEST_CALLER = 512
"""Characters of `spec.by`."""
_CONFLICT, _BROKEN = 409, 500
"""HTTP statuses: an object of that name exists; this and higher ones are server errors."""


@dataclass(frozen=True)
class ActionTemplate:
    """The fields that the EnsoActions of one command have in common."""

    verb: str
    block: Document = field(default_factory=Document)
    """The fields of the EnsoAction's block for its verb."""
    why: str = ""


def act(
    api: ApiServer, names: Iterable[str], template: ActionTemplate, timeout: str, form: str | None
) -> int:
    """Do the action on each job, and print the outcomes; return the exit code.

    `form` is the output format: the action's name, or the whole object; None prints a sentence.
    """
    seconds = times.duration(timeout)
    by, actions = caller(api), dict[str, Document]()

    def create(name: str) -> None:
        action = create_once(api, action_for(job_of(api, name), template, by))
        actions[documents.name_of(action)] = action

    codes = [DONE, *for_each(names, create)]
    outcomes = Outcomes(api, actions)
    codes += (print_outcome(action, form) for action in outcomes.within(seconds))
    codes += (refuse(sentence) for sentence in outcomes.unknown_outcomes())
    if form in output.WHOLE and actions:
        items = [documents.for_output(action, "EnsoAction") for action in outcomes.actions.values()]
        listed: Document = {"apiVersion": "v1", "kind": "List", "items": items}
        print(output.text(items[0] if len(items) == 1 else listed, form))
    return max(codes)


def caller(api: ApiServer) -> str:
    """Return our user name as the API server knows it; empty if it does not tell it."""
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        review = api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", kind)
    except Answered:  # older than Kubernetes 1.28, or not permitted
        return ""
    name = str(review.get("status", {}).get("userInfo", {}).get("username") or "")
    return name if len(name) <= LONGEST_CALLER and name.isprintable() else ""


def action_for(job: Document, template: ActionTemplate, by: str) -> Document:
    """Return the EnsoAction for a job; its jobUID excludes a later job of the same name."""
    name, uid = documents.name_of(job), job["metadata"]["uid"]
    spec: Document = {"job": name, "jobUID": uid, "verb": template.verb}
    if template.why:
        spec["why"] = template.why
    if by:
        spec["by"] = by
    if template.block:
        spec[template.verb] = template.block
    return {
        "apiVersion": "enso.dev/v1alpha1",
        "kind": "EnsoAction",
        # At most 52 characters of a job's name and 11 more: 63 are allowed.
        "metadata": {"name": f"{name[:52].rstrip('-')}-{secrets.token_hex(5)}"},
        "spec": spec,
    }


def create_once(api: ApiServer, document: Document, plural: str = "ensoactions") -> Document:
    """Create an object exactly once, also if the API server restarts meanwhile."""
    name = documents.name_of(document)
    was_sent = False
    for pause in (*PAUSES_SECONDS, None):
        try:
            return api.create(api.path(plural), document)
        except (NoCluster, Answered) as error:
            status = error.status if isinstance(error, Answered) else None
            if was_sent and status == _CONFLICT:  # the response to an earlier attempt was lost
                return api.get(api.path(plural, name))
            if pause is None or (status is not None and status < _BROKEN):
                raise
        was_sent = True
        time.sleep(pause)
    raise AssertionError


def print_outcome(action: Document, form: str | None) -> int:
    """Print the outcome of an action; return the exit code."""
    condition = documents.condition(action, "Succeeded")
    if form == "name":
        print(f"ensoaction.enso.dev/{documents.name_of(action)}", flush=True)
    if condition.get("status") != "True":
        refuse(str(condition.get("message")))
        return REFUSED
    if form is None:
        print(f"{action['spec']['job']}: {condition.get('message')}", flush=True)
    return DONE
