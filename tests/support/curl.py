"""Runs the curl commands of the README and of docs/http.md, unchanged except for the port."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

from dev.checkout import CHECKOUT

LIST = "curl http://localhost:5005/list-jobs"
ADD = (
    'curl -X POST http://localhost:5005/add-job -H "Content-Type: application/json"'
    " -d @./example_job.json"
)
GET = "curl http://localhost:5005/get-job/<jobid>"
EXECUTE = (
    'curl -X POST http://localhost:5005/execute-job -H "Content-Type: application/json"'
    """ -d '{"jobid": "<jobid>"}'"""
)

RESUME, RESUME_WITH_SUBSTEPS = re.findall(
    r"^curl .*/resume-job (?:.*\\\n)*.*$", (CHECKOUT / "docs" / "http.md").read_text(), re.MULTILINE
)
"""As docs/http.md has them; the second one gives the script `simulate` 4 substeps."""


def shell(command: str, port: int, jobid: str = "") -> Any:  # noqa: ANN401  # JSON
    """Run one of the commands in the checkout's folder; return its JSON answer."""
    command = command.replace(":5005", f":{port}").replace("<jobid>", jobid)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=CHECKOUT,
        env=os.environ | {"NO_PROXY": "localhost"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)
