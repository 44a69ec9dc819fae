"""The run's kubeconfig with another namespace or another user."""

from __future__ import annotations

from pathlib import Path

import yaml
from dev.cluster.plane import Cluster


def of_context(cluster: Cluster, namespace: str, folder: Path) -> Path:
    """Write one whose context has the namespace."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    return _written(config, folder)


def of_stranger(cluster: Cluster, namespace: str, folder: Path, account: str = "default") -> Path:
    """Write one of a service account; the default one has no rights."""
    token = cluster.kubectl("-n", namespace, "create", "token", account).strip()
    config = yaml.safe_load(of_context(cluster, namespace, folder).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    return _written(config, folder)


def _written(config: object, folder: Path) -> Path:
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file
