"""The example of docs/http.md with scripts of one's own, as it is written there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from dev.checkout import CHECKOUT

from tests.support.curl import EXECUTE, GET
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until


def test_scripts_of_a_folder_are_served(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (CHECKOUT / "docs/http.md").read_text(), re.DOTALL)
    (begin,) = (index for index, block in enumerate(blocks) if "ENSO_SCRIPTS_PATH=" in block)
    write, _, start = blocks[begin].rpartition("ENSO_SCRIPTS_PATH=")
    assert start == "~/studio enso serve --embedded --templates examples/templates\n"
    home = os.environ | {"HOME": str(tmp_path)}
    subprocess.run(["bash", "-ec", write], env=home, check=True)

    server = EmbeddedServer(
        tmp_path / "studio", "--templates", str(CHECKOUT / "examples/templates")
    )
    try:
        jobid = server.shell(blocks[begin + 1])["jobid"]
        server.shell(EXECUTE, jobid)
        until(lambda: server.shell(GET, jobid)["state"] == "Succeeded")
        assert server.shell(GET, jobid)["scripts"][0]["parameters"] == {"frames": 24}
    finally:
        server.end()
