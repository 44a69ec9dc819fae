"""The trace of a job that `enso run` runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.collector import Collector
from tests.support.workstation import Workstation

TELLS = (
    "import os\ndef main(word):\n    print('traceparent', os.environ.get('TRACEPARENT', 'none'))\n"
)
FAILS = TELLS + "    raise OSError(word)\n"
PARENT = f"00-{'4b' * 16}-{'00f0' * 4}-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def scripts(last: str) -> list[dict[str, object]]:
    return [
        {"name": "open", "source": TELLS, "args": {"word": "a"}, "checkpoint": True},
        {"name": "save", "source": last, "args": {"word": "disk is full"}, "retries": {"limit": 1}},
    ]


def traceparents(said: str) -> list[str]:
    """Return what the scripts found, in the order in which they ran; a card says it once more."""
    found = (line.rpartition(" ")[2] for line in said.splitlines() if "traceparent " in line)
    return [*dict.fromkeys(found)]


def test_a_job_that_fails_and_is_resumed_is_one_trace(tmp_path: Path, collector: Collector) -> None:
    workstation = Workstation(tmp_path, collector.environment)
    workstation.write(scripts(FAILS))
    code, said = workstation.run()
    assert code == 1
    assert collector.tree == [
        "job job",
        "job job > session main",
        "job job > session main > script open",
        "job job > session main > script save",
        "job job > session main > script save",
    ]
    first, second = (span for span in collector.spans if span.name == "script save")
    assert [span.attributes["enso.script.attempt"] for span in (first, second)] == [1, 2]
    assert second.is_error
    assert second.attributes["error.type"] == "OSError"
    assert second.attributes["enso.script.arguments"] == 'word="disk is full"'
    (exception,) = second.exceptions
    assert exception["exception.message"] == "disk is full"
    assert exception["code.line.number"] == 4
    opened = collector.named("script open")
    assert traceparents(said) == [
        f"00-{span.trace}-{span.id}-01" for span in (opened, first, second)
    ]

    workstation.write(scripts(TELLS))
    code, said = workstation.run("--resume")
    assert code == 0, said
    assert collector.tree[5:] == [
        "job job > resume job",
        "job job > resume job > session main",
        "job job > resume job > session main > script save",
    ]
    assert len({span.trace for span in collector.spans}) == 1
    assert len({span.id for span in collector.spans}) == len(collector.spans) == 8
    assert {span.resource["service.name"] for span in collector.spans} == {"enso-run"}


def test_a_job_is_a_part_of_what_runs_it(tmp_path: Path, collector: Collector) -> None:
    workstation = Workstation(tmp_path, {**collector.environment, "TRACEPARENT": PARENT})
    workstation.write(scripts(TELLS))
    _, said = workstation.run()
    assert collector.named("job job").parent == "00f0" * 4
    assert {span.trace for span in collector.spans} == {"4b" * 16}
    assert len({PARENT, *traceparents(said)}) == 3


def test_without_a_collector_nothing_of_it_is_there(tmp_path: Path) -> None:
    workstation = Workstation(tmp_path)
    workstation.write(scripts(TELLS))
    code, said = workstation.run()
    assert code == 0
    assert traceparents(said) == ["none"]
    assert "traces" not in said


def test_a_collector_that_is_away_is_one_line_of_a_job_that_succeeds(tmp_path: Path) -> None:
    with Collector() as gone:
        pass
    workstation = Workstation(tmp_path, gone.environment)
    workstation.write(scripts(TELLS))
    code, said = workstation.run()
    assert code == 0
    (line,) = (line for line in said.splitlines() if "traces" in line)
    assert line.startswith(f"traces cannot be sent to {gone.address}, and have a gap: ")


def test_a_job_without_traces_does_not_wait_for_opentelemetry(tmp_path: Path) -> None:
    """Its SDK takes a tenth of a second to import, a sixth of what `enso run` takes to start."""
    workstation = Workstation(tmp_path)
    workstation.write(scripts(TELLS))
    program = (
        "import sys; from pathlib import Path; from enso_operator.cli.run import run; "
        "assert run(Path(sys.argv[1])) == 0; "
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(workstation.manifest)],
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": str(Path(sys.executable).parent)},
        check=True,
    )
