"""An EnsoAction object at one resourceVersion, and the action of the domain in its spec.

The operator gets these objects from its watch, and reads each again before it does the action. The
HTTP API creates them, and waits until they are finished.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import EnsoActionSpec, ResumeSpec
from enso_operator.api.rules import broken_action_rules, code_changes
from enso_operator.kube.client import Forbidden, Refused
from enso_operator.kube.objects import Objects
from enso_operator.kube.resource import JobKey, ResourceObject
from enso_operator.kube.status.action import WITHOUT_OWNER
from enso_operator.manifests.errors import mistakes_in
from enso_operator.manifests.to_action import action_of
from job_execution_framework.domain.actions import Action
from job_execution_framework.domain.errors import InvalidAction

ACTIONS = "ensoactions"
"""The plural, for paths of the API server."""


@dataclass(frozen=True)
class EnsoActionObject(ResourceObject):
    """An EnsoAction as the API server had it at one moment."""

    @property
    def created(self) -> str:
        """When it was created, as the API server writes times, which sort as text."""
        return str(self.document["metadata"]["creationTimestamp"])

    @property
    def job(self) -> JobKey:
        """Namespace and name of its job."""
        return self.namespace, str(self.document["spec"]["job"])

    @property
    def job_uid(self) -> str:
        """The UID of its job; "" if the action is for any job with this name."""
        return str(self.document["spec"].get("jobUID") or "")

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be written: its result, and then its owner, if it has one."""
        reason = self.condition("Succeeded").get("reason")
        return self.is_finished and (bool(self.owners) or reason in WITHOUT_OWNER)

    @property
    def owners(self) -> list[Document]:
        """Its ownerReferences."""
        return list(self.document["metadata"].get("ownerReferences") or ())

    @property
    def action_id(self) -> str:
        """The id by which the job's ledger has it: its UID and its name."""
        return action_id_of(self.uid, self.name)

    @cached_property
    def spec(self) -> EnsoActionSpec:
        """The parsed spec. Raises InvalidAction: it may have been created under other rules."""
        spec: Document = self.document["spec"]
        try:
            parsed = EnsoActionSpec.model_validate(spec)
        except ValidationError as error:
            raise InvalidAction(mistakes_in(spec, error, EnsoActionSpec, "spec.")) from error
        if broken := [*broken_action_rules(parsed)]:
            raise InvalidAction("; ".join(broken))
        return parsed

    @property
    def code_changes(self) -> list[str]:
        """The code changes of a resume, which need the same rights as creating a job.

        Raises InvalidAction.
        """
        resume = self.spec.resume or ResumeSpec()
        return [f"{field} of {kind} {name!r}" for kind, name, field in code_changes(resume)]

    @property
    def action(self) -> Action:
        """The action of the domain, without the changes of a resume. Raises InvalidAction."""
        action = action_of(self.spec, self.action_id)
        return replace(action, by=action.by or "unknown")


def actions_on(actions: Objects, job: str) -> list[EnsoActionObject]:
    """Return the EnsoActions on a job of the namespace. Raises Unavailable and Refused."""
    try:
        documents = [*actions.each(fields=f"spec.job={job}")]
    except Forbidden:
        raise
    except Refused:  # Kubernetes 1.30 has no selectable fields of CRDs
        documents = [*actions.each()]
    return [action for action in map(EnsoActionObject, documents) if action.job[1] == job]


def action_id_of(uid: str, name: str) -> str:
    """Return the id that a job's ledger has of an action."""
    return f"{uid}/{name}"


def has_name(action_id: str, name: str) -> bool:
    """Whether an id in a job's ledger is that of an action with this name."""
    return action_id.partition("/")[2] == name
