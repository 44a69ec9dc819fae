"""The shell commands of the README, unchanged: `make up` shows and runs them."""

import json
import os
import shlex
import subprocess
import time
from typing import Any

from dev.checkout import CHECKOUT, Failed
from dev.up.background import Program

LIST = "curl http://localhost:{port}/list-jobs"
ADD = (
    "curl -X POST http://localhost:{port}/add-job"
    ' -H "Content-Type: application/json" -d @./example_job.json'
)
GET = "curl http://localhost:{port}/get-job/{jobid}"
EXECUTE = (
    "curl -X POST http://localhost:{port}/execute-job"
    ' -H "Content-Type: application/json" -d \'{{"jobid": "{jobid}"}}\''
)
_JOB_SECONDS = 120.0
_LIVE = ("Suspended", "Waiting", "Running")


def run_example(port: int, *programs: Program) -> dict[str, Any]:
    """Run the example job through the API; return what its get-job says in the end.

    Raises Failed where it does not succeed, or one of the programs ends meanwhile.
    """
    _shown(LIST, port)
    jobid = str(_shown(ADD, port)["jobid"])
    _shown(GET, port, jobid)
    _shown(EXECUTE, port, jobid)
    deadline = time.monotonic() + _JOB_SECONDS
    while (job := _run(GET.format(port=port, jobid=jobid))[1])["state"] in _LIVE:
        for program in programs:
            program.must_run()
        if time.monotonic() > deadline:
            logs = ", ".join(str(program.log) for program in programs)
            raise Failed(f"job {jobid} has not ended within {_JOB_SECONDS:g} s; see {logs}")
        time.sleep(0.1)
    _shown(LIST, port)
    if job["state"] != "Succeeded":
        raise Failed("\n".join([f"job {jobid} is {job['state']}", *(job["why"] or [])]))
    return dict(job)


def show_jobs(port: int) -> None:
    """Show the list of jobs."""
    _shown(LIST, port)


def _shown(command: str, port: int, jobid: str = "") -> Any:  # noqa: ANN401  # JSON
    """Show a command and its output; return the output, which is JSON."""
    command = command.format(port=port, jobid=jobid)
    print(f"$ {command}", flush=True)
    text, document = _run(command)
    print(text, flush=True)
    return document


def _run(command: str) -> tuple[str, Any]:
    """Run the very command; return what it printed, and what that says."""
    # Otherwise curl would use a proxy of the environment for localhost, too.
    environment = {**os.environ, "NO_PROXY": "localhost", "no_proxy": "localhost"}
    result = subprocess.run(
        shlex.split(command),
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise Failed(f"`{command}` failed: {result.stderr.strip()}")
    try:
        document: Any = json.loads(result.stdout)
    except ValueError:
        raise Failed(f"`{command}` was answered by something else: {result.stdout[:200]}") from None
    if result.stdout.startswith('{"error"'):
        raise Failed(f"`{command}` was refused: {document['error']}")
    return result.stdout.rstrip("\n"), document
