"""The arguments of a script as they are defined, where a page of the job shows them cut."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.middleware import Answer
from enso_operator.http_api.output import check_script
from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.values import uncut

NAME = "argument"
"""What an address names one with."""


async def show_arguments(request: Request, viewer: Viewer) -> Response:
    """Answer with all of them as JSON; with one alone, a text as it is and all else as JSON."""
    snapshot = await viewer.jobs.get(request.path_params["name"])
    script, argument = request.path_params["script"], request.query_params.get(NAME)
    return await asyncio.to_thread(_answer, snapshot, script, argument)


def _answer(snapshot: JobSnapshot, name: str, argument: str | None) -> Response:
    if snapshot.job is None:
        raise HTTPException(404, "The job cannot be read; its manifest has the arguments.")
    check_script(snapshot.job, name)
    arguments = snapshot.job.script(name).parameters
    if argument is None:
        return Answer(uncut(arguments))
    if argument not in arguments:
        raise HTTPException(404, f"{name} has no argument of this name.")
    value = uncut(arguments[argument])
    if isinstance(value, str):
        return PlainTextResponse(value.encode("utf-8", "backslashreplace"))
    return Answer(value)
