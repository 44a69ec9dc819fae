"""The example that uses all that sessions on one machine have, as its comment says."""

from __future__ import annotations

from pathlib import Path

import pytest
from dev.checkout import CHECKOUT

from tests.support.workstation import Workstation

EXAMPLE = CHECKOUT / "examples" / "simulate-smoke.yaml"


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    return Workstation(tmp_path)


def run(workstation: Workstation, *options: str, frames: int = 24) -> tuple[int, list[str]]:
    """Run the example with its files in the workstation's folder; return what is said, by lines."""
    text = EXAMPLE.read_text("utf-8").replace("/tmp/enso-examples", str(workstation.root))  # noqa: S108  # is replaced
    file = workstation.root / "simulate-smoke.yaml"
    file.write_text(text.replace("{frames: 24,", f"{{frames: {frames},"))
    code, said = workstation.run(*options, file=file)
    return code, said.splitlines()


def that_begin(said: list[str], *begins: str) -> list[str]:
    return [line for line in said if line.startswith(begins)]


def test_it_waits_for_a_licence_and_publishes_what_was_simulated(workstation: Workstation) -> None:
    code, said = run(workstation)
    assert code == 0, said
    assert said[0].startswith("simulate-smoke: 3 scripts and 1 of finally; journal ")
    failed = that_begin(said, "2/3 simulate failed")
    assert len(failed) == 2
    assert all("LicenseUnavailable" in line for line in failed)
    assert len(that_begin(said, "2/3 simulate retrying")) == 2
    assert that_begin(said, "2/3 simulate succeeded")
    assert "  | published 24 frames of shot 010" in said
    assert "  | the job is Succeeded: unlocked shot 010" in said
    folder = workstation.root / "smoke"
    published = (folder / "release" / "smoke-010.txt").read_text()
    assert len(published.splitlines()) == 24
    assert published == (folder / "cache.txt").read_text()
    assert not (folder / "010.lock").exists()


def test_it_is_unlocked_where_it_fails_and_goes_on_as_it_says(workstation: Workstation) -> None:
    code, said = run(workstation, frames=0)
    assert code == 1
    assert "    ValueError: there is nothing to simulate in 0 frames" in said
    assert "  | the job is Failed: unlocked shot 010" in said
    (log,) = (line.split()[1] for line in said if line.startswith("  log "))
    assert "nothing to simulate in 0 frames" in Path(log).read_text()
    folder = workstation.root / "smoke"
    assert not (folder / "010.lock").exists()

    code, said = run(workstation, "--resume", "--set", "simulate.frames=24", frames=0)
    assert code == 0, said
    assert "  | published 24 frames of shot 010" in said
    assert "  | the job is Succeeded: unlocked shot 010" in said
    assert not (folder / "010.lock").exists()
