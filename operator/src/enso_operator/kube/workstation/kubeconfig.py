"""Reads kubeconfigs, by the rules that kubectl follows.

Of several files the first that sets something wins; a relative path is relative to its file.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from enso_operator.api.document import Document
from enso_operator.kube.workstation.errors import NoCluster

KUBECONFIG = "KUBECONFIG"
USERS_OWN = "~/.kube/config"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a Pod finds its own token, CA certificate and namespace."""
_NAMED = {"clusters": "cluster", "contexts": "context", "users": "user"}
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Access:
    """One API server, one user, one namespace."""

    server: str
    namespace: str
    cluster: Document = field(default_factory=Document)
    """The kubeconfig's entry of the cluster. Paths in it are absolute."""
    user: Document = field(default_factory=Document)
    """Its entry of the user."""

    def content(self, about: Mapping[str, Any], key: str) -> bytes:
        """Return what a field holds, as data in the kubeconfig or in a file; empty without it."""
        try:
            if data := about.get(f"{key}-data"):
                return base64.b64decode(str(data))
            return Path(str(about[key])).read_bytes() if about.get(key) else b""
        except binascii.Error as error:
            raise NoCluster(f"{key}-data in the kubeconfig is no base64: {error}") from error
        except OSError as error:
            raise NoCluster(f"the kubeconfig's {key} cannot be read: {error}") from error


def access(kubeconfig: str = "", context: str = "", namespace: str = "") -> Access:
    """Return the cluster and user: of the arguments, else KUBECONFIG, ~/.kube/config, or the Pod.

    Raises NoCluster.
    """
    paths = [Path(kubeconfig)] if kubeconfig else _paths()
    files = [path for path in paths if kubeconfig or path.exists()]
    shown = os.pathsep.join(map(str, paths))
    if not files:
        return _of_the_pod(shown, namespace)
    config = _merged([_read(path) for path in files])
    chosen = context or config["current-context"]
    if not chosen:
        known = ", ".join(config["contexts"]) or "none"
        raise NoCluster(f"{shown} has no current context: add --context, one of {known}")
    about = _named(config, "contexts", chosen, shown)
    cluster = _named(config, "clusters", str(about.get("cluster") or ""), shown)
    user = _named(config, "users", str(about["user"]), shown) if about.get("user") else {}
    if not cluster.get("server"):
        raise NoCluster(f"cluster {about['cluster']!r} in {shown} names no server")
    return Access(
        str(cluster["server"]).rstrip("/"),
        namespace or str(about.get("namespace") or "default"),
        cluster,
        user,
    )


def _paths() -> list[Path]:
    named = os.environ.get(KUBECONFIG) or USERS_OWN
    # As kubectl: where there is no home, there is nothing in it, and that is no error.
    return [Path(os.path.expanduser(path)) for path in named.split(os.pathsep) if path]  # noqa: PTH111


def _of_the_pod(looked_at: str, namespace: str) -> Access:
    """Return the cluster that this Pod runs in, with its service account, as kubectl does."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}") for name in ("HOST", "PORT"))
    if not (host and port):
        raise NoCluster(
            f"there is no cluster to ask: {looked_at} does not exist; set KUBECONFIG, or add "
            "--kubeconfig FILE"
        )
    try:
        own = (ACCOUNT / "namespace").read_text("utf-8").strip()
    except OSError as error:
        raise NoCluster(f"this Pod has no service account to ask with: {error}") from error
    return Access(
        f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace or own,
        {"certificate-authority": str(ACCOUNT / "ca.crt")},
        {"tokenFile": str(ACCOUNT / "token")},
    )


def _read(path: Path) -> Document:
    """Return a kubeconfig with its entries by their names."""
    try:
        # The loader is one of the two safe ones.
        found: Document = yaml.load(path.read_text("utf-8"), _LOADER) or {}  # noqa: S506
        config: Document = {"current-context": str(found.get("current-context") or "")}
        for entries, entry in _NAMED.items():
            config[entries] = {
                str(item["name"]): _absolute(item.get(entry) or {}, path.parent)
                for item in _list(found, entries)
            }
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise NoCluster(f"the kubeconfig {path} cannot be used: {why}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise NoCluster(f"the file {path} is no kubeconfig") from error
    return config


def _list(config: Document, entries: str) -> list[Document]:
    found: list[Document] | None = config.get(entries)
    return found or []


def _absolute(about: Document, folder: Path) -> Document:
    changed: Document = {key: str(folder / str(about[key])) for key in _PATHS if about.get(key)}
    program: Document = about.get("exec") or {}
    command = str(program.get("command") or "")
    if "/" in command:  # else it is found on the PATH
        changed["exec"] = program | {"command": str(folder / command)}
    return about | changed


def _merged(configs: list[Document]) -> Document:
    merged = dict(configs[-1])
    for config in reversed(configs[:-1]):
        for entries in _NAMED:
            merged[entries] = merged[entries] | config[entries]
        merged["current-context"] = config["current-context"] or merged["current-context"]
    return merged


def _named(config: Document, entries: str, name: str, shown: str) -> Document:
    try:
        found: Document = config[entries][name]
    except KeyError as error:
        known = ", ".join(config[entries]) or "none"
        what = _NAMED[entries]
        raise NoCluster(f"there is no {what} {name!r} in {shown}; it has: {known}") from error
    return found
