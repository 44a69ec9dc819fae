"""`enso resume`, `pause`, `retry`, `skip`, `cancel`: each makes EnsoActions, and waits for them.

The operator does an action or refuses it, and says so in the action's status, which is watched.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, output, times
from enso_operator.cli.jobs.asking import REFUSED, for_each, job_of
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
"""HTTP statuses: there is an object of that name already; from here on, the server has failed."""


@dataclass(frozen=True)
class Asked:
    """What is asked of each job."""

    verb: str
    block: Document = field(default_factory=Document)
    """What an EnsoAction has below the name of its verb."""
    why: str = ""


def act(api: ApiServer, names: Iterable[str], asked: Asked, timeout: str, form: str | None) -> int:
    """Ask it of each job, and print what comes of it; return the exit code.

    `form` is what is printed of each action: its name, or all of it; None: the sentence.
    """
    seconds = times.duration(timeout)
    by, actions = caller(api), dict[str, Document]()

    def ask(name: str) -> None:
        action = created(api, action_for(job_of(api, name), asked, by))
        actions[documents.name_of(action)] = action

    codes = [DONE, *for_each(names, ask)]
    outcomes = Outcomes(api, actions)
    codes += (tell(action, form) for action in outcomes.within(seconds))
    codes += (refuse(sentence) for sentence in outcomes.not_known())
    if form in output.WHOLE and actions:
        shown = [documents.shown(action, "EnsoAction") for action in outcomes.actions.values()]
        listed: Document = {"apiVersion": "v1", "kind": "List", "items": shown}
        print(output.text(shown[0] if len(shown) == 1 else listed, form))
    return max(codes)


def caller(api: ApiServer) -> str:
    """Return who the API server says that we are; empty where it does not know, or does not say."""
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        review = api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", kind)
    except Answered:  # older than 1.28, or nobody may ask
        return ""
    name = str(review.get("status", {}).get("userInfo", {}).get("username") or "")
    return name if len(name) <= LONGEST_CALLER and name.isprintable() else ""


def action_for(job: Document, asked: Asked, by: str) -> Document:
    """Return the EnsoAction that asks it of a job, and of none that is created again later."""
    name, uid = documents.name_of(job), job["metadata"]["uid"]
    spec: Document = {"job": name, "jobUID": uid, "verb": asked.verb}
    if asked.why:
        spec["why"] = asked.why
    if by:
        spec["by"] = by
    if asked.block:
        spec[asked.verb] = asked.block
    return {
        "apiVersion": "enso.dev/v1alpha1",
        "kind": "EnsoAction",
        # At most 52 characters of a job's name and 11 more: 63 are allowed.
        "metadata": {"name": f"{name[:52].rstrip('-')}-{secrets.token_hex(5)}"},
        "spec": spec,
    }


def created(api: ApiServer, action: Document) -> Document:
    """Create an action once, also where the API server restarts meanwhile."""
    name = documents.name_of(action)
    was_sent = False
    for pause in (*PAUSES_SECONDS, None):
        try:
            return api.create(api.path("ensoactions"), action)
        except (NoCluster, Answered) as error:
            status = error.status if isinstance(error, Answered) else None
            if was_sent and status == _CONFLICT:  # by an attempt before, whose answer was lost
                return api.get(api.path("ensoactions", name))
            if pause is None or (status is not None and status < _BROKEN):
                raise
        was_sent = True
        time.sleep(pause)
    raise AssertionError


def tell(action: Document, form: str | None) -> int:
    """Print what came of an action; return the exit code."""
    condition = documents.condition(action, "Succeeded")
    if form == "name":
        print(f"ensoaction.enso.dev/{documents.name_of(action)}", flush=True)
    if condition.get("status") != "True":
        refuse(str(condition.get("message")))
        return REFUSED
    if form is None:
        print(f"{action['spec']['job']}: {condition.get('message')}", flush=True)
    return DONE
