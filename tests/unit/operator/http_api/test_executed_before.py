"""A job is executed once: what the API says of a second time, by how the job stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from enso_operator.http_api.executed import AGAIN, RESUME
from tests.support.api import Api, running

pytestmark = pytest.mark.anyio


async def test_a_paused_job_is_resumed(api: Api, tmp_path: Path) -> None:
    jobid = await running(api, tmp_path / "gate")
    await api.act("/pause-job", jobid)
    why = f"job {jobid} was executed before and is paused; {RESUME}"
    assert await api.refusal("/execute-job", jobid) == why


async def test_a_failed_job_is_resumed_or_added_again(api: Api) -> None:
    jobid = await api.add(["leave", {}])
    await api.execute(jobid)
    await api.ended(jobid)
    why = f"job {jobid} was executed before and is Failed; {RESUME}; {AGAIN}"
    assert await api.refusal("/execute-job", jobid) == why


async def test_a_job_that_succeeded_is_added_again(api: Api) -> None:
    jobid = await api.add(["say", {}])
    await api.execute(jobid)
    await api.ended(jobid)
    why = f"job {jobid} was executed before and is Succeeded; {AGAIN}"
    assert await api.refusal("/execute-job", jobid) == why
