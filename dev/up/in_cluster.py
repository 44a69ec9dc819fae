"""The second half of `make up`: the operator, the HTTP API over Kubernetes, and the examples.

Called by commands.py; at its end it says what to try next.
"""

import re
import subprocess

from dev.checkout import CHECKOUT
from dev.up import background, curl, owned_processes
from dev.up.background import Program
from dev.up.target import EXAMPLES, SHELL, Target

SUCCEEDS, FAILS, WAITS = "bake-cloth", "bake-cloth-too-large", "bake-cloth-later"
_MENDED = ("--set", "bake.frames=128", "--why", "240 frames are too many")
"""The change with which the job that fails is resumed, and succeeds."""
FAILS_TOO = "publish-shot-broken"
"""A second job that fails: the reader goes on with it."""
_FILES = ("-f", "examples/library", "-f", "examples/cluster", "-f", "examples")
"""The library first: a job is told to wait for scripts that are not there yet."""
_WAIT = ("--for=condition=Finished", "--timeout=60s")
_UNSUSPEND = """--type=merge -p '{"spec": {"suspend": false}}'"""
_WIDTH = 56


def start_operator(target: Target, port: int) -> Program:
    """Start the operator, in the background."""
    namespaces = "" if target.is_ours else f"{EXAMPLES},{target.api_namespace}"
    operator = background.start(
        "the operator",
        port,
        "operator",
        "--sessions=local",
        f"--state-dir={background.folder(port) / 'sessions'}",
        "--health-port=0",
        f"--namespaces={namespaces}",
        environment={"KUBECONFIG": target.kubeconfig},
    )
    print(
        "The operator runs in the background, and scripts as processes of this machine, as you: "
        "for development"
    )
    return operator


def serve(target: Target, port: int, namespace: str) -> Program:
    """Have the port served over the jobs of that namespace, and wait for it."""
    owned_processes.end(port, "serve")  # from memory, or over another namespace
    background.must_be_free(port)
    gateway = background.start(
        "the HTTP API",
        port,
        "serve",
        f"--namespace={namespace}",
        f"--port={port}",
        environment={"KUBECONFIG": target.kubeconfig},
    )
    gateway.wait_until(lambda: background.answers(port))
    return gateway


def apply_examples(target: Target) -> None:
    """Apply the examples, afresh where they are there already: what a job runs is immutable."""
    if target.kubectl("delete", *_FILES, "--ignore-not-found"):
        print("The examples of an earlier `make up` are run afresh; other jobs stay as they are")
    target.show("apply", *_FILES)


def show(target: Target, port: int, operator: Program) -> None:
    """Run the example through the API once more, and show what kubectl says of all jobs."""
    operator.wait_until(lambda: address(operator))
    print("\n== The same HTTP API, over the cluster")
    curl.run_example(port, operator, serve(target, port, EXAMPLES))
    try:
        _show_with_kubectl(target)
        _show_going_on(target)
    except subprocess.CalledProcessError:
        operator.must_run()
        raise
    print(f"\n== The HTTP API for jobs of yours, over namespace {target.api_namespace}")
    serve(target, port, target.api_namespace)
    curl.show_jobs(port)


def _show_with_kubectl(target: Target) -> None:
    print("\n== These jobs, and the examples, as kubectl shows them")
    target.show("wait", *_WAIT, f"ensojob/{SUCCEEDS}", f"ensojob/{FAILS}")
    target.show("get", "ensojobs")
    target.show("describe", "ensojob", SUCCEEDS, is_shortened=True)


def _show_going_on(target: Target) -> None:
    """Explain the job that failed, go on with it, and show its whole story."""
    print("\n== The one that failed: why, and how it goes on from there")
    target.show_enso("why", FAILS)
    target.show_enso("resume", FAILS, *_MENDED)
    target.show_enso("wait", FAILS, "--timeout", "60s")
    target.show("describe", "ensojob", FAILS, is_shortened=True)


def show_next_steps(target: Target, port: int, operator: Program) -> None:
    """Print commands that can be pasted."""
    print("\n== What to try next, in this folder")
    print('  export PATH="$PWD/.venv/bin:$PATH"')
    if target.is_ours:
        print(f"  export KUBECONFIG={target.kubeconfig}")
    logs = background.folder(port).relative_to(CHECKOUT)
    for what, why in {
        f"enso why {FAILS_TOO} -n {EXAMPLES}": "another one that failed, and why",
        f"enso resume {FAILS_TOO} --set simulate.substeps=4 -n {EXAMPLES}": "go on with it",
        f"{SHELL} get ensoactions": "what was asked of jobs, and what came of it",
        f"{SHELL} get ensojobs --watch": "their states, as they change",
        f"{SHELL} patch ensojob {WAITS} {_UNSUSPEND}": "start the one that is suspended",
        f"{SHELL} get ensoscripts": "the script library",
        "enso run examples/publish-shot-broken.yaml": "the same file, without a cluster",
        f"curl http://localhost:{port}/list-jobs": f"or http://localhost:{port}/docs in a browser",
        f"curl {address(operator)}/metrics": "what Prometheus would see",
        f"tail -f {logs}/operator.log": f"what the operator says; the API's is {logs}/serve.log",
        "make down": "end all of it"
        if target.is_ours
        else "end the operator and the API; the cluster keeps the rest",
    }.items():
        print(f"  {what:<{_WIDTH}} # {why}")
    print("docs/kubernetes.md goes on from here; docs/cli.md has all that enso says of jobs.")
    print(f"\nAnd in a browser: http://localhost:{port}/?namespace={EXAMPLES}")


def address(operator: Program) -> str:
    """Return where it serves probes and metrics, "" where it does not yet."""
    found = re.search(r"served at (http://\S+)", operator.said)
    return found[1] if found else ""
