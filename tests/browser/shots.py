"""What the tests of pages show: a shot that is published, with a script that fails at first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.request import Request, urlopen

from tests.support.embedded_server import EmbeddedServer

FAILURE = "the banner exploded at frame 3: stiffness 5000 needs at least 2 substeps, not 1"
STUDIO = Path(__file__).with_name("studio")


def write_shots(folder: Path) -> Path:
    """Write the scripts into a folder; return the folder of the template."""
    shutil.copytree(STUDIO, folder, dirs_exist_ok=True)
    return folder / "templates"


def start(server: EmbeddedServer, *, substeps: int = 1, shot: str = "010") -> str:
    """Start a run of the template as a program does; return the job's id."""
    params = {"shot": shot, "substeps": substeps}
    jobid = _post(server, "/add-job", {"template": "publish-banner", "params": params})["jobid"]
    _post(server, "/execute-job", {"jobid": jobid})
    return jobid


def _post(server: EmbeddedServer, path: str, body: object) -> dict[str, str]:
    request = Request(  # noqa: S310  # of this machine
        server.address + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request) as answer:  # noqa: S310  # of this machine
        answered: dict[str, str] = json.load(answer)
    return answered
