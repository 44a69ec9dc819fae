"""The cluster that `make up` uses, asked through kubectl and `enso`.

Called by commands.py and in_cluster.py.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev.checkout import CHECKOUT, Failed
from dev.cluster import binaries, commands
from dev.cluster.commands import install_crds

EXAMPLES = "enso-examples"
"""Where the jobs live that `make up` shows: the HTTP API begins with an empty list."""
API_NAMESPACE = "enso-up"
"""Whose jobs the HTTP API serves in a cluster that is not ours; in our own it is `default`."""
SHELL = f"kubectl -n {EXAMPLES}"
"""How a user's command begins that is about the examples."""
_MOST_SECONDS = 100
"""How long one command may take."""
_KEPT = ("Done:", "Reason:", "Script:", "Why:")
"""Fields of the status that an excerpt keeps."""
_INDENT = "  "


@dataclass(frozen=True)
class Target:
    """A cluster that answers; kubectl is asked about the namespace of the examples."""

    kubeconfig: str
    is_ours: bool

    @property
    def api_namespace(self) -> str:
        """Whose jobs the HTTP API serves."""
        return "default" if self.is_ours else API_NAMESPACE

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what kubectl says; raise CalledProcessError."""
        return self._run(str(binaries.kubectl()), "-n", EXAMPLES, *arguments, stdin=stdin)

    def show(self, *arguments: str, is_shortened: bool = False) -> None:
        """Print the command and what it says, as in a terminal."""
        command = f"$ {SHELL} {' '.join(arguments)}"
        if is_shortened:
            text, remark = excerpt(self.kubectl(*arguments))
            print(f"\n{command}    # {remark}\n{text}", flush=True)
        else:
            print(command, flush=True)
            print(self.kubectl(*arguments), end="", flush=True)

    def show_enso(self, *arguments: str) -> None:
        """Print the command `enso ARGUMENTS` about the examples, and what it says."""
        words = ("enso", *arguments, "-n", EXAMPLES)
        print(f"$ {shlex.join(words)}", flush=True)
        program = Path(sys.executable).with_name("enso")
        print(self._run(str(program), *words[1:]), end="", flush=True)

    def _run(self, *command: str, stdin: str | None = None) -> str:
        """Return what a command says; raise CalledProcessError, or TimeoutExpired."""
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            cwd=CHECKOUT,
            env={**os.environ, "KUBECONFIG": self.kubeconfig},
            timeout=_MOST_SECONDS,
        )
        return done.stdout


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
        "EnsoJob, EnsoJobTemplate, EnsoScript and EnsoAction are installed from deploy/crds; the"
        f" examples are in namespace {EXAMPLES}",
        flush=True,
    )
    return target


def failed(error: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> Failed:
    """Return what a failed kubectl or enso means to people."""
    command = " ".join([Path(error.cmd[0]).name, *map(str, error.cmd[1:])])
    if isinstance(error, subprocess.TimeoutExpired):
        return Failed(f"`{command}` did not end within {error.timeout:g} s")
    return Failed(f"`{command}` failed: {str(error.stderr or error.stdout).strip()}")


def excerpt(described: str) -> tuple[str, str]:
    """Return the name, the status in short and the Events of `kubectl describe`, and a remark.

    The remark says how much is left out: the spec, which is the file, takes most of it.
    """
    lines = described.splitlines()
    # The last ones: a script's source stands in the spec as it is, and may hold any line.
    status, events = _last(lines, "Status:"), _last(lines, "Events:")
    kept = {0, status, *_status(lines, status, events), *range(events, len(lines))}
    remark = f"shortened: {len(lines) - len(kept)} lines of spec, conditions and rows left out"
    return "\n".join(_gaps(lines, kept)), remark


def _last(lines: list[str], heading: str) -> int:
    return max(i for i, line in enumerate(lines) if line.partition(" ")[0] == heading)


def _status(lines: list[str], start: int, end: int) -> Iterator[int]:
    is_kept = False
    for i in range(start + 1, end):
        text = lines[i].removeprefix(_INDENT)
        if not text.startswith(" "):
            is_kept = text.startswith(_KEPT)
        if is_kept:
            yield i


def _gaps(lines: list[str], kept: set[int]) -> Iterator[str]:
    for i, line in enumerate(lines):
        if i in kept:
            yield line
        elif i - 1 in kept:
            yield "[...]"
