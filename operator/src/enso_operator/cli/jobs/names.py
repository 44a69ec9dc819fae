"""Names of jobs: those like a name that is wrong, and those that a shell completes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from enso_operator.cli.jobs import scripts
from enso_operator.kube.workstation.api_server import TABLE, ApiServer
from enso_operator.kube.workstation.kubeconfig import access
from job_execution_framework.domain.errors import EnsoError

MOST = 5000
"""Names that are looked through."""


def names(api: ApiServer) -> Iterator[str]:
    """Yield the names of the namespace's jobs; of each job nothing else is fetched."""
    query = {"includeObject": "None"}
    for page in api.pages(api.path("ensojobs"), query, accept=TABLE):
        for row in page["rows"] or ():
            yield str(row["cells"][0])


def near(api: ApiServer, name: str) -> str:
    """Return which jobs may be meant: the end of a sentence that says there is no such job."""
    import difflib  # noqa: PLC0415  # only for a name that is wrong

    known = [*islice(names(api), MOST)]
    if not known:
        return ", which has no jobs at all"
    alike = difflib.get_close_matches(name, known, 3)
    alike += [found for found in known if name in found and found not in alike][:3]
    return f"; did you mean {' or '.join(alike[:3])}?" if alike else ""


def completions(given: Mapping[str, object], incomplete: str) -> list[str]:
    """Return the names of jobs that begin so; none where the cluster cannot be asked."""
    try:
        found = islice(names(_api_server(given)), MOST)
        return [name for name in found if name.startswith(incomplete)]
    except EnsoError:
        return []


def script_completions(given: Mapping[str, object], job: str, incomplete: str) -> list[str]:
    """Return the names of a job's scripts that begin so; none where it cannot be asked for."""
    try:
        api = _api_server(given)
        document = api.get(api.path("ensojobs", job)) if job else {}
    except EnsoError:
        return []
    found = [str(script["name"]) for script in scripts.of(document)]
    return [name for name in found if name.startswith(incomplete)]


def _api_server(given: Mapping[str, object]) -> ApiServer:
    chosen = (str(given.get(name) or "") for name in ("kubeconfig", "context", "namespace"))
    return ApiServer(access(*chosen))
