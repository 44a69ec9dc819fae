"""`make up` and `make down`: enso-executer shown, from the HTTP API in memory to jobs in a cluster.

What `up` starts goes on in the background until `down`, or until the next `up`. Called by
dev/__main__.py.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from dev.checkout import Failed
from dev.cluster import binaries, commands
from dev.up import background, curl, in_cluster, owned_processes, target
from dev.up.target import API_NAMESPACE, EXAMPLES


def up(port: int, cluster: str) -> int:
    """Return 0 when the example job has succeeded, in memory and in the cluster."""
    try:
        _up(port, cluster)
    except BrokenPipeError:  # the reader of our output has gone; the servers go on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return _refuse(port, target.failed(error))
    except (Failed, OSError) as error:
        return _refuse(port, error)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
        owned_processes.end_servers(port)
        print("\nmake up: stopped; `make down` removes what is left", file=sys.stderr)
        return 130
    return 0


def down(port: int, cluster: str) -> int:
    """Return 0 when no process is left, also if none was running."""
    try:
        return _down(port, cluster)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        print(f"make down: {error}", file=sys.stderr)
        return 1


def _up(port: int, cluster: str) -> None:
    if not Path("/proc/self/environ").exists():
        raise Failed("it needs Linux; elsewhere `.venv/bin/enso serve --embedded` is the HTTP API")
    if not shutil.which("curl"):
        raise Failed("curl is missing: install it (on Debian: apt-get install curl)")
    is_ours = not commands.uses_current()  # raises before anything starts
    if owned_processes.end_servers(port):
        print("What an earlier `make up` started is replaced; the cluster and its jobs stay\n")
    background.must_be_free(port)
    if is_ours and (how := binaries.outlook()):
        print(
            "The programs of a Kubernetes API server are not on this machine yet. After the first\n"
            f"example they are got, once for all checkouts of yours:\n  {how}\n"
        )
    _show_in_memory(port)
    chosen = target.get_ready(cluster)
    operator = in_cluster.start_operator(chosen, port)
    in_cluster.apply_examples(chosen)
    in_cluster.show(chosen, port, operator)
    in_cluster.show_next_steps(chosen, port, operator)


def _show_in_memory(port: int) -> None:
    """Run the example job without any cluster, through a server that goes on."""
    print("== The HTTP API in memory, without a cluster", flush=True)
    server = background.start(
        "the HTTP API in memory", port, "serve", "--embedded", "--port", str(port)
    )
    server.wait_until(lambda: background.answers(port))
    job = curl.run_example(port, server)
    print("\nWhat happened, from its get-job:")
    for event in job["events"]:
        print(f"  {event['text']}")
    print(flush=True)


def _refuse(port: int, error: Exception) -> int:
    sys.stdout.flush()
    owned_processes.end(port, "--embedded")
    print(f"make up: {error}", file=sys.stderr)
    if owned_processes.ours(port):
        print("`make down` ends what was started so far", file=sys.stderr)
    return 1


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
            "resources EnsoJob, EnsoJobTemplate, EnsoScript and EnsoAction.\n"
            f"  kubectl delete namespace {EXAMPLES} {API_NAMESPACE}\n"
            "  kubectl delete -f deploy/crds    # takes every EnsoJob of the cluster along"
        )
        if owned_processes.SESSION in ended:
            print("A job whose session was ended here is Running until an operator looks at it")
    return 0
