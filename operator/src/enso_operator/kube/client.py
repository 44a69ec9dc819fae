"""All calls to the API server. The client's exceptions are turned into the core's errors here.

Every call blocks, up to a deadline: the operator makes calls by `on_loop`, and a few in threads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar, cast

from kubernetes.client import ApiClient
from kubernetes.config import ConfigException
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as TooSlow

from enso_operator.api.document import Document
from enso_operator.api.fields import OBJECT_NAME
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.merge_patch import has_null_in_list, merged
from enso_operator.kube.pages import Reader, named, whole
from enso_operator.on_loop import is_on_loop, wait_for
from job_execution_framework.domain.errors import (
    Conflict,
    EnsoError,
    NoAnswer,
    NotYet,
    Unavailable,
)
from job_execution_framework.service_layer import bounded_json

DEADLINE_SECONDS = 10.0
"""How long one request may take. A write that took longer may have happened all the same."""
LONGEST_NAME = 253
FIRST_PAGE, LARGEST_PAGE = 16, 500
"""Objects in the first page of a list, and at most in any other page."""
PAGE_BYTES = 2 * 1024**2
"""Target size of a page: objects have from a hundred to more than a million bytes."""
JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""The columns of the CRD, and of each object only its metadata: what kubectl asks for."""

_NO_ROOM = r'\S+ "[^"]*" is forbidden: exceeded quota: '
"""What its own quotas say: a webhook's words, or a policy's, stand behind its name."""
Operations = list[Document]
"""A JSON patch (RFC 6902)."""
P = ParamSpec("P")
R = TypeVar("R")


class NoSuchObject(EnsoError):
    """There is no object of this name."""


class Taken(Conflict):
    """There is an object of this name already."""


class Refused(EnsoError):
    """The API server refuses the request; a retry does not help."""


class Forbidden(Refused):
    """401 or 403: the credentials are not accepted, or lack a right that the message names."""


class Unauthorized(Forbidden):
    """401: the API server does not know whose credentials these are, or any more."""


class NoRoom(Forbidden):
    """403: a quota is used up."""


@contextmanager
def waiting(reason: str = "") -> Generator[None]:
    """Turn Refused into NotYet: people may change a right, a quota or a webhook."""
    try:
        yield
    except Refused as error:
        raise NotYet(str(error), reason) from error
    except Unavailable as error:
        error.reason = error.reason or reason
        raise


def translating_errors(call: Callable[P, R]) -> Callable[P, R]:
    """Turn the client's exceptions into the core's errors, with the API server's message."""

    @wraps(call)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except ConfigException as error:  # tokens are renewed before a request
            raise Unavailable(f"the credentials cannot be renewed: {error}") from error
        except (HTTPError, OSError) as error:
            raise no_answer(error) from error

    return inner


