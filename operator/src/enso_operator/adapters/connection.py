"""Which API server is asked, and in which namespace: as kubectl does, or as what runs in a Pod."""

from __future__ import annotations

import os
import re
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

from enso_operator.adapters.kube import Forbidden, NoSuchObject, Objects, Refused
from enso_operator.adapters.status_fields import one_line
from enso_operator.api.fields import NAME
from job_execution_framework.domain.errors import EnsoError, Unavailable

USERS_KUBECONFIG = "~/.kube/config"
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
LONGEST_NAMESPACE = 63


Named = dict[str, dict[str, object]]
"""A context of a kubeconfig."""


class NotConnected(EnsoError):
    """There is no API server to ask; the sentence says what to change."""


def connect(namespace: str, calls: int) -> Objects:
    """Return the EnsoJobs of a namespace, by default of the configuration's own.

    As many connections are kept as `calls` may be made at once. Raises NotConnected, also where
    the API server cannot be asked for EnsoJobs.
    """
    configuration = Configuration(retries=0, connection_pool_maxsize=calls)
    configured = _configure(configuration)
    jobs = Objects(ApiClient(configuration), namespace or configured or "default", "ensojobs")
    if len(jobs.namespace) > LONGEST_NAMESPACE or not re.fullmatch(NAME, jobs.namespace):
        raise NotConnected(f"{jobs.namespace!r} is no namespace's name")
    try:
        jobs.page(limit=1)
    except NoSuchObject as error:
        raise NotConnected(
            f"the API server at {configuration.host} has no EnsoJobs: install them with "
            "kubectl apply --server-side -f deploy/crds"
        ) from error
    except Forbidden as error:
        raise NotConnected(f"{error}; SECURITY.md says what the server needs") from error
    except (Unavailable, Refused) as error:
        raise NotConnected(f"{error}; it was asked at {configuration.host}") from error
    return jobs


def _configure(configuration: Configuration) -> str:
    """Fill in whom to ask and who asks; return the namespace that goes with it, if one does."""
    paths = os.environ.get("KUBECONFIG") or USERS_KUBECONFIG
    if any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path):
        return _from_file(paths, configuration)
    if os.environ.get("KUBECONFIG"):
        raise NotConnected(f"KUBECONFIG names {paths}, which does not exist")
    if "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise NotConnected(
            f"there is no cluster to ask: no KUBECONFIG, no {USERS_KUBECONFIG}, and this is no "
            "Pod; set KUBECONFIG, or add --embedded to keep jobs in memory"
        )
    try:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        return POD_NAMESPACE.read_text("utf-8").strip()
    except (ConfigException, OSError) as error:
        raise NotConnected(f"the Pod's service account cannot be used: {error}") from error


def _from_file(paths: str, configuration: Configuration) -> str:
    try:
        load_kube_config(paths, client_configuration=configuration)  # type: ignore[no-untyped-call]
        _, current = cast("tuple[object, Named]", list_kube_config_contexts(paths))  # type: ignore[no-untyped-call]
        return str(current["context"].get("namespace") or "")
    except (ConfigException, yaml.YAMLError, OSError, ValueError) as error:
        why = one_line(str(error))
    except Exception as error:  # noqa: BLE001  # the loader stumbles over what is no kubeconfig
        why = f"it is no kubeconfig ({type(error).__name__})"
    raise NotConnected(f"the kubeconfig {paths} cannot be used: {why}")
