"""What people do to a job: buttons, and the form of a resume."""

from __future__ import annotations

import asyncio
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
from enso_operator.http_api.web.views.resume_form import (
    Entries,
    resume_form,
    resume_of,
    script_fields,
)
from enso_operator.manifests.errors import mistakes_in
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState

VERBS = {verb: verb for verb in ("pause", "retry", "skip", "cancel")} | {"unpause": "resume"}
"""The actions that are buttons alone, by the last part of their address."""
PREVIEW = "preview"
"""The button that shows what would run, and asks for nothing."""


@dataclass(frozen=True)
class Asked:
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
        if verb == "start":
            await viewer.jobs.execute(name)
            return _to_job(request)
        if verb not in VERBS:
            raise HTTPException(404)
        if verb == "unpause":
            await _check_pause(viewer, name)
        spec: Document = {"job": name, "verb": VERBS[verb]}
        if verb == "pause" and (after := _text(form, "after")):
            spec["pause"] = {"after": after}
        if verb == "skip":
            spec["skip"] = {"script": _text(form, "script")}
        return await self._answer(request, viewer, await _act(viewer, spec, form))

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the form of a resume, and what it would run as it is."""
        return await self._form(request, viewer)

    async def resume(self, request: Request, viewer: Viewer) -> Response:
        """Do a resume, or show what it would run."""
        form, name = await form_of(request), request.path_params["name"]
        texts = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        skip = tuple(str(value) for value in form.getlist("skip"))
        entries = Entries(texts, _text(form, "from"), skip, _text(form, "why"))
        if _text(form, "do") == PREVIEW:
            return await self._form(request, viewer, entries)
        outlook = await viewer.jobs.outlook(_spec({"job": name, "verb": "resume"}))
        resume = resume_of(script_fields(outlook, texts), entries)
        spec: Document = {"job": name, "verb": "resume", **({"resume": resume} if resume else {})}
        try:
            outcome = await _act(viewer, spec, form)
        except (InvalidAction, InvalidJob) as error:
            return await self._form(request, viewer, entries, why_not=str(error))
        return await self._answer(request, viewer, outcome)

    async def _form(
        self, request: Request, viewer: Viewer, entries: Entries | None = None, why_not: str = ""
    ) -> Response:
        name = request.path_params["name"]
        spec: Document = {"job": name, "verb": "resume"}
        outlook = await viewer.jobs.outlook(_spec(spec))
        entries = entries or _untouched(outlook.job)
        if resume := resume_of(script_fields(outlook, entries.texts), entries):
            try:
                outlook = await viewer.jobs.outlook(_spec({**spec, "resume": resume}))
            except InvalidAction as error:
                why_not = why_not or str(error)
        shown = await asyncio.to_thread(
            resume_form, outlook, entries, request.query_params.get("namespace", ""), why_not
        )
        status = 409 if why_not else 200
        return await self._templates.page(request, viewer, "resume.html", shown, status=status)

    async def _answer(self, request: Request, viewer: Viewer, outcome: ActionOutcome) -> Response:
        """Lead back to the job; say first where nobody has done it yet."""
        if outcome.is_done:
            return _to_job(request)
        asked = Asked(request.path_params["name"], _address(request), outcome.outcome)
        return await self._templates.page(request, viewer, "asked.html", asked, status=202)


async def _check_pause(viewer: Viewer, name: str) -> None:
    """Raise InvalidAction where there is no pause: a job that has ended would be resumed."""
    job = (await viewer.jobs.get(name)).job
    if job is None or not job.paused:
        state = f" and is {job.state}" if job else ""
        raise InvalidAction(f"job {name} is not paused any more{state}")


async def _act(viewer: Viewer, spec: Document, form: FormData) -> ActionOutcome:
    if why := _text(form, "why"):
        spec["why"] = why
    return await viewer.jobs.act(_spec(spec), "")


def _untouched(job: Job) -> Entries:
    """Return a form that is new: of a job that has succeeded all of it runs again."""
    return Entries({}, job.main[0].name if job.state is JobState.SUCCEEDED else "")


def _spec(document: Document) -> EnsoActionSpec:
    """Return what a form asks for. Raises InvalidAction."""
    try:
        return EnsoActionSpec.model_validate(document, extra="forbid")
    except ValidationError as error:
        raise InvalidAction(mistakes_in(document, error, EnsoActionSpec)) from error


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return " ".join(value.split()) if isinstance(value, str) else ""


def _address(request: Request) -> str:
    namespace = request.query_params.get("namespace", "")
    return Query(namespace=namespace).address(f"/jobs/{request.path_params['name']}")


def _to_job(request: Request) -> Response:
    return RedirectResponse(_address(request), 303)