def no_answer(error: Exception) -> NoAnswer:
    """Return the core's error for what went wrong with a connection."""
    return NoAnswer(f"the API server did not answer: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Return what happened to the connection, without the client's own details."""
    if isinstance(error, MaxRetryError) and error.reason:
        error = error.reason
    if isinstance(error, TooSlow | TimeoutError) and not isinstance(error, NewConnectionError):
        return f"not within {DEADLINE_SECONDS:g} s"
    return re.sub(r"^\w+\(host=[^)]*\): ", "", str(error) or type(error).__name__)


def error_of(method: str, status: int, reason: str, body: str) -> EnsoError:
    """Return the core's error for an answer of the API server that is none of success."""
    said = _field_of(body, "message") or reason  # the message of a Status object
    if status == 404:  # noqa: PLR2004  # the codes of HTTP
        return NoSuchObject(said)
    if status == 409:  # noqa: PLR2004
        return _conflict_of(method, _field_of(body, "reason"), said)
    if status == 403 and re.match(_NO_ROOM, said):  # noqa: PLR2004
        return NoRoom(f"the API server does not let us (403): {said}")
    if status in (401, 403):
        refused = Unauthorized if status == 401 else Forbidden  # noqa: PLR2004
        return refused(f"the API server does not let us ({status}): {said}")
    if status in (408, 410, 429) or not 400 <= status < 500:  # noqa: PLR2004
        return Unavailable(f"the API server answered {status}: {said}")
    if status == 413:  # noqa: PLR2004
        return Refused("the API server refuses it: the object is too large")
    return Refused(f"the API server refuses it ({status}): {said}")


def _conflict_of(method: str, reason: str, said: str) -> EnsoError:
    """Return what 409 means: only a write of what exists finds that somebody else changed it.

    A read conflicts with nothing, and an object that is created at most with another one in the
    count of a quota: both can be asked for again.
    """
    if method == "POST" and reason == "AlreadyExists":
        return Taken(said)
    return Unavailable(said) if method in ("GET", "POST") else Conflict(said)


def _field_of(body: str, field: str) -> str:
    """Return a field of a Status object, "" where the answer is none."""
    try:
        return str(bounded_json.loads(body)[field])
    except (ValueError, KeyError, TypeError):
        return ""


@dataclass(frozen=True)
class ApiObjects:
    """Implements `objects.Objects` for an API server; a kind is named by its plural.

    Every call may raise Unavailable and Refused.
    """

    client: ApiClient
    namespace: str
    plural: str
    api: str = API_VERSION
    """Group and version of the kind."""

    def beside(self, plural: str, api: str = API_VERSION) -> ApiObjects:
        """Return the objects of another kind in the same place; `api` is its group and version."""
        return ApiObjects(self.client, self.namespace, plural, api)

    def within(self, namespace: str) -> ApiObjects:
        """Return the objects of this kind in another namespace."""
        return ApiObjects(self.client, namespace, self.plural, self.api)

    def get(self, name: str) -> Document:
        """Return the object; raise NoSuchObject."""
        return request(self.client, "GET", self._path_of(name))

    def metadata(self) -> Iterator[Document]:
        """Yield the name, uid and version of each, as in its metadata."""
        return (document["metadata"] for document in self._each({}, METADATA_ONLY, named))

    def each(
        self, *, fields: str = "", labels: str = "", read: Reader = whole
    ) -> Iterator[Document]:
        """Yield each object that the selectors select; only one page is held in memory."""
        selectors = {"fieldSelector": fields, "labelSelector": labels}
        return self._each({name: value for name, value in selectors.items() if value}, JSON, read)

    def table(self) -> Iterator[Document]:
        """Yield the pages of the table of all objects; only one page is held in memory."""
        return self._pages({}, TABLE)

    def _each(self, query: Mapping[str, str], accept: str, read: Reader) -> Iterator[Document]:
        for page in self._pages(query, accept, read):
            yield from page.pop("items") or ()  # null where there are none

    def _pages(
        self, query: Mapping[str, str], accept: str, read: Reader = whole
    ) -> Iterator[Document]:
        limit, following = FIRST_PAGE, ""
        while True:
            data = self._page(limit, following, query, accept)
            page = _document(data, read)
            found = len(page.get("rows" if accept == TABLE else "items") or ())
            following = page["metadata"].get("continue", "")
            limit = min(LARGEST_PAGE, max(1, PAGE_BYTES * found // len(data)))
            del data
            yield page
            if not following:
                return

    def check(self) -> None:
        """Raise NoSuchObject where their kind is not installed."""
        _document(self._page(1, "", {}, JSON))

    def version(self) -> str:
        """Return the version of all of them together: a watch from there on misses nothing."""
        page = _document(self._page(1, "", {}, METADATA_ONLY))
        return str(page["metadata"]["resourceVersion"])

    def _page(self, limit: int, following: str, query: Mapping[str, str], accept: str) -> bytes:
        query = {**query, "limit": str(limit), **({"continue": following} if following else {})}
        return ask(self.client, "GET", self._path(), query=query, accept=accept)

    def create(self, document: Document) -> Document:
        """Create the object and return the stored one; raise Taken where the name exists."""
        return request(self.client, "POST", self._path(), document)

    def patch(self, name: str, version: str, spec: Document) -> Document:
        """Merge `spec` into the spec, if the object is still of that version; else Conflict."""
        changes = {"metadata": {"resourceVersion": version}, "spec": spec}
        return request(self.client, "PATCH", self._path_of(name), changes)

    def patch_status(self, name: str, version: str, patch: Document) -> Document:
        """Merge `patch` into the status, if the object is still of that version; else Conflict."""
        changes: Document | Operations = {
            "metadata": {"resourceVersion": version},
            "status": patch,
        }
        if has_null_in_list(patch):
            whole = merged(self.get(name).get("status"), patch)
            changes = [
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
                {"op": "add", "path": "/status", "value": whole},
            ]
        return request(self.client, "PATCH", f"{self._path_of(name)}/status", changes)

    def own(self, name: str, version: str, owners: list[Document]) -> Document:
        """Replace its ownerReferences, if the object is still of that version; else Conflict."""
        changes = {"metadata": {"resourceVersion": version, "ownerReferences": owners}}
        return request(self.client, "PATCH", self._path_of(name), changes)

    def delete(self, name: str, uid: str, version: str) -> None:
        """Delete the object, if it is still the same one, unchanged; else Conflict."""
        preconditions = {"uid": uid, "resourceVersion": version}
        request(self.client, "DELETE", self._path_of(name), {"preconditions": preconditions})

    def _path(self) -> str:
        return path_of(self.namespace, self.plural, self.api)

    def _path_of(self, name: str) -> str:
        """Return the object's path: with `..`, or without a name, it would be another one's."""
        if len(name) > LONGEST_NAME or not re.fullmatch(OBJECT_NAME, name):
            raise NoSuchObject("no object can have this name")
        return f"{self._path()}/{name}"


def path_of(namespace: str, plural: str, api: str) -> str:
    """Return the path of all objects of a kind, in a namespace or in all of them."""
    place = f"/namespaces/{namespace}" if namespace else ""
    group = "apis" if "/" in api else "api"  # only the core group has no name
    return f"/{group}/{api}{place}/{plural}"


def uid_of_namespace(client: ApiClient, name: str) -> str:
    """Return the uid of a namespace; that of kube-system tells one cluster from another."""
    return str(request(client, "GET", f"/api/v1/namespaces/{name}")["metadata"]["uid"])


def request(
    client: ApiClient,
    method: str,
    path: str,
    body: Document | Operations | None = None,
    *,
    query: Mapping[str, str] = MappingProxyType({}),
    read: Reader = whole,
) -> Document:
    """Return what the API server answers, as far as `read` reads it."""
    return _document(ask(client, method, path, body, query=query), read)


@translating_errors
def ask(
    client: ApiClient,
    method: str,
    path: str,
    body: Document | Operations | None = None,
    *,
    query: Mapping[str, str] = MappingProxyType({}),
    accept: str = JSON,
) -> bytes:
    """Return the bytes of what the API server answers.

    Only the client's configuration, credentials and connections are used. Its classes for each kind
    of object take a second to load, and what it does to a body costs as much CPU as sending it.
    A call of `on_loop` needs a `LoopClient`, which has connections and credentials of its own.
    """
    text, is_waiting = None if body is None else json.dumps(body), is_on_loop()
    headers = {"Accept": accept}
    if body is not None:
        patch = JSON_PATCH if isinstance(body, list) else MERGE_PATCH
        headers["Content-Type"] = patch if method == "PATCH" else JSON
    calls: Any = client  # untyped in the client
    _, url, headers, _, _ = calls.param_serialize(
        method,
        path,
        query_params=[*query.items()],
        header_params=headers,
        auth_settings=[] if is_waiting else ["BearerToken"],
    )
    if is_waiting:
        sent: Awaitable[bytes] = calls.send(method, url, text, headers)
        return wait_for(sent)
    connections: PoolManager = calls.rest_client.pool_manager
    answer = connections.urlopen(
        method,
        url,
        body=text,
        headers=headers,
        timeout=DEADLINE_SECONDS,
        redirect=False,
    )
    return accepted(method, answer.status, answer.reason or "", answer.data)


def accepted(method: str, status: int, reason: str, data: bytes) -> bytes:
    """Return the body of an answer that says success; raise the core's error for any other."""
    if status // 100 != 2:  # noqa: PLR2004  # the codes of HTTP
        raise error_of(method, status, reason, data.decode(errors="replace"))
    return data


def _document(data: bytes, read: Reader = whole) -> Document:
    """Return the object in an answer, without what is nested too deeply: somebody stored it."""
    try:
        answer = read(data)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):  # a proxy's page, or another server altogether
        raise Unavailable("what answered is no API server")
    return cast("Document", answer)
