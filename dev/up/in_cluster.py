"""The second thing: the operator and the HTTP API over Kubernetes, and the examples as EnsoJobs."""

import re
import subprocess

from dev.up import background, curl, marked, ports
from dev.up.background import Program
from dev.up.excerpt import excerpt
from dev.up.target import Target

SUCCEEDS, FAILS, WAITS = "bake-cloth", "bake-cloth-too-large", "bake-cloth-later"
EXAMPLES = ("-f", "examples/library", "-f", "examples/cluster", "-f", "examples")
"""The library first: a job is told to wait for scripts that are not there yet."""
_WAIT = ("--for=condition=Finished", "--timeout=60s")


def start(target: Target, port: int) -> tuple[Program, Program]:
    """Start the operator and the HTTP API, both in the background."""
    where = {"KUBECONFIG": target.kubeconfig}
    state = background.folder(port) / "sessions"
    operator = background.start(
        "the operator",
        port,
        "operator",
        "--sessions=local",
        f"--state-dir={state}",
        "--health-port=0",
        f"--namespaces={'' if target.is_ours else target.namespace}",
        environment=where,
    )
    marked.end_in_memory(port)
    ports.must_be_free(port)
    gateway = background.start(
        "the HTTP API",
        port,
        "serve",
        f"--namespace={target.namespace}",
        f"--port={port}",
        environment=where,
    )
    print(
        "The operator runs in the background, and scripts as processes of this machine, as you: "
        "for development"
    )
    return operator, gateway


def apply_examples(target: Target) -> None:
    """Apply the examples, afresh where they are there already: what a job runs is immutable."""
    if target.kubectl("delete", *EXAMPLES, "--ignore-not-found"):
        print("The examples of an earlier `make up` are run afresh; other jobs stay as they are")
    target.show("apply", *EXAMPLES)


def show(target: Target, port: int, operator: Program, gateway: Program) -> None:
    """Run the example through the API once more, and show what kubectl says of all jobs."""
    operator.wait_until(lambda: address(operator))
    gateway.wait_until(lambda: ports.answers(port))
    print("\n== The same HTTP API, over the cluster")
    curl.run_example(port, operator, gateway)
    print("\n== These jobs, and the examples, as kubectl shows them")
    try:
        target.show("wait", *_WAIT, f"ensojob/{SUCCEEDS}", f"ensojob/{FAILS}")
    except subprocess.CalledProcessError:
        operator.must_run()
        raise
    target.show("get", "ensojobs")
    for job in (SUCCEEDS, FAILS):
        target.show("describe", "ensojob", job, shortened=excerpt)


def address(operator: Program) -> str:
    """Return where it serves probes and metrics, "" where it does not yet."""
    found = re.search(r"served at (http://\S+)", operator.said)
    return found[1] if found else ""
