"""The second thing: the operator and the HTTP API over Kubernetes, and the examples as EnsoJobs."""

import re
import subprocess

from dev.up import background, curl, owned_processes, ports
from dev.up.background import Program
from dev.up.excerpt import excerpt
from dev.up.target import EXAMPLES as EXAMPLES_NAMESPACE
from dev.up.target import Target

SUCCEEDS, FAILS, WAITS = "bake-cloth", "bake-cloth-too-large", "bake-cloth-later"
_FILES = ("-f", "examples/library", "-f", "examples/cluster", "-f", "examples")
"""The library first: a job is told to wait for scripts that are not there yet."""
_WAIT = ("--for=condition=Finished", "--timeout=60s")


def start_operator(target: Target, port: int) -> Program:
    """Start the operator, in the background."""
    namespaces = "" if target.is_ours else f"{EXAMPLES_NAMESPACE},{target.api_namespace}"
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
    owned_processes.end_gateway(port)
    ports.must_be_free(port)
    gateway = background.start(
        "the HTTP API",
        port,
        "serve",
        f"--namespace={namespace}",
        f"--port={port}",
        environment={"KUBECONFIG": target.kubeconfig},
    )
    gateway.wait_until(lambda: ports.answers(port))
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
    curl.run_example(port, operator, serve(target, port, EXAMPLES_NAMESPACE))
    print("\n== These jobs, and the examples, as kubectl shows them")
    try:
        target.show("wait", *_WAIT, f"ensojob/{SUCCEEDS}", f"ensojob/{FAILS}")
    except subprocess.CalledProcessError:
        operator.must_run()
        raise
    target.show("get", "ensojobs")
    for job in (SUCCEEDS, FAILS):
        target.show("describe", "ensojob", job, shortened=excerpt)
    print(f"\n== The HTTP API for jobs of yours, over namespace {target.api_namespace}")
    serve(target, port, target.api_namespace)
    curl.show_jobs(port)


def address(operator: Program) -> str:
    """Return where it serves probes and metrics, "" where it does not yet."""
    found = re.search(r"served at (http://\S+)", operator.said)
    return found[1] if found else ""
