"""Names of what is in a namespace: suggestions for unknown names, and completion in shells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from enso_operator.cli.jobs import scripts
from enso_operator.kube.workstation.api_server import TABLE, ApiServer
from enso_operator.kube.workstation.kubeconfig import access
from job_execution_framework.domain.errors import EnsoError

MOST_NAMES = 5000
"""The most names that are read."""


def names(api: ApiServer, plural: str = "ensojobs") -> Iterator[str]:
    """Yield the names of the namespace's jobs, or other objects; nothing else is fetched."""
    query = {"includeObject": "None"}
    for page in api.pages(api.path(plural), query, accept=TABLE):
        for row in page["rows"] or ():
            yield str(row["cells"][0])


def suggestions(api: ApiServer, name: str, plural: str = "ensojobs") -> str:
    """Return the end of a sentence about an unknown job, template or script: similar names."""
    import difflib  # noqa: PLC0415  # only for unknown names

    known = [*islice(names(api, plural), MOST_NAMES)]
    if not known:
        return f", which has no {plural.removeprefix('enso')} at all"
    similar = difflib.get_close_matches(name, known, 3)
    similar += [other for other in known if name in other and other not in similar][:3]
    return f"; did you mean {' or '.join(similar[:3])}?" if similar else ""


def completions(
    options: Mapping[str, object], incomplete: str, plural: str = "ensojobs"
) -> list[str]:
    """Return the names of jobs that start with this text; none if the cluster is unreachable."""
    try:
        candidates = islice(names(_api_server(options), plural), MOST_NAMES)
        return [name for name in candidates if name.startswith(incomplete)]
    except EnsoError:
        return []


def script_completions(options: Mapping[str, object], job: str, incomplete: str) -> list[str]:
    """Return the names of a job's scripts that start with this text; none if it is unknown."""
    try:
        api = _api_server(options)
        document = api.get(api.path("ensojobs", job)) if job else {}
    except EnsoError:
        return []
    candidates = [str(row["name"]) for row in scripts.rows(document)]
    return [name for name in candidates if name.startswith(incomplete)]


def _api_server(options: Mapping[str, object]) -> ApiServer:
    values = (str(options.get(name) or "") for name in ("kubeconfig", "context", "namespace"))
    return ApiServer(access(*values))
