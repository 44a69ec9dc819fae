"""Connects the commands about jobs to the API server, and prints their errors.

`commands.py` calls `run_command` for each of them; commands read one job with `job_of`.
"""

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


def run_command(
    command: Callable[[ApiServer], int], kubeconfig: str, context: str, namespace: str
) -> int:
    """Call the command with the chosen API server; return its exit code. Print errors."""
    try:
        return command(ApiServer(access(kubeconfig, context, namespace)))
    except NotInstalled:
        return refuse(NOT_INSTALLED)
    except EnsoError as error:
        return refuse(str(error))


def job_of(api: ApiServer, name: str) -> Document:
    """Return an EnsoJob; raise NoSuchName, with similar names."""
    try:
        return api.get(api.path("ensojobs", name))
    except NoSuchName as error:
        raise no_such_job(api, name) from error


def no_such_job(api: ApiServer, name: str) -> NoSuchName:
    """Return the error for a job that does not exist, with similar names."""
    from enso_operator.cli.jobs.names import suggestions  # noqa: PLC0415  # only for unknown names

    return NoSuchName(
        f"there is no job {name!r} in namespace {api.access.namespace}{suggestions(api, name)}", 404
    )
