"""The operator's log: each transition is one line, whatever users wrote into it."""

from __future__ import annotations

import io
import json
import logging
import math
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enso_operator.observability.log_format import FIELDS, JsonFormatter, TextFormatter, transitions
from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.events import Event
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.service_layer.services import add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.job_history import JobHistory
from tests.support.jobs import job_of, make

CANARY = "canary-5520"
UID = "0c9f3ba2-8c52-4a3c-9d5e-0a3f1f0e7a11"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
FORGED = "2026-11-24T03:38:56.123Z INFO all is well  job=a/b event=JobSucceeded"
HOSTILE = [
    f"\n{FORGED}\n",
    f"\r\n{FORGED}",
    f"\r{FORGED}",
    f"\u2028{FORGED}\u2029\x85{FORGED}\x0b\x0c\x1c",
    f'"}}\n{{"level": "INFO", "message": "{FORGED}"}}',
    "\x1b[2J\x1b]0;title\x07\x00\x9b31m",
    "\ud800 \u202e\u2066 \ufeff",
    "  job=other/job  uid=1 ",
    "x" * 100_000,
    '"\\' * 50_000,
    '"\\\n' * 50_000,
    "\u0007é\U0001f3ac" * 20_000,
]
CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Kinds of characters that move a terminal's cursor, turn a line around or end it."""
LONGEST_LINE = 16 * 1024
"""Bytes: where a container runtime would cut a line in two."""

Write = Callable[[logging.Logger], None]


class Log:
    """What a logger of its own wrote in one of the formats."""

    def __init__(self, formatter: logging.Formatter, write: Write) -> None:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logger = logging.Logger("enso_operator.test", logging.INFO)  # noqa: LOG001  # of its own
        logger.addHandler(handler)
        write(logger)
        self.text = stream.getvalue()

    @property
    def lines(self) -> list[str]:
        """The lines as the most generous reader splits them; all are within bounds."""
        assert self.text.endswith("\n")
        lines = self.text.splitlines()
        assert len(lines) == self.text.count("\n")
        characters = set("".join(lines)) - set("\t\u200c\u200d")
        assert not {unicodedata.category(character) for character in characters} & CONTROLS
        assert all(len(line.encode()) < LONGEST_LINE for line in lines)
        return lines


def text_log(write: Write) -> list[str]:
    return Log(TextFormatter(), write).lines


def json_log(write: Write) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Log(JsonFormatter(), write).lines]


def told(*happened: Event, job: Job | None = None) -> Write:
    job = job or job_of("open")
    return lambda logger: transitions(logger, "shows", job, happened, uid=UID)


def failed(text: str, seconds: float = 41.2345) -> events.ScriptFailed:
    return make(
        events.ScriptFailed,
        at=5,
        origin="s1-1",
        seq=1,
        script="simulate",
        number=2,
        of=4,
        attempt=3,
        parameters={"note": text, text: 240},
        cause=Cause(text, text, error=text),
        seconds=seconds,
    )


def test_a_failure_for_a_terminal() -> None:
    event = make(
        events.ScriptFailed,
        at=5,
        script="simulate",
        number=2,
        of=4,
        attempt=3,
        parameters={"frames": 240},
        cause=Cause(Reason.EXCEPTION, "cache exceeded 2 GiB", error="MemoryError"),
        seconds=41.2345,
    )
    (line,) = text_log(told(event))
    assert re.fullmatch(
        f"{TIME} WARNING ScriptFailed 2/4 simulate, attempt 3, 41 s: "
        "MemoryError: cache exceeded 2 GiB; args frames=240  "
        f"job=shows/job uid={UID} event=ScriptFailed script=simulate attempt=3 "
        "reason=Exception seconds=41.234 logger=enso_operator.test",
        line,
    )


def test_a_failure_for_a_cluster() -> None:
    event = failed("")
    (line,) = json_log(told(event))
    assert re.fullmatch(TIME, line.pop("time"))
    assert line == {
        "level": "WARNING",
        "message": 'ScriptFailed 2/4 simulate, attempt 3, 41 s: ; args note="" =240',
        "job": "shows/job",
        "uid": UID,
        "event": "ScriptFailed",
        "script": "simulate",
        "attempt": 3,
        "reason": "Unknown",
        "seconds": 41.234,
        "logger": "enso_operator.test",
    }


def test_a_whole_life_has_a_line_for_each_event_and_warns_of_what_went_wrong() -> None:
    history = JobHistory(job_of("open do.retry1"))
    history.opens()
    history.runs("open")
    history.runs("do", Cause(Reason.TIMEOUT, "longer than 3 s"))
    history.record_in_session(events.ScriptStarted, "do")
    history.ends(Cause(Reason.SESSION_LOST, "it is gone"))
    history.record_for_script(
        events.ScriptInterrupted, "do", cause=Cause(Reason.SESSION_LOST, "it is gone")
    )
    history.fails("do", Cause(Reason.SESSION_LOST, "it is gone"))
    job = history.job

    lines = json_log(told(*job.events, job=job))

    assert [line["event"] for line in lines] == [type(event).__name__ for event in job.events]
    assert all(line["message"] for line in lines)
    assert {line["event"] for line in lines if line["level"] == "WARNING"} == {
        "ScriptFailed",
        "ScriptInterrupted",
        "SessionEnded",
        "JobFailed",
    }
    assert {line["level"] for line in lines} == {"INFO", "WARNING"}
    assert [line.get("reason") for line in lines[-3:]] == [Reason.SESSION_LOST] * 3
    assert "reason" not in lines[0]


