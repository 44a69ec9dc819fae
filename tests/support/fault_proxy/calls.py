"""A call: verb, resource and name of a request, as RBAC has them, for the rules to choose by."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_OF_THE_NAMESPACE_ITSELF = {"status", "finalize"}
_NO = {"false", "0"}


@dataclass(frozen=True)
class Call:
    """One request, and its result so far."""

    number: int
    """1, 2, 3 … in the order in which requests had arrived completely."""
    path: str
    """As it was sent, with its query."""
    agent: str
    """The User-Agent: who called."""
    body: bytes
    verb: str
    """As RBAC has it: get, list, watch, create, update, patch, delete, deletecollection."""
    resource: str
    """With its subresource: `pods`, `ensojobs/status`; empty for paths such as `/version`."""
    namespace: str
    name: str
    """Empty for a create: its name is in the body, if anywhere."""
    is_stream: bool
    """Whether its answer has no end of its own: a watch, or a followed log."""
    reached: bool = False
    """Whether the proxy sent it to the server. False: certainly not."""
    code: int = 0
    """What the server answered; 0: nothing, or nothing yet."""
    told: int = 0
    """The status code that the caller got; 0: none. A rule may change it from `code`."""
    passed_on: bool = False
    """Whether the caller got the server's whole answer; of a stream, its headers."""
    done: bool = False
    """Whether the call has ended; of a stream: whether it is closed.

    Wait for it before you look at `told` and `passed_on`: a caller has its answer a moment earlier.
    """
    error: str = ""
    """What broke between the proxy and the server."""

    @property
    def is_write(self) -> bool:
        """Say whether it could have changed something."""
        return self.verb not in {"get", "list", "watch"}


def read_call(number: int, method: str, path: str, agent: str, body: bytes) -> Call:
    """Read a request, as the API server's own RequestInfo does."""
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    where = _below_the_version(parts.path)
    namespace = ""
    if len(where) > 1 and where[0] == "namespaces":
        namespace = where[1]
        if len(where) > 2 and where[2] not in _OF_THE_NAMESPACE_ITSELF:
            where = where[2:]
    resource, name, subresource = (*where, "", "", "")[:3]
    verb = _verb(method, query, is_of_object=bool(name or not resource))
    return Call(
        number=number,
        path=path,
        agent=agent,
        body=body,
        verb=verb,
        resource=f"{resource}/{subresource}" if subresource else resource,
        namespace=namespace,
        name=name or _the_only_name(query),
        is_stream=verb == "watch" or (subresource == "log" and _says(query, "follow")),
    )


def _below_the_version(path: str) -> list[str]:
    """Return the segments that name the object; none where the path names no resource."""
    segments = [unquote(segment) for segment in path.split("/") if segment]
    if segments[:1] == ["api"]:
        return segments[2:]
    return segments[3:] if segments[:1] == ["apis"] else []


def _verb(method: str, query: dict[str, list[str]], *, is_of_object: bool) -> str:
    if method in _VERBS:
        return _VERBS[method]
    if method == "DELETE":
        return "delete" if is_of_object else "deletecollection"
    if is_of_object:
        return "get"
    return "watch" if _says(query, "watch") else "list"


def _says(query: dict[str, list[str]], switch: str) -> bool:
    return switch in query and query[switch][0].lower() not in _NO


def _the_only_name(query: dict[str, list[str]]) -> str:
    """Return the name of a list or watch of one object."""
    wanted = (selector.partition("=") for selector in query.get("fieldSelector", []))
    return next((name for field, _, name in wanted if field == "metadata.name"), "")
