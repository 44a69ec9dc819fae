"""The API server asked with a caller's token, and never with credentials of this server's own.

Of the kubeconfig only the cluster is read, and in a Pod only the CA certificate and the namespace:
no client certificate, no token and no credential program of the server's can reach a request.
"""

from __future__ import annotations

import os
from contextlib import suppress
from copy import copy
from typing import Any, cast

from kubernetes.client import ApiClient, Configuration
from kubernetes.config import load_kube_config_from_dict  # pyright: ignore[reportUnknownVariableType]
from kubernetes.config.kube_config import KubeConfigMerger

from enso_operator.kube.client import ApiObjects, Forbidden, NoSuchObject, Unauthorized, request
from enso_operator.kube.connection import (
    POD_FOLDER,
    POD_NAMESPACE,
    NotConnected,
    configuration_of,
    ensojobs,
    explained,
    kubeconfigs,
    namespace_in,
    usable,
)
from job_execution_framework.domain.secret import Secret

_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def connect_without_credentials(namespace: str, calls: int) -> ApiObjects:
    """Return the EnsoJobs of a namespace as nobody may ask for them: `of_caller` adds a token.

    The namespace is by default the configuration's own; as many connections are kept as `calls` may
    be made at once. Raises NotConnected, also where no API server answers.
    """
    configuration = Configuration(retries=0, connection_pool_maxsize=calls)
    configured = _configure(configuration)
    configuration.cert_file = configuration.key_file = None  # whatever a loader has read
    configuration.username = configuration.password = None
    configuration.api_key, configuration.refresh_api_key_hook = {}, None
    jobs = ensojobs(ApiClient(configuration), namespace or configured)
    with explained(jobs.client), suppress(Forbidden):  # which is an answer, too
        request(jobs.client, "GET", "/version")
    return jobs


def of_caller(jobs: ApiObjects, token: Secret) -> ApiObjects:
    """Return the same objects, asked for with a caller's token, over the same connections.

    What was said on a connection tells nothing of who says something next: each request brings its
    own token, and there is no client certificate.
    """
    client, configuration = copy(jobs.client), copy(configuration_of(jobs.client))
    configuration.api_key = {"BearerToken": f"Bearer {token.reveal()}"}
    vars(client)["configuration"] = configuration
    return ApiObjects(client, jobs.namespace, jobs.plural, jobs.api)


def user_name(client: ApiClient) -> str:
    """Return whose credentials the client has, "" where nobody may ask; raise Unauthorized."""
    try:
        review = request(client, "POST", _REVIEWS, _REVIEW)
    except Unauthorized:
        raise
    except (Forbidden, NoSuchObject):  # no role system:basic-user, or older than Kubernetes 1.28
        return ""
    return str(review["status"]["userInfo"]["username"])


def _configure(configuration: Configuration) -> str:
    """Fill in the server; return the namespace of that context, if any."""
    if paths := kubeconfigs():
        with usable(paths):
            merged: Any = KubeConfigMerger(paths).config  # type: ignore[no-untyped-call]
            cast("dict[str, object]", merged.value).pop("users", None)
            load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                merged, client_configuration=configuration, persist_config=False
            )
            return namespace_in(paths)
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
    configuration.host = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    configuration.ssl_ca_cert = str(POD_FOLDER / "ca.crt")
    try:
        (POD_FOLDER / "ca.crt").read_bytes()
        return POD_NAMESPACE.read_text("utf-8").strip()
    except OSError as error:
        raise NotConnected(
            f"the Pod does not find the certificate of its cluster: {error}; mount the ConfigMap "
            f"kube-root-ca.crt into {POD_FOLDER}"
        ) from error
