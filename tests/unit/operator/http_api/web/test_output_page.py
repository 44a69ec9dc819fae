"""The page with the output of an attempt."""

from __future__ import annotations

import pytest

from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.output import Addresses, OutputPage, output_page
from enso_operator.http_api.web.views.output_lines import LONGEST_LINE, OutputLine
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.script import LibraryScript, Script
from tests.support.api import Api
from tests.support.job_story import Story

pytestmark = pytest.mark.anyio
CAUSE = Cause("Exception", "diverged at frame 1019\nat the second line", "ValueError")


def _page(output: bytes, *, before: int = 0, cause: Cause | None = CAUSE) -> OutputPage:
    story = Story.of(Script("simulate", LibraryScript("simulate")))
    story.opens("main-1", "simulate")
    if cause:
        story.fails("simulate", cause)
    else:
        story.starts("simulate")
    snapshot = JobSnapshot("shot", "Running", None, story.job)
    last = (output, before)
    page, _ = output_page(snapshot, "simulate", 1, last, Addresses("/whole", "/lines", "/job"))
    return page


def _texts(page: OutputPage) -> list[str]:
    return [line.text for line in (*page.lines, *filter(None, [page.begun]))]


def test_the_lines_that_tell_why_are_marked() -> None:
    page = _page(b"frame 1018\nerror: diverged at frame 1019!\nat\nat the second line\n")
    assert [line.is_marked for line in page.lines] == [False, True, False, True]
    assert (page.first_mark, page.state) == (2, "Failed")


@pytest.mark.parametrize("cause", [None, Cause("Timeout"), Cause("ExitCode", " ")])
def test_nothing_is_marked_where_nothing_was_said(cause: Cause | None) -> None:
    page = _page(b"frame 1018\n\nframe 1019\n", cause=cause)
    assert page.first_mark == 0
    assert page.is_running == (cause is None)


def test_what_only_terminals_understand_is_left_out() -> None:
    page = _page(b"\x1b[1;32mgreen\x1b[0m\r\n  1%\r 50%\r100%\nend")
    assert _texts(page) == ["green", "100%", "end"]


def test_a_torn_line_is_left_out_but_never_the_only_one() -> None:
    assert _texts(_page(b"orn\nwhole\n", before=100)) == ["whole"]
    assert _texts(_page(b"one line that has no end", before=100)) == ["one line that has no end"]
    assert _texts(_page(b"")) == []


def test_a_long_line_is_cut() -> None:
    line = _page(b"x" * (LONGEST_LINE + 7)).begun
    assert line == OutputLine("x" * LONGEST_LINE, more=7)


async def test_an_attempt_has_a_page_and_its_output_as_text(api: Api) -> None:
    evil = "</pre><script>alert(1)</script>\x1b[31m\u202e"
    jobid = await api.add(["say", {"text": evil}], ["simulate", {"substeps": 2}])
    await api.execute(jobid)
    await api.ended(jobid)
    page = (await api.get(f"/jobs/{jobid}")).text
    address = f"/jobs/{jobid}/scripts/say/attempts/1"
    assert f'href="{address}"' in page
    assert f'data-lines="{address}/lines"' in page

    shown = (await api.get(address)).text
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in shown
    assert f'href="{address}/output"' in shown
    text = await api.get(f"{address}/output")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert evil in text.text
    failed = (await api.get(f"/jobs/{jobid}/scripts/simulate/attempts/1")).text
    assert '<mark id="why">' in failed


async def test_an_attempt_that_never_was_is_told_to_people_and_to_the_script(api: Api) -> None:
    jobid = await api.add(["say", {}])
    for path in ("say/attempts/1", "say/attempts/1/output", "nothing/attempts/1"):
        answer = await api.get(f"/jobs/{jobid}/scripts/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (
            404,
            "text/html; charset=utf-8",
        )
    answer = await api.get(
        f"/jobs/{jobid}/scripts/say/attempts/1/output", accept="application/json"
    )
    assert answer.json()["error"].startswith("attempt 1 of 'say' has not begun")
