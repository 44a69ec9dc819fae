"""The cluster that `make up` uses, asked through kubectl."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from dev.cluster import binaries, commands
from dev.cluster.places import CHECKOUT
from dev.cluster.resources import install_crds
from dev.up.errors import Failed

EXAMPLES = "enso-examples"
"""Where the jobs live that `make up` shows: the HTTP API begins with an empty list."""
API_NAMESPACE = "enso-up"
"""Whose jobs the HTTP API serves in a cluster that is not ours; in our own it is `default`."""
_KUBECTL_SECONDS = 100


@dataclass(frozen=True)
class Target:
    """A cluster that answers; kubectl is asked about the namespace of the examples."""

    kubeconfig: str
    is_ours: bool
    shell: str = f"kubectl -n {EXAMPLES}"
    """How a user's command begins that is about them."""

    @property
    def api_namespace(self) -> str:
        """Whose jobs the HTTP API serves."""
        return "default" if self.is_ours else API_NAMESPACE

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what kubectl says; raise CalledProcessError."""
        command = [str(binaries.kubectl()), "-n", EXAMPLES, *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            cwd=CHECKOUT,
            env={**os.environ, "KUBECONFIG": self.kubeconfig},
            timeout=_KUBECTL_SECONDS,
        )
        return done.stdout

    def show(
        self, *arguments: str, shortened: Callable[[str], tuple[str, str]] | None = None
    ) -> None:
        """Print the command and what it says, as in a terminal; `shortened` adds what it cut."""
        command = f"$ {self.shell} {' '.join(arguments)}"
        if shortened is None:
            print(command, flush=True)
            print(self.kubectl(*arguments), end="", flush=True)
        else:
            text, remark = shortened(self.kubectl(*arguments))
            print(f"\n{command}    # {remark}\n{text}", flush=True)


def get_ready(cluster: str) -> Target:
    """Start the cluster, or look at the current context's; install what enso needs there."""
    is_ours = not commands.uses_current()
    if is_ours:
        print("== A Kubernetes API server of your own, with EnsoJobs", flush=True)
        if binaries.outlook():
            print(
                "Its programs are got first, as said above. The API in memory answers meanwhile.\n"
                "Ctrl-C stops it; the next `make up` goes on from there.",
                flush=True,
            )
    else:
        print("== The cluster of your kubeconfig's current context, with EnsoJobs", flush=True)
    kubeconfig = commands.up(cluster)
    target = Target(kubeconfig, is_ours)
    for name in (EXAMPLES,) if is_ours else (EXAMPLES, API_NAMESPACE):
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        target.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    install_crds(target.kubectl)
    print(
        "EnsoJob and EnsoScript are installed from deploy/crds; the examples are in namespace"
        f" {EXAMPLES}",
        flush=True,
    )
    return target


def failed(error: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> Failed:
    """Return what a failed kubectl means to people."""
    command = " ".join(["kubectl", *map(str, error.cmd[1:])])
    if isinstance(error, subprocess.TimeoutExpired):
        return Failed(f"`{command}` did not end within {error.timeout:g} s")
    return Failed(f"`{command}` failed: {str(error.stderr).strip()}")
