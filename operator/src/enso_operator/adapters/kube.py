"""The door to the API server. Its client's exceptions stop here: what passes is the core's errors.

Every call blocks, up to a deadline: the operator makes them in threads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from kubernetes.client import (
    ApiClient,
    ApiException,
    CoreV1Api,
    CoreV1Event,
    CustomObjectsApi,
    V1DeleteOptions,
    V1Preconditions,
)
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as TooSlow

from enso_operator.api.fields import OBJECT_NAME
from enso_operator.api.v1alpha1 import API_VERSION
from job_execution_framework.domain.errors import Conflict, EnsoError, Unavailable

GROUP, VERSION = API_VERSION.split("/")
DEADLINE_SECONDS = 10.0
"""How long one request may take. A write that took longer may have happened all the same."""
LONGEST_NAME = 253
PAGE = 500
"""Objects that one answer to a list holds."""
MERGE_PATCH = "application/merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Document = dict[str, Any]
"""An object of the API server, as JSON."""
P = ParamSpec("P")
R = TypeVar("R")


class NoSuchObject(EnsoError):
    """There is no object of this name."""


class Refused(EnsoError):
    """The API server will not do this, however often it is asked."""


class Forbidden(Refused):
    """It does not know us, or has not given us the right; its sentence says which is missing."""


def in_our_words(call: Callable[P, R]) -> Callable[P, R]:
    """Turn what the client raises into errors of ours, each with the API server's sentence."""

    @wraps(call)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except ApiException as error:
            raise _meant(error) from error
        except ConfigException as error:  # tokens are renewed before a request
            raise Unavailable(f"the credentials cannot be renewed: {error}") from error
        except (HTTPError, OSError) as error:
            raise Unavailable(f"the API server did not answer: {_reason(error)}") from error

    return inner


def _reason(error: Exception) -> str:
    """Return what happened to the connection, without what the client tells of itself."""
    if isinstance(error, MaxRetryError) and error.reason:
        error = error.reason
    if isinstance(error, TooSlow) and not isinstance(error, NewConnectionError):
        return f"not within {DEADLINE_SECONDS:g} s"
    return re.sub(r"^\w+\(host=[^)]*\): ", "", str(error))


def _meant(error: ApiException) -> EnsoError:
    held: dict[str, object] = vars(error)  # untyped in the client
    status, said = held["status"], _said(held)
    if not isinstance(status, int):
        return Unavailable(f"the API server did not answer: {said}")
    if status == 404:  # noqa: PLR2004  # the codes of HTTP
        return NoSuchObject(said)
    if status == 409:  # noqa: PLR2004
        return Conflict(said)
    if status in (401, 403):
        return Forbidden(f"the API server does not let us ({status}): {said}")
    if status in (408, 410, 429) or not 400 <= status < 500:  # noqa: PLR2004
        return Unavailable(f"the API server answered {status}: {said}")
    if status == 413:  # noqa: PLR2004
        return Refused("the API server refuses it: the object is too large")
    return Refused(f"the API server refuses it ({status}): {said}")


def _said(held: dict[str, object]) -> str:
    """Return the sentence of a Status object, or as much as there is."""
    try:
        return str(json.loads(str(held["body"]))["message"])
    except (ValueError, KeyError, TypeError):
        return str(held["reason"])


