"""Connects the operator and the HTTP API to an API server: by kubeconfig, or as a Pod does."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import (
    ConfigException,
    list_kube_config_contexts,  # pyright: ignore[reportUnknownVariableType]
    load_incluster_config,  # pyright: ignore[reportUnknownVariableType]
    load_kube_config,  # pyright: ignore[reportUnknownVariableType]
)

from enso_operator.api.fields import NAME
from enso_operator.kube.client import ApiObjects, Forbidden, NoSuchObject, Refused
from enso_operator.kube.status.fields import one_line
from job_execution_framework.domain.errors import EnsoError, Unavailable

USERS_KUBECONFIG = "~/.kube/config"
POD_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
POD_NAMESPACE = POD_FOLDER / "namespace"
LONGEST_NAMESPACE = 63


Named = dict[str, dict[str, object]]
"""A context of a kubeconfig."""


class NotConnected(EnsoError):
    """There is no API server to ask; the sentence says what to change."""


def connect(namespace: str, calls: int) -> ApiObjects:
    """Return the EnsoJobs of a namespace, by default of the configuration's own.

    As many connections are kept as `calls` may be made at once. Raises NotConnected, also where
    the API server cannot be asked for EnsoJobs.
    """
    configuration, own = configured(calls)
    jobs = ensojobs(ApiClient(configuration), namespace or own)
    with explained(jobs.client):
        jobs.check()
    return jobs


def ensojobs(client: ApiClient, namespace: str) -> ApiObjects:
    """Return the EnsoJobs of a namespace, by default of "default"; raise NotConnected."""
    jobs = ApiObjects(client, namespace or "default", "ensojobs")
    check_namespace(jobs.namespace)
    return jobs


def configured(calls: int) -> tuple[Configuration, str]:
    """Return how to reach the configured API server, and the namespace that goes with it.

    As many connections are kept as `calls` may be made at once. Raises NotConnected.
    """
    configuration = Configuration(retries=0, connection_pool_maxsize=calls)
    return configuration, _configure(configuration)


def own_namespace() -> str:
    """Return the namespace of the Pod that this runs in; outside of Pods "default"."""
    try:
        return POD_NAMESPACE.read_text("utf-8").strip()
    except OSError:
        return "default"


def check_namespace(name: str) -> None:
    """Raise NotConnected where no namespace can have this name."""
    if len(name) > LONGEST_NAMESPACE or not re.fullmatch(NAME, name):
        raise NotConnected(f"{name!r} is no namespace's name")


@contextmanager
def explained(client: ApiClient) -> Generator[None]:
    """Turn errors of the first requests into NotConnected, with a sentence that says what to do."""
    host = configuration_of(client).host
    try:
        yield
    except NoSuchObject as error:
        raise NotConnected(
            f"the API server at {host} has no EnsoJobs: install them with "
            "kubectl apply --server-side -f deploy/crds"
        ) from error
    except Forbidden as error:
        raise NotConnected(f"{error}; SECURITY.md says what the server needs") from error
    except (Unavailable, Refused) as error:
        raise NotConnected(f"{error}; it was asked at {host}") from error


def configuration_of(client: ApiClient) -> Configuration:
    """Return the client's configuration."""
    held: dict[str, Configuration] = vars(client)  # untyped in the client
    return held["configuration"]


def kubeconfigs() -> str:
    """Return the paths of the kubeconfigs, as KUBECONFIG has them; "" in a Pod without any.

    Raises NotConnected where there is neither.
    """
    paths = os.environ.get("KUBECONFIG") or USERS_KUBECONFIG
    # As kubectl: where there is no home, there is nothing in it, and that is no error.
    named = [os.path.expanduser(path) for path in paths.split(os.pathsep) if path]  # noqa: PTH111
    if any(Path(path).exists() for path in named):
        return paths
    if os.environ.get("KUBECONFIG"):
        raise NotConnected(f"KUBECONFIG names {paths}, which does not exist")
    if "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise NotConnected(
            f"there is no cluster to ask: no KUBECONFIG, no {USERS_KUBECONFIG}, and this is no "
            "Pod; set KUBECONFIG, or add --embedded to keep jobs in memory"
        )
    return ""


@contextmanager
def usable(paths: str) -> Generator[None]:
    """Turn what is wrong with kubeconfigs into NotConnected."""
    try:
        yield
    except (ConfigException, yaml.YAMLError, OSError, ValueError) as error:
        why = one_line(str(error))
    except Exception as error:  # noqa: BLE001  # the loader stumbles over what is no kubeconfig
        why = f"it is no kubeconfig ({type(error).__name__})"
    else:
        return
    raise NotConnected(f"the kubeconfig {paths} cannot be used: {why}")


def namespace_in(paths: str) -> str:
    """Return the namespace of the kubeconfigs' current context, "" where it has none."""
    _, current = cast("tuple[object, Named]", list_kube_config_contexts(paths))  # type: ignore[no-untyped-call]
    return str(current["context"].get("namespace") or "")


def _configure(configuration: Configuration) -> str:
    """Fill in the server and the credentials; return the namespace of that context, if any."""
    if paths := kubeconfigs():
        with usable(paths):
            load_kube_config(paths, client_configuration=configuration)  # type: ignore[no-untyped-call]
            return namespace_in(paths)
    try:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        return POD_NAMESPACE.read_text("utf-8").strip()
    except (ConfigException, OSError) as error:
        raise NotConnected(f"the Pod's service account cannot be used: {error}") from error
