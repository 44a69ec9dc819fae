"""The run's kubeconfig with another namespace or another user."""

from __future__ import annotations

from pathlib import Path
from subprocess import CalledProcessError

import yaml
from dev.cluster.plane import Cluster

from tests.support.eventually import until


def of_context(cluster: Cluster, namespace: str, folder: Path) -> Path:
    """Write one whose context has the namespace."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    return _written(config, folder)


def of_stranger(cluster: Cluster, namespace: str, folder: Path, account: str = "default") -> Path:
    """Write one of a service account; the default one has no rights."""
    token = token_of(cluster, namespace, account)
    config = yaml.safe_load(of_context(cluster, namespace, folder).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    return _written(config, folder)


def token_of(cluster: Cluster, namespace: str, account: str) -> str:
    """Return a token of a service account; a new namespace has its default one a moment later."""
    given: list[str] = []

    def is_given() -> bool:
        try:
            given.append(cluster.kubectl("-n", namespace, "create", "token", account).strip())
        except CalledProcessError as error:
            if "not found" not in error.stderr:
                raise
        return bool(given)

    until(is_given)
    return given[0]


def _written(config: object, folder: Path) -> Path:
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file
