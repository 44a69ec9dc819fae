"""What the tests of pages show: a shot that is published, with a script that fails at first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.request import Request, urlopen

from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until

FAILURE = "the banner exploded at frame 3: stiffness 5000 needs at least 2 substeps, not 1"
STUDIO = Path(__file__).with_name("studio")


def write_shots(folder: Path) -> Path:
    """Write the scripts into a folder; return the folder of the template."""
    shutil.copytree(STUDIO, folder, dirs_exist_ok=True)
    return folder / "templates"


def start(server: EmbeddedServer, template: str = "publish-banner", **params: object) -> str:
    """Start a run of a template as a program does; return the job's id."""
    if template == "publish-banner":
        params = {"shot": "010"} | params
    jobid = _post(server, "/add-job", {"template": template, "params": params})["jobid"]
    _post(server, "/execute-job", {"jobid": jobid})
    return jobid


def start_scripts(server: EmbeddedServer, *scripts: tuple[str, Mapping[str, object]]) -> str:
    """Start a job of scripts of the library; return its id."""
    jobid = _post(server, "/add-job", {"instructions": scripts})["jobid"]
    _post(server, "/execute-job", {"jobid": jobid})
    return jobid


def failed(server: EmbeddedServer) -> str:
    """Start a run that fails, and wait until it has; return the job's id."""
    jobid = start(server)
    until(lambda: state_of(server, jobid) == "Failed")
    return jobid


def state_of(server: EmbeddedServer, jobid: str) -> str:
    with urlopen(f"{server.address}/get-job/{jobid}") as answer:  # noqa: S310  # of this machine
        state: str = json.load(answer)["state"]
    return state


def _post(server: EmbeddedServer, path: str, body: object) -> dict[str, str]:
    request = Request(  # noqa: S310  # of this machine
        server.address + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request) as answer:  # noqa: S310  # of this machine
        answered: dict[str, str] = json.load(answer)
    return answered
