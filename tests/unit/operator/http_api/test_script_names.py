"""Names of scripts that no job can give: the library says so, and add-job says what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from enso_operator.http_api.cluster_backend import ClusterJobs
from enso_operator.http_api.script_names import ALLOWED
from tests.support.api import Api
from tests.support.in_memory_objects import InMemoryCluster
from tests.support.in_memory_streams import InMemoryStreams
from tests.support.resources import library_script

pytestmark = pytest.mark.anyio
LETTERS = "ASCII letters (a–z, A–Z)"  # noqa: RUF001  # a range


@pytest.mark.parametrize("name", ["日本語", "é", "a b", "n" * 64])
async def test_the_library_greys_them(api: Api, tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("def main(): pass")
    page = (await api.get("/library")).text
    assert f'id="offer-{name}"' in page
    assert "It cannot run: no job can name it: rename it, with at most 63 ASCII letters" in page
    answer = await api.post("/add-job", {"instructions": [[name, dict[str, object]()]]})
    sentence = f"instructions[0][0]: must be the name of a script in the library: {ALLOWED}"
    assert (answer.status_code, answer.json()["error"]) == (422, sentence)
    assert LETTERS in sentence


async def test_those_that_are_allowed_are_not_grey(api: Api, tmp_path: Path) -> None:
    (tmp_path / f"{'n' * 63}.py").write_text("def main(): pass")
    assert "It cannot run" not in (await api.get("/library")).text


async def test_the_library_of_a_cluster_greys_them_too() -> None:
    objects = InMemoryCluster().objects("shows")
    objects.beside("ensoscripts").create(library_script("n" * 64, source="def main(): pass"))
    (offer, *_) = await ClusterJobs(objects, InMemoryStreams()).library()
    assert offer.problem.startswith("no job can name it")