def fields(line: str) -> dict[str, str]:
    """Read a line's fields as its format says: they are behind the first two spaces in a row."""
    found = line.split("  ", 1)[1]
    pairs = cast("list[tuple[str, str]]", re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', found))
    assert len(dict(pairs)) == len(pairs), "each field is there once"
    return {key: json.loads(of) if of.startswith('"') else of for key, of in pairs}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_user_breaks_or_forges_a_line(text: str) -> None:
    check(text)


@given(st.text(max_size=300))
def test_no_random_text_breaks_or_forges_a_line(text: str) -> None:
    check(text)


def check(text: str) -> None:
    job = job_of("open")
    job.id = text or "job"
    resumed = events.JobResumed(at=5, action_id=text, by=text, why=text, changed=(text,))
    opened = events.SessionOpened(at=5, run=text, session=text, uid=text, scripts=(text,))
    happened = (failed(text), resumed, opened)
    documents = json_log(told(*happened, job=job))
    assert [document["event"] for document in documents] == [
        type(event).__name__ for event in happened
    ]
    assert {document["uid"] for document in documents} == {UID}
    lines = text_log(told(*happened, job=job))
    assert [line.split(" ", 2)[1] for line in lines] == ["WARNING", "INFO", "INFO"]
    assert all(re.match(f"{TIME} ", line) for line in lines)
    assert [fields(line)["event"] for line in lines] == [type(e).__name__ for e in happened]
    assert {fields(line)["uid"] for line in lines} == {UID}
    for line, document in zip(lines, documents, strict=True):
        assert fields(line)["job"] == document["job"]
        assert fields(line).keys() == document.keys() - {"time", "level", "message"}


def raising(text: str) -> Write:
    def write(logger: logging.Logger) -> None:
        try:
            raise_it(text)
        except ValueError:
            ref = {"kind": text, "namespace": text, "name": text, "uid": text}
            fields = dict.fromkeys(("job", "event", "script", "reason"), text)
            extra = {"k8s_ref": ref, FIELDS: fields}
            logger.exception("%s: it broke", text, extra=extra)

    return write


def raise_it(text: str) -> None:
    raise ValueError(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_traceback_stays_below_its_line(text: str) -> None:
    write = raising(text)
    (line,) = json_log(write)
    assert line["level"] == "ERROR"
    lines = text_log(write)
    assert all(re.match(TIME, line) for line in lines[:1])
    assert len(lines) > 1
    assert all(line.startswith("    ") for line in lines[1:])


def test_a_traceback_can_be_read() -> None:
    write = raising("of course")
    (line,) = json_log(write)
    assert line["message"] == "of course: it broke"
    assert line["traceback"].startswith("Traceback (most recent call last):\n  File ")
    assert line["traceback"].endswith("\nValueError: of course")
    assert "\n".join(text_log(write)).endswith("\n    ValueError: of course")


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0, 1e300])
def test_a_duration_that_cannot_be_is_still_a_number(seconds: float) -> None:
    (line,) = json_log(told(failed("x", seconds)))
    assert 0 <= line["seconds"] < 1e10


def test_what_kopf_says_of_an_object_names_it() -> None:
    ref = {"kind": "EnsoJob", "namespace": "shows", "name": "a", "uid": UID, "apiVersion": "v1"}
    extra: dict[str, object] = {"k8s_ref": ref, "k8s_skip": False, "settings": object()}
    (line,) = json_log(lambda logger: logger.warning("a handler failed", extra=extra))
    del line["time"]
    assert line == {
        "level": "WARNING",
        "message": "a handler failed",
        "object": "EnsoJob/shows/a",
        "uid": UID,
        "logger": "enso_operator.test",
    }


def jobs_with_a_secret() -> Iterator[Job]:
    for source in (
        "def main(token, to): return token",
        "def main(token, to): raise ValueError(f'{to} refused {token}')",
        "def main(token, to): import sys; sys.exit(token)",
    ):
        uow = InMemoryJobUnitOfWork()
        parameters = {"token": Secret(CANARY), "to": {"url": "https://t", "key": Secret(CANARY)}}
        job_id = add([Script("publish", Source(source), parameters)], job_uow=uow)
        execute(job_id, job_uow=uow)
        yield uow.jobs.get(job_id)


def test_no_secret_reaches_the_log() -> None:
    for job in jobs_with_a_secret():
        for formatter in (TextFormatter(), JsonFormatter()):
            log = Log(formatter, told(*job.events, job=job)).text
            assert CANARY not in log
            assert "token=***" in log


PROGRAM = """
import logging, warnings
from enso_operator.observability.log_format import configure
configure("json", "debug")
for log_format, level in ("json", "info"), ("text", "error"):
    configure(log_format, level)
    for library in ("kopf.reactor", "aiohttp.access", "urllib3.pool", "kubernetes.client"):
        logging.getLogger(library).info("chatter")
        logging.getLogger(library).error("%s is in trouble", library)
    logging.getLogger("enso_operator.coordinator.actor").info("hello")
    warnings.warn("this is old\\nand so on", DeprecationWarning)
"""


def test_configure_sets_up_the_whole_process_and_leaves_one_handler() -> None:
    command = [sys.executable, "-W", "always", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    documents = [json.loads(line) for line in lines[:6]]
    assert [document["logger"].split(".")[0] for document in documents] == [
        "kopf",
        "aiohttp",
        "urllib3",
        "kubernetes",
        "enso_operator",
        "py",
    ]
    assert documents[4]["message"] == "hello"
    assert "DeprecationWarning: this is old and so on" in documents[5]["message"]
    assert lines[6].endswith(" ERROR kopf.reactor is in trouble  logger=kopf.reactor")
    assert len(lines) == 6 + 4, "the warning and the greeting are below ERROR"
