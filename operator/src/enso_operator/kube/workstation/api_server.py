"""Requests to the API server: one answer, or a stream of lines.

The standard library's HTTP is used, as it is imported soonest.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast
from urllib.parse import quote, urlencode

from enso_operator.api.document import Document
from enso_operator.kube.workstation.connection import Connector
from enso_operator.kube.workstation.errors import Answered, NoCluster, NoSuchName, NotInstalled
from enso_operator.kube.workstation.kubeconfig import Access
from job_execution_framework.service_layer import bounded_json

JSON = "application/json"
TABLE = f"{JSON};as=Table;v=v1;g=meta.k8s.io"
"""The media type that kubectl requests: the CRD's columns, and only metadata of each object."""
APPLY = "application/apply-patch+yaml"
"""The media type of server-side apply; JSON is YAML, too."""
FIELD_MANAGER = "enso"
"""Who owns the fields that are applied."""
DEADLINE_SECONDS = 15.0
"""Read timeout of a request that is not a stream."""
PAGE = 500
"""Objects in one page of a list."""
LONGEST_LINE_BYTES = 8 * 1024 * 1024
"""Longest line of a stream. No object is longer; a longer line of a log comes in parts."""
_LARGEST_REFUSAL_BYTES = 64 * 1024
"""How much of a refusal is read."""
_GROUPS = {"pods": "/api/v1", "controllerrevisions": "/apis/apps/v1"}
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class _Body:
    """What a request sends."""

    method: str
    document: Document
    media_type: str = JSON


