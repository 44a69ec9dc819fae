"""Which cluster owns the node of a machine, without starting a node."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from dev.checkout import Failed, locked
from dev.host import node_lock

from tests.support.eventually import until


@pytest.fixture(autouse=True)
def cleared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A machine of our own; what was cleared away, and for whose sake."""
    calls: list[str] = []
    monkeypatch.setattr(node_lock, "CLAIM", tmp_path / "claim.json")
    monkeypatch.setattr(node_lock, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(node_lock, "HOME", tmp_path / "home")
    monkeypatch.setattr("dev.host.cleanup.clear", lambda: calls.append("cleared"))
    return calls


@pytest.fixture
def run(tmp_path: Path) -> Generator[Path]:
    """The cluster of a test run that goes on."""
    folder = cluster(tmp_path, "test-run")
    with (folder.parents[1] / "test-run.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield folder


def cluster(tmp_path: Path, name: str) -> Path:
    """Return the folder of one in a checkout."""
    folder = tmp_path / "checkout" / ".cache" / "cluster" / "clusters" / name
    folder.mkdir(parents=True)
    return folder


def test_the_node_of_a_test_run_is_refused_while_it_goes_on(
    tmp_path: Path, run: Path, cleared: list[str]
) -> None:
    with node_lock.taken(run):
        pass

    with (
        pytest.raises(Failed, match=rf"^A test run in {tmp_path}/checkout has this machine"),
        node_lock.taken(cluster(tmp_path, "mine")),
    ):
        pass
    assert (node_lock.owner(), cleared) == (run, [])


@pytest.mark.parametrize("name", ["test-killed", "developers"])
def test_a_node_that_was_left_behind_is_cleared_away_and_taken(
    tmp_path: Path, cleared: list[str], name: str
) -> None:
    mine = cluster(tmp_path, "mine")
    with node_lock.taken(cluster(tmp_path, name)):
        pass

    with node_lock.taken(mine):
        assert cleared == ["cleared"]

    assert node_lock.owner() == mine


def test_releasing_the_node_leaves_nothing(run: Path, cleared: list[str]) -> None:
    with node_lock.taken(run):
        pass

    with node_lock.released(run):
        assert cleared == ["cleared"]

    assert node_lock.owner() is None


def test_a_node_that_got_a_new_owner_during_the_wait_is_left_to_it(
    tmp_path: Path, run: Path, cleared: list[str]
) -> None:
    other = cluster(tmp_path, "other")
    with node_lock.taken(run):
        pass
    ended = threading.Event()

    def end() -> None:
        with node_lock.released(run):
            ended.set()

    waiting = threading.Thread(target=end)
    with locked(tmp_path / "lock"):
        waiting.start()
        until(lambda: len(list(Path("/proc/self/task").iterdir())) > 1)
        (tmp_path / "claim.json").write_text(json.dumps({"folder": str(other)}))
    waiting.join(timeout=30)

    assert ended.is_set()
    assert (node_lock.owner(), cleared) == (other, [])
