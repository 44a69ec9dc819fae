"""The form of a resume: what it would run and keep, and, where it is refused, what to mend."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api.auth.forms import form_of
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.web.action_pages import answer_to, text_of
from enso_operator.http_api.web.rendering import Templates
from enso_operator.http_api.web.views.resume_form import resume_form
from enso_operator.http_api.web.views.resume_refusals import Said, said_of_shape
from enso_operator.http_api.web.views.script_fields import (
    Entries,
    by_id,
    resume_of,
    script_fields,
)
from enso_operator.http_api.web.views.wrong_values import why_broken
from enso_operator.manifests.errors import sentences
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import JobState

PREVIEW = "preview"
"""The button that shows what would run, and asks for nothing."""


@dataclass(frozen=True)
class EnteredResume:
    """What somebody asks for in the form."""

    entries: Entries
    spec: EnsoActionSpec
    """That of a resume of the job as it is, where what was entered makes none."""
    outlook: Outlook
    said: Said
    """Why it makes none."""


class ResumePages:
    """Answers with it, and resumes the job."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Show the form of a resume, and what it would run as it is."""
        asked = await _asked(viewer, request.path_params["name"], None)
        return await self._form(request, viewer, asked)

    async def resume(self, request: Request, viewer: Viewer) -> Response:
        """Do a resume, or show what it would run."""
        form = await form_of(request)
        asked = await _asked(viewer, request.path_params["name"], _entries(form))
        if text_of(form, "do") == PREVIEW:
            return await self._form(request, viewer, asked)
        if asked.said or asked.outlook.refusals:
            return await self._form(request, viewer, asked, status=409)
        try:
            outcome = await viewer.jobs.act(asked.spec, "")
        except (InvalidAction, InvalidJob) as error:  # the job may have changed meanwhile
            return await self._form(request, viewer, asked, str(error), status=409)
        return await answer_to(self._templates, request, viewer, outcome)

    async def _form(
        self,
        request: Request,
        viewer: Viewer,
        asked: EnteredResume,
        why_not: str = "",
        status: int = 200,
    ) -> Response:
        namespace = request.query_params.get("namespace", "")
        said = {**asked.said, "": why_not} if why_not else asked.said
        shown = await asyncio.to_thread(resume_form, asked.outlook, asked.entries, namespace, said)
        return await self._templates.page(request, viewer, "resume.html", shown, status=status)


async def _asked(viewer: Viewer, name: str, entries: Entries | None) -> EnteredResume:
    """Return what is asked for; `entries` is None in a form that is new."""
    document: Document = {"job": name, "verb": "resume"}
    spec = EnsoActionSpec.model_validate(document)
    outlook = await viewer.jobs.outlook(spec)
    entries = entries or _untouched(outlook.job)
    scripts = script_fields(outlook, entries.texts)
    resume = resume_of(scripts, entries)
    document |= ({"resume": resume} if resume else {}) | (
        {"why": entries.why} if entries.why else {}
    )
    try:
        wanted = EnsoActionSpec.model_validate(document, extra="forbid")
    except ValidationError as error:
        changed = [change["name"] for change in resume.get("scripts", ())]
        mistakes = [*sentences(error.errors(include_url=False), EnsoActionSpec)]
        said = said_of_shape(mistakes, changed, by_id(scripts))
        return EnteredResume(entries, spec, outlook, said)
    if resume:
        outlook = await viewer.jobs.outlook(wanted)
    said = {id_: why for id_, field in by_id(scripts).items() if (why := why_broken(field))}
    return EnteredResume(entries, wanted, outlook, said)


def _entries(form: FormData) -> Entries:
    texts = {key: value for key, value in form.multi_items() if isinstance(value, str)}
    skip = tuple(dict.fromkeys(str(value) for value in form.getlist("skip")))
    return Entries(texts, text_of(form, "from"), skip, text_of(form, "why"))


def _untouched(job: Job) -> Entries:
    """Return a form that is new: of a job that has succeeded all of it runs again."""
    return Entries({}, job.main[0].name if job.state is JobState.SUCCEEDED else "")
