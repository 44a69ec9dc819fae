"""The FastAPI application of `enso serve`: its routes.

It works with both backends, jobs in memory and EnsoJobs in a cluster. The routes for actions on a
job are in `action_routes`, the pages in `web`, and the error responses in `refusals`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from enso_operator.http_api.action_routes import PATHS, add_action_routes
from enso_operator.http_api.auth.authentication import Authentication
from enso_operator.http_api.auth.first_sign_in import SIGN_IN, SIGN_OUT
from enso_operator.http_api.auth.forms import FormTokens
from enso_operator.http_api.auth.forwarded import Forwarded, Network
from enso_operator.http_api.auth.origin import OwnOrigin
from enso_operator.http_api.auth.viewer import AskedBy, Viewers
from enso_operator.http_api.bodies import Bodies
from enso_operator.http_api.middleware import (
    LOOPBACK,
    Answer,
    Guard,
    StrictRoute,
)
from enso_operator.http_api.refusals import Refusals
from enso_operator.http_api.requests import AddJob, ExecuteJob
from enso_operator.http_api.responses import Added, JobShown, Listed, Problem
from enso_operator.http_api.web.pages import add_pages
from enso_operator.http_api.web.security import SecureHeaders
from enso_operator.http_api.web.sign_in import add_sign_in

ROUTES = "GET /list-jobs and /get-job/{jobid}, and POST /add-job, /execute-job, " + ", ".join(PATHS)
PUBLIC = frozenset(
    {
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/static-offline-docs/",
        "/static/",
        "/favicon.ico",
        SIGN_IN,
        SIGN_OUT,
    }
)
"""What tells nothing of anybody's jobs: it is shown without asking who asks."""
DESCRIPTION = """\
Run jobs, ordered lists of scripts, and see at once which script failed, with which parameters, and
why. Every refusal is `{"error": "a sentence"}`.

    curl http://localhost:5005/list-jobs
    curl -X POST http://localhost:5005/add-job -H "Content-Type: application/json" -d @./example_job.json
    curl http://localhost:5005/get-job/<jobid>
    curl -X POST http://localhost:5005/execute-job -H "Content-Type: application/json" -d '{"jobid": "<jobid>"}'
    curl -X POST http://localhost:5005/resume-job -H "Content-Type: application/json" -d '{"jobid": "<jobid>"}'
"""  # noqa: E501  # commands to copy


@dataclass(frozen=True)
class Reach:
    """By which ways requests come."""

    hosts: frozenset[str] | None = LOOPBACK
    """The allowed Host headers; None allows any."""
    proxies: tuple[Network, ...] = ()
    """Proxies that are believed when they say how a browser reached them."""


def create_app(viewers: Viewers, reach: Reach = Reach()) -> FastAPI:
    """Return the ASGI application."""
    app = FastAPIOffline(  # FastAPI, with the page at /docs from this machine instead of a CDN
        title="enso",
        version=version("enso-operator"),
        description=DESCRIPTION,
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=Answer,
        responses={
            400: _refused("The body is not JSON."),
            401: _refused("With --auth=kubernetes: no token, or none that the API server accepts."),
            403: _refused("A right in the cluster is missing; the sentence names it."),
            413: _refused("The body is larger than 1 MiB."),
            415: _refused("The body is not said to be JSON."),
            421: _refused("The Host header names another machine."),
            422: _refused("The body is not what it should be; the sentence names the field."),
            503: _refused("The cluster does not answer, or there is no room: try again later."),
        },
    )
    app.router.route_class = StrictRoute
    app.state.bodies = Bodies()
    templates = add_pages(app)
    if viewers.asks:
        add_sign_in(app, viewers, templates)
    _add_routes(app)
    add_action_routes(app)
    refuse = Refusals(ROUTES, templates, asks=viewers.asks)
    refuse.add_to(app)
    # From the innermost out.
    app.add_middleware(Authentication, viewers=viewers, public=PUBLIC, refuse=refuse)
    app.add_middleware(OwnOrigin, refuse=refuse)
    app.add_middleware(FormTokens)
    app.add_middleware(Guard, hosts=reach.hosts)
    app.add_middleware(Forwarded, proxies=reach.proxies)
    app.add_middleware(SecureHeaders)
    return app


def _add_routes(app: FastAPI) -> None:
    @app.get("/list-jobs")
    async def list_jobs(viewer: AskedBy) -> list[Listed]:
        """List all jobs, the oldest first."""
        return [Listed(jobid=jobid, state=state) for jobid, state in await viewer.jobs.list()]

    @app.post("/add-job", status_code=201)
    async def add_job(viewer: AskedBy, body: AddJob) -> Added:
        """Add a job, from instructions or from a template. It waits until it is executed."""
        if body.template is not None:
            return Added(jobid=await viewer.jobs.add_run(body.template, body.params))
        return Added(jobid=await viewer.jobs.add(body.instructions or ()))

    @app.get("/get-job/{jobid}", response_model=JobShown, responses={404: _refused(_UNKNOWN)})
    async def get_job(viewer: AskedBy, jobid: str) -> Answer:
        """Show a job: its scripts with their parameters and outcomes, why it failed, its events."""
        snapshot = await viewer.jobs.get(jobid)
        # Serializing a large job takes a moment, so it is done in a thread. FastAPI would do it on
        # the event loop, and would refuse lone surrogates in a script's output.
        return await asyncio.to_thread(lambda: Answer(JobShown.of(snapshot).document()))

    @app.post(
        "/execute-job",
        status_code=202,
        responses={404: _refused(_UNKNOWN), 409: _refused("The job was executed before.")},
    )
    async def execute_job(viewer: AskedBy, body: ExecuteJob) -> Listed:
        """Let a job go, once, and answer at once: /get-job tells how it goes."""
        return Listed(jobid=body.jobid, state=await viewer.jobs.execute(body.jobid))

    del list_jobs, add_job, get_job, execute_job  # the app keeps them


def _refused(when: str) -> dict[str, Any]:
    return {"model": Problem, "description": when}


_UNKNOWN = "No job has this id."
