"""Whoever sends many tokens that are none of the cluster's holds up nobody whom it knows."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest
from kubernetes.client import ApiClient, Configuration

from enso_operator.blocking import MOST_AT_ONCE, MOST_OF_A_JOB
from enso_operator.http_api.auth import callers
from enso_operator.http_api.auth.callers import Callers
from enso_operator.http_api.port import NotSignedIn
from enso_operator.kube.client import ApiObjects, Unauthorized
from enso_operator.kube.connection import configuration_of
from job_execution_framework.domain.errors import Unavailable
from job_execution_framework.domain.secret import Secret

pytestmark = pytest.mark.anyio
GOOD = "good"


async def test_a_flood_of_tokens_holds_up_no_known_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, asked, now = Event(), list[str](), 1000.0

    def user_name(client: ApiClient) -> str:
        token = configuration_of(client).api_key["BearerToken"].removeprefix("Bearer ")
        asked.append(token)
        if token == GOOD:
            return token
        gate.wait()
        raise Unauthorized("Unauthorized")

    monkeypatch.setattr(callers, "user_name", user_name)
    nobody = ApiObjects(ApiClient(Configuration(host="http://127.0.0.1:9")), "shows", "ensojobs")
    known = Callers(nobody, lambda: now)
    good = await known.viewer(Secret(GOOD))
    now += callers.KNOWN_SECONDS + 1
    flood = [
        asyncio.create_task(known.viewer(Secret(f"junk-{number}")))
        for number in range(callers.MOST_UNKNOWN + MOST_AT_ONCE)
    ]
    try:
        async with asyncio.timeout(30):
            assert await known.viewer(Secret(GOOD)) is good
        assert len(asked) <= 2 + MOST_OF_A_JOB
    finally:
        gate.set()
        answers = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == MOST_AT_ONCE
    count = len(asked)
    with pytest.raises(NotSignedIn):
        await known.viewer(Secret("junk-0"))
    assert len(asked) == count  # it was told a moment ago
