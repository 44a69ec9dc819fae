"""The container of a container script: the user's own program, with nothing of ours in it."""

from __future__ import annotations

import hashlib
import json

from enso_operator.api.document import Document
from enso_operator.api.work import ContainerSpec
from enso_operator.sessions.pods.pod import main_container, secret_names, secret_variables
from enso_operator.settings import PodSettings
from job_execution_framework.domain import trace_context
from job_execution_framework.domain.errors import InvalidJob, NoOutput
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.outputs import handed
from job_execution_framework.domain.secret import Secret
from job_execution_framework.service_layer.plan import Plan

END_VARIABLES = ("ENSO_JOB_STATE", "ENSO_JOB_FAILED_SCRIPT", "ENSO_JOB_REASON")


def script_container(container: ContainerSpec, plan: Plan, settings: PodSettings) -> Document:
    """Return the container, with the script's arguments as environment variables.

    Raises InvalidJob where one of them is an output that is not there.
    """
    made, given = main_container(container, container.image, settings), _arguments(plan)
    secrets = [(name, value) for name, value in given.items() if isinstance(value, Secret)]
    texts = [
        {"name": name, "value": _text(value)}
        for name, value in given.items()
        if not isinstance(value, Secret)
    ]
    made = {
        **made,
        "command": list(container.command),
        "args": list(container.args),
        "env": made["env"]
        + texts
        + secret_variables(secrets)
        + _end_variables(plan.end)
        + _trace_variables(plan),
    }
    if secrets or secret_names(container.env) or any(one.secret for one in container.volumes):
        # The last lines of its log cannot be searched for secrets, so they are not shown.
        made["terminationMessagePolicy"] = "File"
    return {key: value for key, value in made.items() if value != []}


def digest_of(container: Document) -> str:
    """Return what tells a container from one that other arguments made."""
    return hashlib.sha256(json.dumps(container["env"]).encode()).hexdigest()[:8]


def _arguments(plan: Plan) -> dict[str, object]:
    job = plan.job()
    script = job.script(plan.lease[0])
    try:
        return handed(script.parameters, job.outputs)
    except NoOutput as error:
        raise InvalidJob(f"script {script.name!r}: {error}") from error


def _text(output: object) -> str:
    """Return an output as the value of a variable: JSON, unless it is a text.

    Kubernetes would put other variables in the place of ``$(NAME)`` in it.
    """
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    return text.replace("$", "$$")


def _end_variables(end: JobEnd) -> list[Document]:
    """Return how the job ended, for the container of a finally script."""
    if not end.state:
        return []
    values = zip(END_VARIABLES, (end.state, end.failed_script, end.reason), strict=True)
    return [{"name": name, "value": value} for name, value in values]


def _trace_variables(plan: Plan) -> list[Document]:
    """Return where the attempt stands in the trace of its job, if that has one."""
    if not plan.traceparent:
        return []
    name = plan.lease[0]
    place = trace_context.of_attempt(plan.traceparent, name, plan.rows[name].attempt + 1)
    return [{"name": trace_context.VARIABLE, "value": place}]
