"""A normal stop of `enso serve` looks like one, whoever still reads an answer."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from tests.support.curl import ADD, EXECUTE
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until

WAITS = """
import pathlib, time
def main(path):
    print("frame one", flush=True)
    pathlib.Path(path).with_name("written").touch()
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
"""


@pytest.mark.parametrize("kind", ["lines", "output?follow=1"])
def test_output_that_is_read_is_given_up_without_a_word(tmp_path: Path, kind: str) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    server = EmbeddedServer(tmp_path)
    try:
        jobid = _started(server, tmp_path)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as reader:
            path = f"/jobs/{jobid}/scripts/waits/attempts/1/{kind}"
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while b"frame one" not in answer:
                answer += reader.recv(65536)

            server.process.send_signal(signal.SIGTERM)
            log, _ = server.process.communicate(timeout=60)

            assert _rest(reader) != b"0\r\n\r\n"  # what was cut off does not look whole
    finally:
        server.end()
    assert server.process.returncode == 0
    assert "Traceback" not in log
    assert "ASGI" not in log
    assert "Cancel " not in log


def _started(server: EmbeddedServer, folder: Path) -> str:
    job = folder / "job.json"
    job.write_text(json.dumps({"instructions": [["waits", {"path": str(folder / "never")}]]}))
    jobid: str = server.shell(ADD.replace("./example_job.json", str(job)))["jobid"]
    server.shell(EXECUTE, jobid)
    until((folder / "written").exists)
    return jobid


def _rest(reader: socket.socket) -> bytes:
    rest = b""
    try:
        while more := reader.recv(65536):
            rest += more
    except ConnectionError:
        pass
    return rest
