"""A failure that comes of a default shows it: nobody has given that argument."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.api import Api, Served
from tests.unit.operator.http_api.web.test_actions import Browser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(served: Served, tmp_path: Path) -> AsyncIterator[Api]:
    source = "def main(frames: int, substeps: int = 1):\n    raise ValueError('too few substeps')\n"
    (tmp_path / "bake.py").write_text(source)
    async with EmbeddedJobs(ScriptLibrary([tmp_path])) as jobs:
        yield await served.over(jobs)


async def test_the_card_shows_what_was_given_and_behind_it_the_defaults(api: Api) -> None:
    jobid = await api.add(("bake", {"frames": 3}))
    await api.execute(jobid)
    await api.ended(jobid)

    page = await Browser(api).page(f"/jobs/{jobid}")
    card = page[page.index('class="failure"') : page.index('id="part-scripts"')]
    told = re.findall(r"<dt>(.+)</dt>\s*<dd.*?>(.*)</dd>", card)
    assert told == [("frames", "3"), ("substeps", '1 <span class="taken">(default)</span>')]
    assert card.count('quiet">1 <span') == 1
