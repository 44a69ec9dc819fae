"""Converts the spec of an EnsoAction to the domain's action; an HTTP request has one, too."""

from __future__ import annotations

from enso_operator.api.ensoaction import EnsoActionSpec, PauseSpec, ResumeSpec
from job_execution_framework.domain.actions import Action, Cancel, Pause, Resume, Retry, Skip
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import InvalidAction


def action_of(spec: EnsoActionSpec, action_id: str, definition: Definition | None = None) -> Action:
    """Return what is asked of the job; `definition` is what a resume's changes have made of it.

    Raises InvalidAction where it cannot be asked.
    """
    by, why = spec.by or "", spec.why
    match spec.verb:
        case "resume":
            resume = spec.resume or ResumeSpec()
            return Resume(
                from_script=resume.from_script or "",
                skip=tuple(resume.skip),
                definition=definition,
                by=by,
                why=why,
                action_id=action_id,
            )
        case "pause":
            after = (spec.pause or PauseSpec()).after or ""
            return Pause(after=after, by=by, why=why, action_id=action_id)
        case "retry":
            return Retry(by=by, why=why, action_id=action_id)
        case "cancel":
            return Cancel(by=by, why=why, action_id=action_id)
        case "skip":
            if spec.skip is None:
                raise InvalidAction("spec.skip.script is missing: name the script to skip")
            return Skip(script=spec.skip.script, by=by, why=why, action_id=action_id)
