"""`make up`: start the HTTP API in the background, and run the example job through it with curl."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS, JOB_SECONDS = 60.0, 120.0
# The shell commands of the README, to the letter.
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
NEXT = {
    "curl http://localhost:{port}/get-job/{jobid}": "the job once more",
    ".venv/bin/enso run examples/publish-shot-broken.yaml": "a job that fails, and says why",
    "http://localhost:{port}/docs": "the API, in a browser",
    "{log}": "what the server says",
    "make down": "stop the server",
}


class Failed(Exception):
    """A sentence for whoever ran `make up`."""


def main() -> int:
    """Return 0 when the example job has succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5005)
    port: int = parser.parse_args().port
    try:
        run_example(port, start(port))
    except Failed as error:
        print(f"make up: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read us has seen enough; the server goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def start(port: int) -> Path:
    """Replace the server of an earlier `make up` by a fresh one, and return its log."""
    if not shutil.which("curl"):
        raise Failed("curl is missing: install it (on Debian: apt-get install curl)")
    down = [sys.executable, str(ROOT / "dev" / "down.py"), "--port", str(port)]
    replaced = subprocess.run(down, check=True, stdout=subprocess.PIPE, text=True).stdout
    if "stopped" in replaced:
        print("The server of an earlier `make up` was replaced; it has taken its jobs along.")
    if answers(port):
        raise Failed(f"port {port} is taken by {holder(port)}: end it, then try again")
    log = ROOT / ".cache" / f"serve-{port}.log"
    log.parent.mkdir(exist_ok=True)
    enso = Path(sys.executable).with_name("enso")
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(enso), "serve", "--embedded", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "ENSO_MADE_UP": f"{ROOT}:{port}"},  # dev/down.py finds it by this
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        if server.poll() is not None:
            raise Failed(f"the server did not start:\n{log.read_text('utf-8', 'replace')}")
        if time.monotonic() > deadline:
            raise Failed(f"the server did not answer within {START_SECONDS:g} s; see {log}")
        time.sleep(0.05)
    return log


def run_example(port: int, log: Path) -> None:
    """Run the example job through the API as a user would, and tell what happened."""
    shell(LIST, port)
    jobid = str(shell(ADD, port)["jobid"])
    shell(GET, port, jobid)
    shell(EXECUTE, port, jobid)
    deadline = time.monotonic() + JOB_SECONDS
    while (job := curl(GET.format(port=port, jobid=jobid))[1])["state"] in ("Waiting", "Running"):
        if time.monotonic() > deadline:
            raise Failed(f"job {jobid} has not ended within {JOB_SECONDS:g} s; see {log}")
        time.sleep(0.1)
    shell(LIST, port)
    print("\nWhat happened, from its get-job:")
    for event in job["events"]:
        print(f"  {event['text']}")
    if job["state"] != "Succeeded":
        raise Failed("\n".join([f"job {jobid} is {job['state']}", *(job["why"] or [])]))
    print("\nWhat to try next:")
    for what, why in NEXT.items():
        print(f"  {what.format(port=port, jobid=jobid, log=log.relative_to(ROOT)):<58} {why}")


def shell(command: str, port: int, jobid: str = "") -> Any:  # noqa: ANN401  # JSON
    """Show a command and its output, as in a terminal; return the output, which is JSON."""
    command = command.format(port=port, jobid=jobid)
    print(f"$ {command}")
    text, document = curl(command)
    print(text, flush=True)
    return document


def curl(command: str) -> tuple[str, Any]:
    """Run the very command; return what it printed, and what that says."""
    # A proxy of the environment would be asked for localhost too.
    environment = {**os.environ, "NO_PROXY": "localhost", "no_proxy": "localhost"}
    result = subprocess.run(
        shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise Failed(f"`{command}` failed: {result.stderr.strip()}")
    document: Any = json.loads(result.stdout)
    if result.stdout.startswith('{"error"'):
        raise Failed(f"`{command}` was refused: {document['error']}")
    return result.stdout.rstrip("\n"), document


def answers(port: int) -> bool:
    """Whether anybody listens at the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """Say who listens at the port, where that can be known."""
    tables = [Path("/proc/net", name) for name in ("tcp", "tcp6")]
    rows = [line.split() for t in tables if t.exists() for line in t.read_text().splitlines()[1:]]
    listening = "0A"
    inodes = {r[9] for r in rows if r[3] == listening and r[1].endswith(f":{port:04X}")}
    for process in Path("/proc").iterdir():
        try:
            targets = {str(file.readlink()) for file in (process / "fd").iterdir()}
            command = (
                (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
        except OSError:
            continue  # no process, one that is gone, or not ours to look at
        if targets & {f"socket:[{inode}]" for inode in inodes}:
            return f"process {process.name} ({command.strip()})"
    return "another process"


if __name__ == "__main__":
    sys.exit(main())
