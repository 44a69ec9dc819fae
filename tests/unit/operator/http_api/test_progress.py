"""What `GET /get-job` of jobs in memory says of the progress of a script that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.api import Served
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio
TELLS = """
import enso, os, time
def main(gate):
    enso.progress(42.5, "meshing")
    while not os.path.exists(gate):
        time.sleep(0.05)
"""


async def test_progress_is_there_while_the_script_runs(served: Served, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "tell.py").write_text(TELLS)
    gate = tmp_path / "gate"
    api = await served.api(library=ScriptLibrary([tmp_path / "scripts"]))
    jobid = await api.add(["tell", {"gate": str(gate)}])
    shown: dict[str, Any] = {}

    async def is_told() -> bool:
        shown.update((await api.get(f"/get-job/{jobid}")).json()["scripts"][0])
        return "progress" in shown

    await api.execute(jobid)
    await until_async(is_told)
    assert (shown["progress"], shown["message"]) == (42.5, "meshing")
    gate.touch()
    ended = await api.ended(jobid)
    assert ended["state"] == "Succeeded"
    assert not {"progress", "message"} & ended["scripts"][0].keys()
    assert "meshing" not in str(ended["events"])
