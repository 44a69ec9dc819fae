"""What an attempt of a job in memory wrote, while it runs and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.output import NoOutput, last_of
from enso_operator.http_api.web import output
from job_execution_framework.domain.errors import JobNotFound
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.api import Served
from tests.support.eventually import until_async

pytestmark = pytest.mark.anyio
SCRIPTS = {
    "say": """
def main(text):
    print(text)
    print("--- say-2, attempt 1")
""",
    "fail": """
import pathlib
def main(path):
    file = pathlib.Path(path)
    file.write_text(str(int(file.read_text() or 0) + 1) if file.exists() else "1")
    print("try", file.read_text())
    if int(file.read_text()) < 2:
        raise ValueError("once more")
""",
    "crash": """
import os
def main():
    print("going down", flush=True)
    os._exit(3)
""",
    "talk": """
import pathlib, time
def main(path):
    print("begun", flush=True)
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
    print("done")
""",
    "flood": """
def main(lines):
    for number in range(lines):
        print(number, "x" * 90)
""",
}


@pytest.fixture(name="jobs")
async def _jobs(tmp_path: Path) -> AsyncIterator[EmbeddedJobs]:
    for name, source in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(source)
    async with EmbeddedJobs(ScriptLibrary([tmp_path])) as jobs:
        yield jobs


async def ended(jobs: EmbeddedJobs, *instructions: tuple[str, dict[str, object]]) -> str:
    job_id = await jobs.add(instructions)
    await jobs.execute(job_id)

    async def has_ended() -> bool:
        job = (await jobs.get(job_id)).job
        return job is not None and job.finished

    await until_async(has_ended)
    return job_id


async def whole(output: AsyncGenerator[bytes]) -> str:
    return b"".join([piece async for piece in output]).decode()


async def test_each_attempt_has_what_it_wrote_whatever_that_looks_like(
    jobs: EmbeddedJobs,
) -> None:
    job_id = await ended(jobs, ("say", {"text": "one"}), ("say", {"text": "two"}))
    for script, text in (("say", "one"), ("say-2", "two")):
        written = await whole(jobs.output(job_id, script, 1))
        assert written == f"{text}\n--- say-2, attempt 1\n"


async def test_a_failed_attempt_has_its_traceback_and_the_next_one_not(
    jobs: EmbeddedJobs, tmp_path: Path
) -> None:
    job_id = await ended(jobs, ("fail", {"path": str(tmp_path / "tries")}))
    await jobs.act(EnsoActionSpec(job=job_id, verb="resume"), "")

    async def has_succeeded() -> bool:
        return (await jobs.get(job_id)).state == "Succeeded"

    await until_async(has_succeeded)
    first, second = [await whole(jobs.output(job_id, "fail", number)) for number in (1, 2)]
    assert first.startswith("try 1\n")
    assert "ValueError: once more" in first
    assert second == "try 2\n"


async def test_what_a_crash_cut_off_is_there_until_the_crash(jobs: EmbeddedJobs) -> None:
    job_id = await ended(jobs, ("crash", {}))
    assert (await whole(jobs.output(job_id, "crash", 1))).startswith("going down\n")


async def test_who_follows_gets_what_is_written_and_then_the_end(
    jobs: EmbeddedJobs, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job_id = await jobs.add([("talk", {"path": str(gate)}), ("say", {"text": "next"})])
    await jobs.execute(job_id)

    async def has_begun() -> bool:
        job = (await jobs.get(job_id)).job
        return job is not None and job.is_running("talk", 1)

    await until_async(has_begun)
    following = jobs.output(job_id, "talk", 1, is_following=True)
    assert await anext(following) == b"begun\n"
    assert await whole(jobs.output(job_id, "talk", 1)) == "begun\n"
    gate.touch()
    async with asyncio.timeout(30):
        assert await whole(following) == "done\n"


async def test_of_much_only_the_last_is_held(jobs: EmbeddedJobs) -> None:
    job_id = await ended(jobs, ("flood", {"lines": 20_000}))
    last, before = await last_of(jobs.output(job_id, "flood", 1), 1000)
    assert len(last) == 1000
    assert last.endswith(b"x\n")
    assert before + len(last) == len(await whole(jobs.output(job_id, "flood", 1)))


@pytest.mark.parametrize(
    ("script", "attempt", "why"),
    [
        ("say", 2, "attempt 2 of 'say' has not begun: nothing was written"),
        ("say", 0, "attempt 0 of 'say' has not begun"),
        ("nope", 1, "has no script 'nope'; it has: say"),
    ],
)
async def test_what_is_not_there_is_said(
    jobs: EmbeddedJobs, script: str, attempt: int, why: str
) -> None:
    job_id = await ended(jobs, ("say", {"text": "one"}))
    with pytest.raises(NoOutput, match=why):
        await whole(jobs.output(job_id, script, attempt))
    with pytest.raises(JobNotFound, match="there is no job 'nope'"):
        await whole(jobs.output("nope", "say", 1))


async def test_a_page_shows_it_as_plain_text_or_says_why_not(
    jobs: EmbeddedJobs, served: Served
) -> None:
    job_id = await ended(jobs, ("say", {"text": "<b>grüße</b>"}))
    api = await served.over(jobs)
    there, missing = [
        await api.get(f"/jobs/{job_id}/scripts/say/attempts/{number}/output", accept="text/html")
        for number in (1, 2)
    ]
    assert there.text.startswith("<b>grüße</b>\n")
    assert there.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert there.headers["X-Content-Type-Options"] == "nosniff"
    assert missing.status_code == 404
    assert "attempt 2 of &#39;say&#39; has not begun" in missing.text


async def test_only_so_many_read_at_once(
    jobs: EmbeddedJobs, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await ended(jobs, ("say", {"text": "one"}))
    address = f"/jobs/{job_id}/scripts/say/attempts/1/output"
    api = await served.over(jobs)
    assert [(await api.get(address)).status_code for _ in range(3)] == [200] * 3
    monkeypatch.setattr(output, "MOST_READERS", 0)
    api = await served.over(jobs)
    assert (await api.get(address)).status_code == 503
