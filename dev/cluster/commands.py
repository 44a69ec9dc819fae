"""What developers, tests and `make up` ask of a cluster: called by dev/__main__.py.

With `USE_CLUSTER=current` all of them mean the current context of the developer's kubeconfig
instead of a cluster of our own.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from dev.checkout import CHECKOUT, DEFAULT_NAME, Failed, say
from dev.cluster import binaries, plane, sharing
from dev.cluster.plane import Cluster

CRDS = CHECKOUT / "deploy" / "crds"
_PATIENCE = 120.0


def up(name: str = DEFAULT_NAME, *, audit: bool = False) -> str:
    """Make sure that a cluster answers; return the value for `KUBECONFIG`."""
    if uses_current():
        _check_current()
    else:
        plane.start(name, audit=audit)
    return kubeconfig(name)


def down(name: str = DEFAULT_NAME) -> None:
    """Leave no process of ours behind, and no data; a cluster that is not ours stays."""
    if uses_current():
        say("The cluster of the current context is not ours: it stays as it is")
        return
    sharing.remove_abandoned()
    Cluster(name).stop()
    say(f"Cluster {name} is down")


def kubeconfig(name: str = DEFAULT_NAME) -> str:
    """Return the value for `KUBECONFIG`: one path, whether the cluster runs or not."""
    if uses_current():
        return os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    path = Cluster(name).kubeconfig
    if not path.exists():
        say("This cluster does not run: `make cluster-up` starts it")
    return str(path)


def programs() -> None:
    """Find, or build, what a cluster needs, so that later commands need not wait."""
    for name, path in binaries.provide().items():
        say(f"{name}: {path}")


def install_crds(kubectl: Callable[..., str]) -> None:
    """Apply the CRDs, and return when their objects can be created and watched."""
    kubectl("apply", "--server-side", "-f", str(CRDS))
    wait_for_crds(kubectl)


def wait_for_crds(kubectl: Callable[..., str]) -> None:
    """Return when objects of our kinds can be created and watched.

    The API server fills its cache of a kind when it is first asked for it. Before that it refuses
    watches with 429, and a CRD that is deleted may stay for five minutes: its finalizer is refused,
    too, and may come back only with the API server's next resync.
    """
    deadline = time.monotonic() + _PATIENCE
    for name in ("ensojobs", "ensojobtemplates", "ensoscripts", "ensoactions"):
        while True:
            try:
                kubectl("wait", "--for=condition=Established", f"crd/{name}.enso.dev")
                # Version 0 means the cache; kubectl repeats what is refused until it is filled.
                kubectl("get", "--raw", f"/apis/enso.dev/v1alpha1/{name}?resourceVersion=0")
                break
            except subprocess.CalledProcessError:  # no conditions yet, or not served yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def uses_current() -> bool:
    """Say whether the developer wants the current context; raise Failed for another word."""
    chosen = os.environ.get("USE_CLUSTER", "")
    if chosen not in {"", "current"}:
        raise Failed(f"USE_CLUSTER={chosen} means nothing here: only `current` does")
    return chosen == "current"


def _check_current() -> None:
    kubectl = str(binaries.kubectl())
    context = _ask([kubectl, "config", "current-context"])
    _ask([kubectl, "version", "--request-timeout", "10s"])
    say(f"Using the cluster of the current context, {context}")


def _ask(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(
            f"USE_CLUSTER=current, but `{' '.join(command[1:])}` fails: {done.stderr.strip()}"
        )
    return done.stdout.strip()
