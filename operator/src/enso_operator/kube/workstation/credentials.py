"""The credentials of a kubeconfig's user: from files, or from an exec plugin."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from enso_operator.api.document import Document
from enso_operator.kube.workstation.errors import NoCluster
from enso_operator.kube.workstation.kubeconfig import Access

_INFO = "KUBERNETES_EXEC_INFO"
"""The environment variable that holds the request to an exec plugin (an ExecCredential)."""


class Credentials:
    """The credentials of one kubeconfig's user. An exec plugin runs once, and after a refusal."""

    def __init__(self, access: Access) -> None:
        self._access, self._user = access, access.user
        self._plugin_status: Document | None = None
        """What the exec plugin returned, after it ran."""

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers for authentication and impersonation; names may repeat."""
        return [*self._authorization().items(), *_impersonation(self._user)]

    def tls_context(self) -> ssl.SSLContext:
        """Return a TLS context with the cluster's CA and the client certificate."""
        access, cluster = self._access, self._access.cluster
        authority = access.content(cluster, "certificate-authority").decode()
        try:
            context = ssl.create_default_context(cadata=authority or None)
            # As Go has it: many a cluster's own authority lacks what newer Pythons ask for.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if cluster.get("insecure-skip-tls-verify"):
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            certificate, key = self._certificate()
            if certificate:
                _load(context, certificate, key)
        except (ssl.SSLError, ValueError) as error:
            raise NoCluster(f"a certificate of the kubeconfig cannot be used: {error}") from error
        return context

    def can_be_renewed(self) -> bool:
        """Forget refused credentials of the exec plugin; return whether there were any."""
        was_given, self._plugin_status = self._plugin_status, None
        return was_given is not None

    def _authorization(self) -> dict[str, str]:
        user = self._user
        token = self._access.content(user, "tokenFile").decode().strip() or user.get("token")
        if not token and user.get("username"):
            pair = f"{user['username']}:{user.get('password') or ''}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        token = token or self._from_plugin().get("token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _certificate(self) -> tuple[bytes, bytes]:
        content, user = self._access.content, self._user
        if certificate := content(user, "client-certificate"):
            return certificate, content(user, "client-key")
        given = self._from_plugin()
        certificate, key = (
            str(given.get(name) or "").encode()
            for name in ("clientCertificateData", "clientKeyData")
        )
        return certificate, key

    def _from_plugin(self) -> Document:
        if not self._user.get("exec"):
            if self._user.get("auth-provider"):
                raise NoCluster(
                    "the kubeconfig's user has an auth-provider, which kubectl has given up, too: "
                    "give it an exec plugin instead"
                )
            return {}
        if self._plugin_status is None:
            self._plugin_status = _run_plugin(self._user["exec"], self._access)
        return self._plugin_status


def _impersonation(user: Document) -> list[tuple[str, str]]:
    headers = [("User", user.get("as")), ("Uid", user.get("as-uid"))]
    headers += [("Group", group) for group in user.get("as-groups") or ()]
    extra: dict[str, list[str]] = user.get("as-user-extra") or {}
    for key, values in extra.items():
        headers += [(f"Extra-{key}", value) for value in values]
    return [(f"Impersonate-{name}", str(value)) for name, value in headers if value]


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a client certificate. `ssl` reads files only, so it is written to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="enso-") as folder:
        files = Path(folder, "certificate"), Path(folder, "key")
        for file, content in zip(files, (certificate, key or certificate), strict=True):
            file.write_bytes(content)
        context.load_cert_chain(*files, password=_no_password)


def _no_password() -> str:
    raise NoCluster("the client key of the kubeconfig is encrypted: kubectl cannot use it, either")


def _run_plugin(program: Document, access: Access) -> Document:
    """Return the status of the ExecCredential: a token, or a certificate and its key."""
    mode = program.get("interactiveMode") or "IfAvailable"
    is_interactive = mode != "Never" and sys.stdin.isatty()
    spec: Document = {"interactive": is_interactive}
    if program.get("provideClusterInfo"):
        authority = access.content(access.cluster, "certificate-authority")
        spec["cluster"] = {
            "server": access.server,
            "certificate-authority-data": base64.b64encode(authority).decode(),
            "insecure-skip-tls-verify": bool(access.cluster.get("insecure-skip-tls-verify")),
        }
    info = {"apiVersion": program.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    given = {str(pair["name"]): str(pair["value"]) for pair in program.get("env") or ()}
    command = [str(part) for part in (program.get("command"), *(program.get("args") or ()))]
    try:
        done = subprocess.run(
            command,
            env=os.environ | given | {_INFO: json.dumps(info)},
            stdin=None if is_interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
        )
        status: Document = json.loads(done.stdout)["status"]
    except FileNotFoundError as error:
        hint = " ".join(str(program.get("installHint") or "").split())
        raise NoCluster(
            f"the kubeconfig gets its credentials from {command[0]}, which is not installed"
            + (f": {hint}" if hint else "")
        ) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoCluster(f"{command[0]}, which gets your credentials, failed: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NoCluster(f"{command[0]}, which gets your credentials, gave none") from error
    return status
