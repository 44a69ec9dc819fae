"""What `make up` says where it cannot go on, and what it cuts from `kubectl describe`."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from dev.up.target import excerpt

from tests.support.make_up import MakeUp, free_port

NO_CLUSTER = "test-never-started"


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last words of a `make up` that failed."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_a_port_that_a_stranger_has_is_said_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port: int = stranger.getsockname()[1]
        made = MakeUp(port, NO_CLUSTER, {})
        up = made.run("up")
    assert sentence(up).startswith(f"make up: port {port} is taken by process ")
    assert (up.stdout, made.processes()) == ("", [])


def test_a_current_context_that_does_not_answer_is_a_sentence_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    environment = {"USE_CLUSTER": "current", "KUBECONFIG": str(tmp_path / "none")}
    made = MakeUp(free_port(), NO_CLUSTER, environment)
    assert sentence(made.run("up")).startswith(
        "make up: USE_CLUSTER=current, but `config current-context` fails: "
    )
    assert made.processes() == []
    assert made.run("down").returncode == 0


def test_another_word_than_current_is_refused() -> None:
    up = MakeUp(free_port(), NO_CLUSTER, {"USE_CLUSTER": "kind"}).run("up")
    assert sentence(up) == "make up: USE_CLUSTER=kind means nothing here: only `current` does"
    assert up.stdout == ""


DESCRIBED = """\
Name:         shot
Namespace:    default
Spec:
  Scripts:
    Source:  import this

Status:
  Why: a script's own line
Events:
    Name:  open
Status:
  Conditions:
    Reason:  Failed
  Done:      1/3
  Failure:
    Reason:  Exception
  Reason:    Exception
  Why:
    do (2 of 3), attempt 1, failed
      ValueError: no
Events:
  Type     Reason     Age   From               Message
  Warning  JobFailed  2s    enso.dev/operator  do failed
"""

EXCERPT = """\
Name:         shot
[...]
Status:
[...]
  Done:      1/3
[...]
  Reason:    Exception
  Why:
    do (2 of 3), attempt 1, failed
      ValueError: no
Events:
  Type     Reason     Age   From               Message
  Warning  JobFailed  2s    enso.dev/operator  do failed\
"""


def test_the_excerpt_has_the_state_the_reasons_and_the_events() -> None:
    text, remark = excerpt(DESCRIBED)
    assert text == EXCERPT
    assert remark == "shortened: 13 lines of spec, conditions and rows left out"