@dataclass(frozen=True)
class Objects:
    """The objects of one of our kinds, named by its plural, in one namespace.

    Every call may raise Unavailable and Refused.
    """

    client: ApiClient
    namespace: str
    plural: str

    @in_our_words
    def get(self, name: str) -> Document:
        """Return the object; raise NoSuchObject."""
        return _object(
            self._api.get_namespaced_custom_object(
                *self._where(), _checked(name), _request_timeout=DEADLINE_SECONDS
            )
        )

    def list(self) -> list[Document]:
        """Return all of them."""
        return [*self.each()]

    def each(self) -> Iterator[Document]:
        """Yield one after the other; no more than a page of them is held."""
        following = ""
        while True:
            page = self.page(PAGE, following)
            yield from page["items"]
            following = page["metadata"].get("continue", "")
            if not following:
                return

    @in_our_words
    def page(self, limit: int, following: str = "") -> Document:
        """Return a list of some of them; raise NoSuchObject where their kind is not installed."""
        return _object(
            self._api.list_namespaced_custom_object(
                *self._where(), limit=limit, _continue=following, _request_timeout=DEADLINE_SECONDS
            )
        )

    @in_our_words
    def create(self, document: Document) -> Document:
        """Create the object and return it as it is now; raise Conflict where its name is taken."""
        return _object(
            self._api.create_namespaced_custom_object(
                *self._where(), document, _request_timeout=DEADLINE_SECONDS
            )
        )

    @in_our_words
    def patch(self, name: str, version: str, spec: Document) -> Document:
        """Merge `spec` into the spec, if the object is still of that version; else Conflict."""
        return _object(
            self._api.patch_namespaced_custom_object(
                *self._where(),
                _checked(name),
                {"metadata": {"resourceVersion": version}, "spec": spec},
                _content_type=MERGE_PATCH,
                _request_timeout=DEADLINE_SECONDS,
            )
        )

    @in_our_words
    def patch_status(self, name: str, version: str, patch: Document) -> Document:
        """Merge `patch` into the status, if the object is still of that version; else Conflict."""
        return _object(
            self._api.patch_namespaced_custom_object_status(
                *self._where(),
                _checked(name),
                {"metadata": {"resourceVersion": version}, "status": patch},
                _content_type=MERGE_PATCH,
                _request_timeout=DEADLINE_SECONDS,
            )
        )

    @property
    def _api(self) -> CustomObjectsApi:
        return CustomObjectsApi(self.client)

    @in_our_words
    def delete(self, name: str, uid: str, version: str) -> None:
        """Delete the object, if it is still the same one, unchanged; else Conflict."""
        preconditions = V1Preconditions(uid=uid, resource_version=version)
        self._api.delete_namespaced_custom_object(
            *self._where(),
            _checked(name),
            body=V1DeleteOptions(preconditions=preconditions, propagation_policy="Background"),
            _request_timeout=DEADLINE_SECONDS,
        )

    def _where(self) -> tuple[str, str, str, str]:
        return GROUP, VERSION, self.namespace, self.plural


def _checked(name: str) -> str:
    """Return a name that an object can have: the client would let ``..`` lead to another path."""
    if len(name) > LONGEST_NAME or not re.fullmatch(OBJECT_NAME, name):
        raise NoSuchObject("no object can have this name")
    return name


def _object(answer: object) -> Document:
    if not isinstance(answer, dict):  # a proxy's page, or another server altogether
        raise Unavailable("what answered is no API server")
    return cast("Document", answer)


@in_our_words
def create_event(client: ApiClient, namespace: str, document: Document) -> None:
    """Create a core/v1 Event; raise Conflict where it was created before."""
    event = cast("CoreV1Event", CoreV1Event.from_dict(document))
    CoreV1Api(client).create_namespaced_event(namespace, event, _request_timeout=DEADLINE_SECONDS)


@in_our_words
def get_uid(client: ApiClient, namespace: str) -> str:
    """Return the uid of a namespace; that of kube-system tells one cluster from another."""
    found = CoreV1Api(client).read_namespace(namespace, _request_timeout=DEADLINE_SECONDS)
    return str(found.to_dict()["metadata"]["uid"])


@in_our_words
def list_metadata(client: ApiClient, plural: str, namespace: str | None) -> list[Document]:
    """Return the metadata of all objects of one of our kinds, of one namespace or of all."""
    api = CustomObjectsApi(client)
    found: list[Document] = []
    following: str | None = None
    while following != "":
        asked: dict[str, Any] = {
            "limit": PAGE,
            "_continue": following,
            "_headers": {"Accept": METADATA_ONLY},
            "_request_timeout": DEADLINE_SECONDS,
        }
        page = cast(
            "Document",
            api.list_namespaced_custom_object(GROUP, VERSION, namespace, plural, **asked)
            if namespace
            else api.list_cluster_custom_object(GROUP, VERSION, plural, **asked),
        )
        items: list[Document] = page["items"] or []  # null where there are none
        found += [item["metadata"] for item in items]
        following = page["metadata"].get("continue", "")
    return found
