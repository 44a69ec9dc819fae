"""The failure card that somebody copies from the page to send it to others."""

from __future__ import annotations

import re

import pytest

from tests.support.api import Api

pytestmark = pytest.mark.anyio


async def test_it_says_of_which_job_it_is_and_where_that_is_seen(api: Api) -> None:
    jobid = await api.add(["simulate", {"substeps": 2}])
    await api.execute(jobid)
    await api.ended(jobid)

    page = await api.get(f"/jobs/{jobid}")

    card = re.search(r'<details class="card">.*?<pre>(.*?)</pre>', page.text, re.DOTALL)
    assert card
    first, address, empty, failed = card[1].splitlines()[:4]
    assert (first, empty) == (f"{jobid}: Failed", "")
    assert address == str(page.url)
    assert failed.startswith("simulate (1 of 1), attempt 1, failed after ")
