"""Common start of all commands about jobs: connect to the API server, and report errors."""

from __future__ import annotations

from collections.abc import Callable

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName, NotInstalled
from enso_operator.kube.workstation.kubeconfig import access
from job_execution_framework.domain.errors import EnsoError

NOT_INSTALLED = (
    "this cluster has no EnsoJobs: install them with kubectl apply --server-side -f deploy/crds"
)


def answer_of(
    ask: Callable[[ApiServer], int], kubeconfig: str, context: str, namespace: str
) -> int:
    """Ask the API server that is meant; return the exit code. What went wrong is one sentence."""
    try:
        return ask(ApiServer(access(kubeconfig, context, namespace)))
    except NotInstalled:
        return refuse(NOT_INSTALLED)
    except EnsoError as error:
        return refuse(str(error))


def job_of(api: ApiServer, name: str) -> Document:
    """Return an EnsoJob; raise NoSuchName, with names that are like it."""
    try:
        return api.get(api.path("ensojobs", name))
    except NoSuchName as error:
        raise no_such_job(api, name) from error


def no_such_job(api: ApiServer, name: str) -> NoSuchName:
    """Return the sentence for a job that is not there, with names that are like it."""
    from enso_operator.cli.jobs.names import near  # noqa: PLC0415  # only for a name that is wrong

    return NoSuchName(
        f"there is no job {name!r} in namespace {api.access.namespace}{near(api, name)}", 404
    )
