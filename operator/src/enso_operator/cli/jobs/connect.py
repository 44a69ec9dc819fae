"""Connects the commands about jobs to the API server, and prints their errors.

`commands.py` calls `run_command` for each of them; commands read one job with `job_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoCluster, NoSuchName, NotInstalled
from enso_operator.kube.workstation.kubeconfig import access
from job_execution_framework.domain.errors import EnsoError, InvalidAction, InvalidJob, Unreadable

REFUSED = 1
"""Exit code if a job refuses it; if the outcome is unknown, it is the one of `refuse`."""
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


def for_each(names: Iterable[str], call: Callable[[str], None]) -> list[int]:
    """Call it for each job, also after an error of another job; return the exit codes of errors.

    If the API server does not answer, the remaining jobs are named in the error and left out.
    """
    jobs, codes = [*dict.fromkeys(names)], list[int]()
    for number, name in enumerate(jobs, start=1):
        try:
            call(name)
        except NotInstalled:
            raise
        except (InvalidAction, InvalidJob) as error:
            refuse(str(error))
            codes.append(REFUSED)
        except (NoSuchName, Unreadable) as error:
            codes.append(refuse(str(error)))
        except NoCluster as error:
            left = ", ".join(jobs[number:])
            codes.append(refuse(f"{name}: {error}" + (f"; not asked: {left}" if left else "")))
            break
        except EnsoError as error:  # its sentence does not name the job
            codes.append(refuse(f"{name}: {error}"))
    return codes


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
