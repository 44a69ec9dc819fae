"""Our resources in a cluster: installed, and known to its API server."""

import subprocess
import time
from collections.abc import Callable

from dev.cluster.places import CHECKOUT

CRDS = CHECKOUT / "deploy" / "crds"
_PATIENCE = 30.0


def install_crds(kubectl: Callable[..., str]) -> None:
    """Apply the CRDs, and return when their objects can be created."""
    kubectl("apply", "--server-side", "-f", str(CRDS))
    deadline = time.monotonic() + _PATIENCE
    for name in ("ensojobs", "ensoscripts"):
        while True:
            try:
                kubectl("wait", "--for=condition=Established", f"crd/{name}.enso.dev")
                break
            except subprocess.CalledProcessError:  # one without conditions cannot be waited for
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
