"""What `enso` itself says."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from enso_operator.cli import app

SLOW = {"aiohttp", "fastapi", "kopf", "kubernetes", "pydantic", "requests", "rich", "urllib3"}
COMMANDS = ("list", "show", "why", "logs", "watch", "wait")
SCRIPTS = ("scripts check", "scripts push", "scripts list", "scripts show")
ACTIONS = ("resume", "pause", "retry", "skip", "cancel")


def test_the_version_is_told_alone() -> None:
    command = [sys.executable, "-m", "enso_operator", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.split(",")[0] == f"enso {version('enso-operator')}"
    assert (told.stdout.count("\n"), told.stderr) == (1, "")


@pytest.mark.parametrize("command", [*COMMANDS, *ACTIONS])
def test_a_look_at_a_cluster_loads_nothing_slow(command: str, tmp_path: Path) -> None:
    """All of it is imported before the kubeconfig turns out to be missing, or by the program."""
    arguments = {"list": [], "skip": ["shot", "--script", "open"]}.get(command, ["shot"])
    program = f"""
import sys
from enso_operator.__main__ import main
if {command in ACTIONS!r}:  # they import these once a cluster can be asked
    import enso_operator.cli.jobs.act, enso_operator.cli.jobs.resume
sys.argv = ["enso", {command!r}, *{arguments!r}]
try:
    main()
except SystemExit as end:
    print(end.code, *({SLOW} & {{*sys.modules}}))
"""
    environment = os.environ | {"KUBECONFIG": str(tmp_path / "none")}
    environment.pop("KUBERNETES_SERVICE_HOST", None)
    run = [sys.executable, "-c", program]
    told = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == "2\n"
    assert "there is no cluster to ask" in told.stderr


@pytest.mark.parametrize(
    "command", [*COMMANDS, *ACTIONS, *SCRIPTS, "plan", "start", "run", "serve", "check"]
)
def test_every_help_has_an_example_and_the_exit_codes(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="enso")
    told = done.stdout
    assert done.exit_code == 0
    assert f"Example: enso {command}" in told
    assert "Exit code 0: " in told


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["resume"], "name the jobs to go on with, or give --failed instead"),
        (["resume", "shot", "--failed"], "name the jobs to go on with, or give --failed instead"),
        (["resume", "shot", "--since", "2h"], "choose among jobs: add --failed"),
        (["resume", "shot", "--dry-run", "-o", "name"], "a dry run makes no EnsoAction to name"),
        (["skip", "shot"], "Missing option '--script'"),
        (["pause"], "Missing argument 'JOB...'"),
        (["plan", "shot", "./shot.yaml"], "name jobs, or files"),
        (["plan", "shot", "-p", "shot"], "-p shot: write it as NAME=VALUE"),
        (["start"], "Missing argument 'TEMPLATE'"),
        (["start", "shot", "-p", "=1"], "-p =1: write it as NAME=VALUE"),
        (["serve", "--templates", "."], "--templates are for --embedded"),
        (["serve", "--trusted-proxy", "10.0.0.7/8"], "write 10.0.0.7, or 10.0.0.0/8"),
        (["serve", "--trusted-proxy", "proxy"], "write 10.0.0.7, or 10.0.0.0/8"),
        (["serve", "--embedded", "--templates", "/none"], "/none: there is no such folder"),
    ],
)
def test_what_was_typed_wrongly_is_said_before_a_cluster_is_asked(
    typed: list[str], sentence: str
) -> None:
    told = CliRunner().invoke(app, typed)
    assert told.exit_code == 2
    assert sentence in told.stderr


def test_kubectl_finds_it() -> None:
    """Kubectl calls `kubectl-enso`; its help speaks as it was called."""
    plugin = Path(sys.executable).with_name("kubectl-enso")
    told = subprocess.run([plugin, "why", "--help"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("Usage: kubectl enso why ")


@pytest.mark.parametrize(
    ("typed", "last"),
    [
        (["re"], ["resume", "retry", ":4"]),
        (["resume", "--fr"], ["--from", ":4"]),
        (["plan", "./sh"], [":0"]),  # the shell completes names of files
        (["show", "x"], [":4"]),  # no cluster can be asked
    ],
)
def test_kubectl_completes_what_stands_after_its_name(
    typed: list[str], last: list[str], tmp_path: Path
) -> None:
    program = "from enso_operator.cli.kubectl_completion import main; main()"
    environment = os.environ | {"KUBECONFIG": str(tmp_path / "none")}
    run = [sys.executable, "-c", program, *typed]
    told = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    assert [line.partition("\t")[0] for line in told.stdout.splitlines()] == last
