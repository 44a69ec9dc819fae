"""`make down`: end what `make up` started, what its jobs left behind, and the cluster."""

import argparse
import shutil
import subprocess
import sys
from collections import Counter

from dev.cluster import commands
from dev.cluster.places import DEFAULT_NAME, ClusterError
from dev.up import background, owned_processes
from dev.up.target import API_NAMESPACE, EXAMPLES


def main() -> int:
    """Return 0 when no process is left, also where none was there."""
    parser = argparse.ArgumentParser(prog="python -m dev.down", description=__doc__)
    parser.add_argument("--port", type=int, default=5005, help="of the HTTP API")
    parser.add_argument("--cluster", default=DEFAULT_NAME, help="name of the development cluster")
    arguments = parser.parse_args()
    try:
        return _down(arguments.port, arguments.cluster)
    except (ClusterError, OSError, subprocess.SubprocessError) as error:
        print(f"make down: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _down(port: int, cluster: str) -> int:
    ended = Counter(owned_processes.end_all(port))
    for name, count in ended.items():
        print(f"Ended {name}" + (f", {count} processes" if count > 1 else ""))
    if not ended:
        print("Nothing that `make up` started was running")
    if survivors := owned_processes.ours(port):
        numbers = ", ".join(map(str, survivors))
        print(f"make down: processes {numbers} cannot be ended", file=sys.stderr)
        return 1
    sys.stdout.flush()
    shutil.rmtree(background.folder(port), ignore_errors=True)
    commands.down(cluster)
    if commands.uses_current():
        print(
            f"It keeps what `make up` applied: namespaces {EXAMPLES} and {API_NAMESPACE}, and the "
            "resources EnsoJob and EnsoScript.\n"
            f"  kubectl delete namespace {EXAMPLES} {API_NAMESPACE}\n"
            "  kubectl delete -f deploy/crds    # takes every EnsoJob of the cluster along"
        )
        if owned_processes.SESSION in ended:
            print("A job whose session was ended here is Running until an operator looks at it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
