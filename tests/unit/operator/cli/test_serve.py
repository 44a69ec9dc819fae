"""`enso serve`, mostly `--embedded`, as a process, asked by curl."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.support.api import SCRIPTS
from tests.support.curl import ADD, EXECUTE, GET, LIST, RESUME_WITH_SUBSTEPS
from tests.support.embedded_server import EmbeddedServer
from tests.support.eventually import until
from tests.support.resources import EMPTY
from tests.support.serve_program import ENSO, port_of, start_serve

ROOT = Path(__file__).resolve().parents[4]
NO_CLUSTER = "/nowhere/config"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    for name, source in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(source)
    server = EmbeddedServer(tmp_path)
    yield server
    server.end()


def test_the_users_curl_commands(server: EmbeddedServer) -> None:
    assert server.shell(LIST) == []
    jobid = server.shell(ADD)["jobid"]
    assert server.shell(GET, jobid)["state"] == "Waiting"
    assert server.shell(EXECUTE, jobid)["jobid"] == jobid
    until(lambda: server.shell(LIST)[0]["state"] in ("Succeeded", "Failed"))
    assert server.shell(LIST) == [{"jobid": jobid, "state": "Succeeded"}]
    scripts = server.shell(GET, jobid)["scripts"]
    assert [script["parameters"]["arg1"] for script in scripts] == [
        "open houdini file",
        "do something...",
        "save houdini file",
    ]


def test_a_job_that_failed_for_a_wrong_argument_goes_on_with_another(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    say: list[object] = ["say", EMPTY]
    job = {"instructions": [say, say, ["simulate", {"substeps": 2}], say, say]}
    (tmp_path / "job.json").write_text(json.dumps(job))
    jobid = server.shell(ADD.replace("./example_job.json", str(tmp_path / "job.json")))["jobid"]
    server.shell(EXECUTE, jobid)
    until(lambda: server.shell(LIST)[0]["state"] == "Failed")
    failure = server.shell(GET, jobid)["failure"]
    assert failure.startswith(
        "simulate failed: ValueError: 2 substeps are too few; args substeps=2"
    )

    answer = server.shell(RESUME_WITH_SUBSTEPS, jobid)

    assert answer["outcome"] == "resumed; it goes on at 'simulate' after say, say-2 have run again"
    until(lambda: server.shell(LIST)[0]["state"] in ("Succeeded", "Cancelled"))
    shown = server.shell(GET, jobid)
    assert [script["state"] for script in shown["scripts"]] == ["Succeeded"] * 5
    assert shown["scripts"][2]["parameters"] == {"substeps": 4}
    (resumed,) = [event for event in shown["events"] if event["type"] == "JobResumed"]
    assert resumed["why"] == "two were too few"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything(
    server: EmbeddedServer, tmp_path: Path, number: signal.Signals
) -> None:
    waiting = tmp_path / "never"
    job = {"instructions": [["wait_for", {"path": str(waiting), "stubborn": True}]]}
    (tmp_path / "job.json").write_text(json.dumps(job))
    jobid = server.shell(ADD.replace("./example_job.json", str(tmp_path / "job.json")))["jobid"]
    server.shell(EXECUTE, jobid)
    until(waiting.with_name("never.waiting").exists)
    assert len(server.processes()) >= 3
    server.process.send_signal(number)
    log, _ = server.process.communicate(timeout=60)
    assert server.process.returncode == 0
    until(lambda: not server.processes())
    assert list(server.temporary.iterdir()) == []
    assert "JobCancelled the server is stopping" in log
    assert "Traceback" not in log


def test_a_server_that_is_killed_leaves_no_session_and_no_folder(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    waiting = [tmp_path / "one", tmp_path / "two"]
    for file in waiting:
        job = {"instructions": [["wait_for", {"path": str(file), "stubborn": True}]]}
        (tmp_path / "job.json").write_text(json.dumps(job))
        jobid = server.shell(ADD.replace("./example_job.json", str(tmp_path / "job.json")))["jobid"]
        server.shell(EXECUTE, jobid)
        until(file.with_name(f"{file.name}.waiting").exists)
    os.kill(server.process.pid, signal.SIGKILL)
    log, _ = server.process.communicate(timeout=60)
    until(lambda: not server.processes() and not list(server.temporary.iterdir()))
    assert "Traceback" not in log


def test_more_idle_connections_than_files_are_allowed_shut_nobody_out(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        command = f"ulimit -n 300; exec {shlex.quote(ENSO)} serve --embedded --port 0"
        process = stack.enter_context(
            subprocess.Popen(
                ["sh", "-c", command],
                env=os.environ | {"TMPDIR": str(tmp_path)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        stack.callback(process.terminate)
        port = port_of(process)
        for _ in range(320):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        url = f"http://127.0.0.1:{port}/list-jobs"
        assert httpx.get(url, trust_env=False, timeout=60).json() == []
        process.terminate()
        assert process.stdout
        assert len(process.stdout.readlines()) <= 1  # of those that came at once


REFUSED = """
import json, sys
from click.testing import CliRunner
from enso_operator.cli import app
for arguments in json.load(sys.stdin):
    done = CliRunner().invoke(app, ["serve", *arguments])
    print(json.dumps([done.exit_code, done.stdout, done.stderr]))
"""
"""One process for all, as `enso serve` loads for a second, and changes limits of its process."""


def refused(*calls: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Return the exit code, standard output and standard error of each `enso serve`."""
    done = subprocess.run(
        [sys.executable, "-c", REFUSED],
        input=json.dumps(calls),
        env=os.environ | {"KUBECONFIG": NO_CLUSTER},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_cannot_be_served_is_a_sentence_and_exit_code_2(server: EmbeddedServer) -> None:
    calls = {
        ("--embedded", "--namespace", "a"): "enso: jobs in memory have no namespace: remove --nam",
        ("--namespace", "a"): "enso: KUBECONFIG names /nowhere/config, which does not exist",
        ("--embedded", "--port", str(server.port)): f"enso: port {server.port} of 127.0.0.1 is tak",
        ("--embedded", "--port", "70000"): "enso: cannot listen at 127.0.0.1:70000: a port is a nu",
        ("--embedded", "--host", "no.host.invalid"): "enso: there is no host 'no.host.invalid': ",
        ("--embedded", "--host", "192.0.2.1", "--port", "0"): "enso: cannot listen at 192.0.2.1:0",
        ("--embedded", "--host", "0.0.0.0", "--port", "0"): (  # noqa: S104
            "enso: 0.0.0.0 can be reached from other machines, and whoever reaches it could run "
            "the scripts of the library here: add --allow-anonymous, where something else keeps"
        ),
        ("--embedded", "--auth", "kubernetes"): "enso: jobs in memory have no cluster that could s",
        ("--auth", "kubernetes", "--allow-anonymous"): "enso: --allow-anonymous is for --auth=none",
        ("--auth", "kubernetes"): "enso: KUBECONFIG names /nowhere/config, which does not exist",
    }
    for (code, out, told), sentence in zip(refused(*calls), calls.values(), strict=True):
        assert (code, out) == (2, "")
        assert told.startswith(sentence)
        assert len(told.splitlines()) == 1


def test_a_host_that_others_reach_is_warned_of() -> None:
    reached = ("--embedded", "--allow-anonymous", "--host", "0.0.0.0")  # noqa: S104
    with start_serve(*reached, errors=subprocess.PIPE) as process:
        port_of(process)
        process.terminate()
        _, told = process.communicate()
    assert "warning: 0.0.0.0 can be reached from other machines, and there is no auth" in told
