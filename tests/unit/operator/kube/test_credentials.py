"""Credentials that many requests need at once."""

from __future__ import annotations

import asyncio
import threading

import pytest
from kubernetes.client import Configuration
from kubernetes.config import ConfigException

from enso_operator.blocking import MOST_OF_A_JOB, in_thread, turn_of
from enso_operator.kube import credentials
from enso_operator.kube.credentials import Credentials
from job_execution_framework.domain.errors import Unavailable


class Renewing:
    """A configuration whose token a program renews, in a thread, once it is let."""

    def __init__(self) -> None:
        self.configuration, self.asked = Configuration(), list[threading.Thread]()
        self.may_answer, self.error = threading.Event(), ""
        vars(self.configuration)["refresh_api_key_hook"] = self._renew  # untyped in the client

    def _renew(self, configuration: Configuration) -> None:
        self.asked.append(threading.current_thread())
        assert self.may_answer.wait(30)
        if self.error:
            raise ConfigException(self.error)
        configuration.api_key["BearerToken"] = f"Bearer {len(self.asked)}"


def test_all_who_wait_are_answered_by_one_call_that_holds_up_nobody() -> None:
    renewing = Renewing()

    async def together() -> list[dict[str, str]]:
        shared = Credentials(renewing.configuration)
        async with asyncio.timeout(30):
            waiting = [asyncio.create_task(shared.header()) for _ in range(50)]
            impatient = asyncio.create_task(shared.header())
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.wait([impatient])
            assert not any(task.done() for task in waiting)
            renewing.may_answer.set()
            return [*await asyncio.gather(*waiting), await shared.header()]

    assert asyncio.run(together()) == [{"Authorization": "Bearer 1"}] * 51
    assert len(renewing.asked) == 1
    assert renewing.asked[0] is not threading.main_thread()


def test_they_are_asked_for_anew_when_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "LASTS_SECONDS", 0.0)
    renewing = Renewing()
    renewing.may_answer.set()

    async def twice() -> list[dict[str, str]]:
        shared = Credentials(renewing.configuration)
        return [await shared.header(), await shared.header()]

    assert asyncio.run(twice()) == [{"Authorization": f"Bearer {n}"} for n in (1, 2)]


def test_what_was_not_renewed_is_told_to_all_who_wait_and_tried_again() -> None:
    renewing = Renewing()
    renewing.may_answer.set()
    renewing.error = "the program failed"

    async def fails_and_recovers() -> dict[str, str]:
        shared = Credentials(renewing.configuration)
        told = await asyncio.gather(*(shared.header() for _ in range(3)), return_exceptions=True)
        assert {type(error) for error in told} == {Unavailable}
        assert {str(error) for error in told} == {
            "the credentials cannot be renewed: the program failed"
        }
        renewing.error = ""
        return await shared.header()

    assert asyncio.run(fails_and_recovers()) == {"Authorization": "Bearer 2"}


def test_a_job_that_has_all_its_turns_holds_up_nobody_elses_credentials() -> None:
    renewing, may_end = Renewing(), threading.Event()
    renewing.may_answer.set()

    async def asks_first() -> dict[str, str]:
        turn_of.set("busy")
        busy = [asyncio.create_task(in_thread(may_end.wait)) for _ in range(MOST_OF_A_JOB)]
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(30):
                return await Credentials(renewing.configuration).header()
        finally:
            may_end.set()
            await asyncio.gather(*busy)

    assert asyncio.run(asks_first()) == {"Authorization": "Bearer 1"}


def test_each_who_waits_has_an_error_of_its_own() -> None:
    renewing = Renewing()
    renewing.error = "the program is broken"

    async def together() -> list[BaseException | dict[str, str]]:
        shared = Credentials(renewing.configuration)
        waiting = [asyncio.create_task(shared.header()) for _ in range(2)]
        renewing.may_answer.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second = asyncio.run(together())
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert first is not second
    assert "the program is broken" in str(first) == str(second)
