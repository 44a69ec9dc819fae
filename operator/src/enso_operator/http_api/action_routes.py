"""The five routes for actions on an existing job: resume, pause, retry, skip, cancel."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Header, Response

from enso_operator.http_api.action_requests import (
    LONGEST_KEY,
    ActionRequest,
    CancelJob,
    PauseJob,
    ResumeJob,
    RetryJob,
    SkipScript,
)
from enso_operator.http_api.auth.viewer import AskedBy, Viewer
from enso_operator.http_api.responses import Done, Problem

PATHS = ("/resume-job", "/pause-job", "/retry-job", "/skip-script", "/cancel-job")
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=LONGEST_KEY,
        description="Any text that no other request has, such as a UUID: the same request, sent "
        "again with it, acts once.",
    ),
]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done; the outcome says what is still to come."},
    202: {
        "model": Done,
        "description": "Asked, but the operator has not acted within 10 seconds; it still will.",
    },
    404: {"model": Problem, "description": "No job has this id."},
    409: {"model": Problem, "description": "Not possible now; the sentence says why."},
}
_OPTIONS: dict[str, Any] = {"responses": _ANSWERS, "response_model_exclude_none": True}


def add_action_routes(app: FastAPI) -> None:
    """Add the routes to the application."""

    async def act(viewer: Viewer, body: ActionRequest, key: str, response: Response) -> Done:
        outcome = await viewer.jobs.act(body.spec(), key)
        response.status_code = 200 if outcome.is_done else 202
        return Done(
            jobid=body.jobid,
            state=outcome.state,
            outcome=outcome.outcome,
            action=outcome.action or None,
        )

    @app.post("/resume-job", **_OPTIONS)
    async def resume_job(
        viewer: AskedBy, body: ResumeJob, response: Response, key: Key = ""
    ) -> Done:
        """Run what is not done, after what the job's checkpoints say must run again before it.

        With `from`, that script and all after it run again. `skip` names scripts that count as
        done from now on. `scripts` changes arguments (`args`, `unsetArgs`), `timeoutSeconds`,
        `idleTimeoutSeconds` and `retries` of scripts that will run, `sessions` the machines that
        they run on.
        """
        return await act(viewer, body, key, response)

    @app.post("/pause-job", **_OPTIONS)
    async def pause_job(viewer: AskedBy, body: PauseJob, response: Response, key: Key = "") -> Done:
        """Pause a job until it is resumed. With `after`, it goes on until that script is done."""
        return await act(viewer, body, key, response)

    @app.post("/retry-job", **_OPTIONS)
    async def retry_job(viewer: AskedBy, body: RetryJob, response: Response, key: Key = "") -> Done:
        """End the wait of a script that has failed and is to be started again."""
        return await act(viewer, body, key, response)

    @app.post("/skip-script", **_OPTIONS)
    async def skip_script(
        viewer: AskedBy, body: SkipScript, response: Response, key: Key = ""
    ) -> Done:
        """Skip a script that neither runs nor is done, of a job that has not ended."""
        return await act(viewer, body, key, response)

    @app.post("/cancel-job", **_OPTIONS)
    async def cancel_job(
        viewer: AskedBy, body: CancelJob, response: Response, key: Key = ""
    ) -> Done:
        """Cancel a job; its script has some time to clean up. It can be resumed later."""
        return await act(viewer, body, key, response)

    del resume_job, pause_job, retry_job, skip_script, cancel_job  # the app keeps them
