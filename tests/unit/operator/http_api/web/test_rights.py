"""What somebody may not do is greyed on a page, with the sentence why."""

from __future__ import annotations

import re
from html import unescape

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.rights import Rights
from tests.support.api import Api, Served

pytestmark = pytest.mark.anyio
ACT, EXECUTE = "You may not create ensoactions.", "You may not patch ensojobs."


class Looking(EmbeddedJobs):
    """Jobs as somebody has them who may add some, and nothing else."""

    async def rights(self) -> Rights:
        return Rights(act=ACT, execute=EXECUTE)


@pytest.fixture
async def api(served: Served) -> Api:
    return await served.over(await served.stack.enter_async_context(Looking(served.library)))


async def test_every_button_says_which_right_is_missing(api: Api) -> None:
    jobid = await api.add(["say", {}])
    page = unescape((await api.get(f"/jobs/{jobid}", accept="text/html")).text)
    part = page.partition('id="part-actions"')[2].partition("</div>")[0]
    found = re.findall(r'<button[^>]*aria-disabled="true" title="([^"]*)"[^>]*>([^<]*)<', part)
    assert found == [
        (EXECUTE, "Start"),
        *((ACT, label) for label in ("Resume…", "Pause", "Skip", "Cancel…")),
    ]
    assert "formaction" not in part
    assert "<select" not in part
    assert 'href="/jobs/' not in part
