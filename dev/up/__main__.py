"""`make up`: enso-executer shown from the HTTP API in memory to jobs in a cluster.

What it starts goes on in the background until `make down`, or until the next `make up`.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from dev.cluster import binaries, commands
from dev.cluster.places import DEFAULT_NAME, ClusterError
from dev.up import in_cluster, in_memory, next_steps, owned_processes, ports, target
from dev.up.errors import Failed


def main() -> int:
    """Return 0 when the example job has succeeded, in memory and in the cluster."""
    parser = argparse.ArgumentParser(prog="python -m dev.up", description=__doc__)
    parser.add_argument("--port", type=int, default=5005, help="of the HTTP API")
    parser.add_argument("--cluster", default=DEFAULT_NAME, help="name of the development cluster")
    arguments = parser.parse_args()
    port: int = arguments.port
    try:
        _up(port, arguments.cluster)
    except BrokenPipeError:  # whoever read us has seen enough; the servers go on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return _refuse(port, target.failed(error))
    except (Failed, ClusterError, OSError) as error:
        return _refuse(port, error)
    except KeyboardInterrupt:
        return _interrupted(port)
    return 0


def _up(port: int, cluster: str) -> None:
    if not Path("/proc/self/environ").exists():
        raise Failed("it needs Linux; elsewhere `.venv/bin/enso serve --embedded` is the HTTP API")
    if not shutil.which("curl"):
        raise Failed("curl is missing: install it (on Debian: apt-get install curl)")
    is_ours = not commands.uses_current()  # raises before anything starts
    if owned_processes.end_servers(port):
        print("What an earlier `make up` started is replaced; the cluster and its jobs stay\n")
    ports.must_be_free(port)
    if is_ours and (how := binaries.outlook()):
        print(
            "The programs of a Kubernetes API server are not on this machine yet. After the first\n"
            f"example they are got, once for all checkouts of yours:\n  {how}\n"
        )
    in_memory.show(port)
    chosen = target.get_ready(cluster)
    operator = in_cluster.start_operator(chosen, port)
    in_cluster.apply_examples(chosen)
    in_cluster.show(chosen, port, operator)
    next_steps.show(chosen, port, operator)


def _refuse(port: int, error: Exception) -> int:
    sys.stdout.flush()
    owned_processes.end_in_memory(port)
    print(f"make up: {error}", file=sys.stderr)
    if owned_processes.ours(port):
        print("`make down` ends what was started so far", file=sys.stderr)
    return 1


def _interrupted(port: int) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
    owned_processes.end_servers(port)
    print("\nmake up: stopped; `make down` removes what is left", file=sys.stderr)
    return 130


if __name__ == "__main__":
    sys.exit(main())
