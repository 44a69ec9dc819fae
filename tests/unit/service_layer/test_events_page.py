"""What docs/events.md says of a listener in one's own Python, and of the events that there are."""

from __future__ import annotations

import json
import re
from queue import SimpleQueue
from typing import cast

import pytest

from job_execution_framework.domain import events
from tests.support.snippets import page, snippet

SNIPPET = snippet("events.md", "uow.listeners.append")
OF_THE_OPERATOR = {"NotGoingOn", "EventsLeftOut"}


def sent(source: str) -> list[dict[str, str]]:
    """Run the page's code; return what is in the queue after it."""
    names: dict[str, object] = {}
    exec(source, names)  # noqa: S102  # it is in docs/events.md
    messages = cast("SimpleQueue[str]", names["messages"])
    return [json.loads(messages.get()) for _ in range(messages.qsize())]


def test_the_outcome_of_a_job_is_sent_once() -> None:
    (message,) = sent(SNIPPET)
    assert message.pop("id").startswith(f"{message.pop('job')}/coordinator/")
    assert message == {"outcome": "JobSucceeded", "why": ""}


def test_a_failure_is_sent_with_the_script_its_arguments_and_why() -> None:
    (message,) = sent(SNIPPET.replace('"arg2": "shot-010.hip"', '"arg3": "shot-010.hip"'))
    assert message["outcome"] == "JobFailed"
    assert message["why"].startswith("example-script failed: BadParameters: ")
    assert "args arg1=open arg3=shot-010.hip" in message["why"]


def test_a_listener_that_raises_does_not_harm_the_job(caplog: pytest.LogCaptureFixture) -> None:
    breaks = "uow.listeners.append(lambda job, events: 1 / 0)\n"
    (message,) = sent(SNIPPET.replace("uow.listeners.append", f"{breaks}uow.listeners.append"))
    assert message["outcome"] == "JobSucceeded"
    assert "ZeroDivisionError" in caplog.text


def test_the_page_has_every_event_that_is_posted() -> None:
    rows = page("events.md").split("| `reason` | `message` |")[1].split("\n\n")[0].splitlines()[2:]
    told = [name for row in rows for name in re.findall(r"`(\w{3,})`", row.split(" | ")[0])]
    abstract = {events.Event, events.ScriptEvent}
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.Event)
    }
    assert sorted(told) == sorted({kind.__name__ for kind in kinds - abstract} | OF_THE_OPERATOR)
