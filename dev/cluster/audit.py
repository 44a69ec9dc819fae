"""Reads the API server's audit log, to count the requests that something makes.

mark = cluster.audit.mark()
…
writes = [request for request in cluster.audit.since(mark) if request.is_write]
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request that the API server answered, or a watch that it began."""

    verb: str
    """As RBAC has it: get, list, watch, create, update, patch, delete, deletecollection."""
    path: str
    resource: str
    """With its subresource: `pods`, `ensojobs/status`; empty for paths such as `/version`."""
    namespace: str
    name: str
    user: str
    user_agent: str
    code: int

    @property
    def is_write(self) -> bool:
        """Say whether it could have changed something."""
        return self.verb not in {"get", "list", "watch"}


@dataclass(frozen=True)
class AuditLog:
    """The log of one cluster. It is written before the API server has done with a request."""

    path: Path

    def mark(self) -> int:
        """Return the place to count from."""
        return self.path.stat().st_size

    def since(self, mark: int) -> list[Request]:
        """Return every request answered since then, in order."""
        with self.path.open("rb") as file:
            file.seek(mark)
            whole, _, _ = file.read().rpartition(b"\n")
        # A watch has a line for its begin and one for its end.
        entries: dict[str, Any] = {}
        for line in whole.splitlines():
            entry = json.loads(line)
            entries.setdefault(entry["auditID"], entry)
        return [_request(entry) for entry in entries.values()]


def _request(entry: dict[str, Any]) -> Request:
    what = entry.get("objectRef", {})
    parts = (what.get("resource", ""), what.get("subresource", ""))
    return Request(
        verb=entry["verb"],
        path=entry["requestURI"],
        resource="/".join(part for part in parts if part),
        namespace=what.get("namespace", ""),
        name=what.get("name", ""),
        user=entry["user"].get("username", ""),
        user_agent=entry.get("userAgent", ""),
        code=entry.get("responseStatus", {}).get("code", 0),
    )
