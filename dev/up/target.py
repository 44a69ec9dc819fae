"""The cluster that `make up` uses, asked through kubectl."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from dev.cluster import binaries, commands
from dev.cluster.places import CHECKOUT
from dev.cluster.programs import CLUSTER
from dev.cluster.resources import install_crds
from dev.up.errors import Failed

OWN_NAMESPACE = "enso-up"
"""In a cluster that is not ours: what others have in it is none of our business."""
_KUBECTL_SECONDS = 100


@dataclass(frozen=True)
class Target:
    """A cluster that answers, and the namespace for the examples."""

    kubeconfig: str
    namespace: str
    is_ours: bool

    @property
    def shell(self) -> str:
        """How a user's command begins that is about the namespace."""
        return "kubectl" if self.is_ours else f"kubectl -n {self.namespace}"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what kubectl says; raise CalledProcessError."""
        command = [str(binaries.kubectl()), "-n", self.namespace, *arguments]
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
    if is_ours and not set(CLUSTER) - binaries.local().keys():
        print("== A Kubernetes API server of your own, with EnsoJobs", flush=True)
    elif is_ours:
        print(
            "== A Kubernetes API server of your own, with EnsoJobs\n"
            "Its programs are built from source first, once for all checkouts of yours: 11\n"
            "minutes on two idle cores, 20 on busy ones. The API above answers meanwhile. Ctrl-C\n"
            "stops the build; the next `make up` goes on from there.\n"
            "Faster, where the internet is reachable: CLUSTER_BINARIES=download make up",
            flush=True,
        )
    else:
        print("== The cluster of your kubeconfig's current context, with EnsoJobs", flush=True)
    kubeconfig = commands.up(cluster)
    target = Target(kubeconfig, "default" if is_ours else OWN_NAMESPACE, is_ours)
    if not is_ours:
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN_NAMESPACE}}
        target.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    install_crds(target.kubectl)
    where = "" if is_ours else f"; the examples are in namespace {OWN_NAMESPACE}"
    print(f"EnsoJob and EnsoScript are installed from deploy/crds{where}", flush=True)
    return target


def failed(error: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> Failed:
    """Return what a failed kubectl means to people."""
    command = " ".join(["kubectl", *map(str, error.cmd[1:])])
    if isinstance(error, subprocess.TimeoutExpired):
        return Failed(f"`{command}` did not end within {error.timeout:g} s")
    return Failed(f"`{command}` failed: {str(error.stderr).strip()}")
