"""Common start of all commands about jobs: connect to the API server, and report errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from enso_operator.api.document import Document
from enso_operator.cli.display import refuse
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoCluster, NoSuchName, NotInstalled
from enso_operator.kube.workstation.kubeconfig import access
from job_execution_framework.domain.errors import EnsoError, InvalidAction, InvalidJob, Unreadable

REFUSED = 1
"""Exit code of what a job refuses; what nobody can know has the exit code of `refuse`."""
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


def for_each(names: Iterable[str], ask: Callable[[str], None]) -> list[int]:
    """Ask of each job, also where another one is refused; return the exit codes of what failed.

    Where the API server does not answer, the jobs that are left are named and not asked.
    """
    jobs, codes = [*dict.fromkeys(names)], list[int]()
    for number, name in enumerate(jobs, start=1):
        try:
            ask(name)
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
        except EnsoError as error:  # a sentence that does not name the job
            codes.append(refuse(f"{name}: {error}"))
    return codes


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
