"""What somebody may not do is greyed on a page, with the sentence why."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.rights import Rights
from enso_operator.manifests.template_folder import TemplateFolder
from tests.support.api import Api, Served
from tests.support.templates import template

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


async def test_who_may_start_nothing_reads_so_beside_the_templates(
    served: Served, tmp_path: Path
) -> None:
    (tmp_path / "publish.json").write_text(
        json.dumps(template({"name": "say", "scriptRef": {"name": "say"}}))
    )
    jobs = Looking(served.library, templates=TemplateFolder(tmp_path))
    api = await served.over(await served.stack.enter_async_context(jobs))
    for path in ("/templates", "/templates/publish"):
        page = unescape((await api.get(path)).text)
        assert f'<p class="wrong" id="missing">{EXECUTE}</p>' in page
        assert re.search(r'<button[^>]*aria-disabled="true"[^>]*>Start', page)