class ApiServer:
    """The API server of one kubeconfig. One thread uses it; another one needs its own."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._connector = Connector(access)
        self._kept: http.client.HTTPConnection | None = None
        """A connection that may be used again."""

    def close(self) -> None:
        """Close the kept connection."""
        if self._kept:
            self._kept.close()
        self._kept = None

    def path(self, plural: str, name: str = "", *, everywhere: bool = False) -> str:
        """Return the path of the namespace's objects of one kind, or of one of them."""
        base = _GROUPS.get(plural, "/apis/enso.dev/v1alpha1")
        place = "" if everywhere else f"/namespaces/{quote(self.access.namespace, safe='')}"
        return f"{base}{place}/{plural}" + (f"/{quote(name, safe='')}" if name else "")

    def get(
        self, path: str, query: Mapping[str, str] = _NO_QUERY, *, accept: str = JSON
    ) -> Document:
        """Return an object. Raises NoCluster and Answered."""
        return self._document(self._data(path, query, accept))

    def create(self, path: str, document: Document) -> Document:
        """Create an object and return it; it is sent once. Raises NoCluster and Answered.

        After NoCluster the object may have been created: the answer may have been lost.
        """
        return self._sent(_Body("POST", document), path, {"fieldValidation": "Strict"})

    def apply(self, path: str, document: Document, *, is_dry_run: bool = False) -> Document:
        """Create or change an object by server-side apply, and return it.

        Raises NoCluster, and Answered, also where somebody else has set a field to another value.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        if is_dry_run:
            query["dryRun"] = "All"
        return self._sent(_Body("PATCH", document, APPLY), path, query)

    def delete(self, path: str, *, uid: str) -> None:
        """Delete an object if it still has this uid. Raises NoCluster and Answered."""
        options = {"preconditions": {"uid": uid}, "apiVersion": "v1", "kind": "DeleteOptions"}
        self._sent(_Body("DELETE", options), path)

    def _sent(self, body: _Body, path: str, query: Mapping[str, str] = _NO_QUERY) -> Document:
        """Send a document once, and return the object that is answered."""
        connection = self._connector.connect(DEADLINE_SECONDS)
        try:
            return self._document(self._read(self._response(connection, path, query, JSON, body)))
        finally:
            connection.close()

    def _document(self, data: bytes) -> Document:
        try:
            answer: object = bounded_json.loads_cut(data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise NoCluster(f"what answers at {self.access.server} is no API server")
        return cast("Document", answer)

    def _data(self, path: str, query: Mapping[str, str], accept: str) -> bytes:
        kept, self._kept = self._kept, None
        connection = kept or self._connector.connect(DEADLINE_SECONDS)
        try:
            response = self._response(connection, path, query, accept)
            data = self._read(response)
        except NoCluster:
            connection.close()
            if kept:  # the API server may have closed it meanwhile
                return self._data(path, query, accept)
            raise
        if response.will_close:
            connection.close()
        else:
            self._kept = connection
        return data

    def pages(
        self, path: str, query: Mapping[str, str] = _NO_QUERY, *, accept: str = JSON
    ) -> Iterator[Document]:
        """Yield the pages of a list."""
        following = ""
        while True:
            part = {"limit": str(PAGE)} | ({"continue": following} if following else {})
            page = self.get(path, {**query, **part}, accept=accept)
            yield page
            following = str(page["metadata"].get("continue") or "")
            if not following:
                return

    def lines(
        self, path: str, query: Mapping[str, str] = _NO_QUERY, *, accept: str = JSON
    ) -> Iterator[bytes]:
        """Yield the lines of a stream as they come, until the API server ends it.

        Raises NoCluster also if the connection breaks.
        """
        connection = self._connector.connect(None)
        try:
            response = self._response(connection, path, query, accept)
            while line := self._read(response, is_line=True):
                yield line
        finally:
            connection.close()

    def _response(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        query: Mapping[str, str],
        accept: str,
        body: _Body | None = None,
    ) -> http.client.HTTPResponse:
        """Send a request and return its response, after one retry with new credentials."""
        path = f"{path}?{urlencode(query)}" if query else path
        response = self._send(connection, path, accept, body)
        if response.status == http.HTTPStatus.UNAUTHORIZED and self._connector.can_be_renewed():
            connection.close()
            response = self._send(connection, path, accept, body)
        if response.status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED):
            data = self._read(response, _LARGEST_REFUSAL_BYTES)
            connection.close()
            raise self._refusal(response.status, data)
        return response

    def _send(
        self, connection: http.client.HTTPConnection, path: str, accept: str, body: _Body | None
    ) -> http.client.HTTPResponse:
        headers = [("Accept", accept), *self._connector.headers()]
        data = json.dumps(body.document).encode() if body else None
        if body and data:
            headers += [("Content-Type", body.media_type), ("Content-Length", str(len(data)))]
        try:
            connection.putrequest(body.method if body else "GET", self._connector.target(path))
            for header, value in headers:
                connection.putheader(header, value)
            connection.endheaders(data)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._no_answer(error) from error

    def _read(
        self, response: http.client.HTTPResponse, most: int | None = None, *, is_line: bool = False
    ) -> bytes:
        try:
            return response.readline(LONGEST_LINE_BYTES) if is_line else response.read(most)
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: Exception) -> NoCluster:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return NoCluster(f"the API server at {self.access.server} does not answer: {why}")

    def _refusal(self, status: int, data: bytes) -> Answered:
        """Return the error for a response other than 200 and 201."""
        try:
            said: Document = bounded_json.loads(data)
            sentence = str(said["message"])
        except (ValueError, KeyError, TypeError):
            said, sentence = {}, data.decode("utf-8", "replace").strip()[:200]
        if status == http.HTTPStatus.NOT_FOUND:
            details: Document = said.get("details") or {}
            return (NoSuchName if details.get("name") else NotInstalled)(sentence, status)
        if status == http.HTTPStatus.FORBIDDEN:
            sentence = f"you lack a right in this cluster: {sentence}"
        elif status == http.HTTPStatus.UNAUTHORIZED:
            sentence = (
                f"the API server at {self.access.server} does not know you ({sentence}): log in "
                "again, or choose another --context"
            )
        else:
            sentence = f"the API server answers {status}: {sentence}"
        return Answered(sentence, status)
