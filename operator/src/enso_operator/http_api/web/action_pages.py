"""What people do to a job with its buttons; a resume has a form of its own."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api.auth.forms import form_of
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.port import ActionOutcome
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.query import Query
from enso_operator.manifests.errors import mistakes_in
from job_execution_framework.domain.errors import InvalidAction

VERBS = {verb: verb for verb in ("pause", "retry", "skip", "cancel")} | {"unpause": "resume"}
"""The actions that are buttons alone, by the last part of their address."""
START = "start"
"""The button that lets a job go that was added."""


@dataclass(frozen=True)
class PendingAction:
    """An action that the operator has not done yet."""

    name: str
    address: str
    sentence: str


class ActionPages:
    """Answers to whoever wants something of a job."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def act(self, request: Request, viewer: Viewer) -> Response:
        """Do what a button says."""
        name, verb = request.path_params["name"], request.path_params["verb"]
        form = await form_of(request)
        if verb == START:
            await viewer.jobs.execute(name)
            return _to_job(request)
        if verb not in VERBS:
            raise HTTPException(404)
        if verb == "unpause":
            await _check_pause(viewer, name)
        spec: Document = {"job": name, "verb": VERBS[verb]}
        if verb == "pause" and (after := text_of(form, "after")):
            spec["pause"] = {"after": after}
        if verb == "skip":
            spec["skip"] = {"script": text_of(form, "script")}
        if why := text_of(form, "why"):
            spec["why"] = why
        outcome = await viewer.jobs.act(_spec(spec), "")
        return await answer_to(self._templates, request, viewer, outcome)

    async def lead_back(self, request: Request, viewer: Viewer) -> Response:
        """Lead to the job whoever goes back to the answer of a button, or loads it anew."""
        del viewer
        if request.path_params["verb"] not in (START, *VERBS):
            raise HTTPException(404)
        return _to_job(request)


async def answer_to(
    templates: Templates, request: Request, viewer: Viewer, outcome: ActionOutcome
) -> Response:
    """Lead back to the job; say first where nobody has done it yet."""
    if outcome.is_done:
        return _to_job(request)
    asked = PendingAction(request.path_params["name"], _address(request), outcome.outcome)
    return await templates.page(request, viewer, "asked.html", asked, status=202)


def text_of(form: FormData, name: str) -> str:
    """Return a line of text that was entered."""
    value = form.get(name, "")
    return " ".join(value.split()) if isinstance(value, str) else ""


async def _check_pause(viewer: Viewer, name: str) -> None:
    """Raise InvalidAction where there is no pause: a job that has ended would be resumed."""
    job = (await viewer.jobs.get(name)).job
    if job is None or not job.paused:
        state = f" and is {job.state}" if job else ""
        raise InvalidAction(f"job {name} is not paused any more{state}")


def _spec(document: Document) -> EnsoActionSpec:
    """Return what a button asks for. Raises InvalidAction."""
    try:
        return EnsoActionSpec.model_validate(document, extra="forbid")
    except ValidationError as error:
        raise InvalidAction(mistakes_in(document, error, EnsoActionSpec)) from error


def _address(request: Request) -> str:
    namespace = request.query_params.get("namespace", "")
    return Query(namespace=namespace).address(f"/jobs/{request.path_params['name']}")


def _to_job(request: Request) -> Response:
    return RedirectResponse(_address(request), 303)
