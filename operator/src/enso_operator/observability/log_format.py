"""The operator's log: a line for each transition of each job, for a terminal or for a cluster.

Much of what it says was made by users: scripts, their messages, whatever a session wrote. No such
text ends a line, begins one, or makes one endless. In the text format a line's fields stand
behind the first two spaces in a row, which no message contains; what belongs to a line, a
traceback, is indented below it.

These are two formatters of the standard library's logging, which `enso operator` sets up, and not
structlog: libraries log through them too, and what they do, cleaning and bounding texts of users,
structlog would leave to us all the same.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from enso_operator.kube.event_recorder import SAID, is_warning
from enso_operator.kube.status.fields import identifier, one_line
from job_execution_framework.domain.cause import Cause, printable
from job_execution_framework.domain.events import Event, ScriptEvent
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.values import is_mapping

LogFormat = Literal["json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]
NOISY = ("aiohttp", "kopf", "kubernetes", "urllib3")
"""Libraries that are heard only where something is wrong."""
LONGEST_TEXT = 4096
"""Characters that are looked at to make a message, of at most 1,024 bytes."""
LONGEST_FIELD = 320
"""Bytes of one field: a namespace and a name fit."""
LONGEST_TRACEBACK = 8000
"""Bytes, in JSON, of the end of a traceback. Container runtimes cut lines of more than 16 KiB."""
LONGEST_TRACEBACK_LINE = 300
LONGEST_SECONDS = 1e9
"""Above this a duration is none; a session may claim any number."""
FIELDS = "enso_fields"
"""The attribute of a LogRecord that holds its fields."""
_json = json.JSONEncoder(ensure_ascii=False).encode
_BARE = re.compile(r'[^\s"=]+')

Fields = Mapping[str, str | int | float]


def configure(log_format: LogFormat, level: LogLevel = "info") -> None:
    """Have everything that is logged in this process written to standard error so."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=number, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line has it
    for library in NOISY:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))


def transitions(
    logger: logging.Logger, namespace: str, job: Job, events: Sequence[Event], *, uid: str
) -> None:
    """Write a line for each event: at WARNING where something went wrong, else at INFO."""
    for event in events:
        fields = {"job": f"{namespace}/{job.id}", "uid": uid, **_fields(event)}
        level = logging.WARNING if is_warning(event) else logging.INFO
        said = event.details() or SAID.get(type(event), "")
        logger.log(level, "%s %s", type(event).__name__, said, extra={FIELDS: fields})


def _fields(event: Event) -> Fields:
    fields: dict[str, str | int | float] = {"event": type(event).__name__}
    if script := getattr(event, "script", ""):
        fields["script"] = str(script)
    if isinstance(event, ScriptEvent):
        fields["attempt"] = event.attempt
    cause: Cause | None = getattr(event, "cause", None)
    if cause:
        fields["reason"] = identifier(cause.reason) or "Unknown"
    seconds: float | None = getattr(event, "seconds", None)
    if seconds is not None:
        fields["seconds"] = round(min(max(0.0, seconds), LONGEST_SECONDS), 3)  # nan becomes 0
    return fields


class TextFormatter(logging.Formatter):
    """``time level message  key=value key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the traceback below it where there is one."""
        fields = " ".join(f"{key}={_value(value)}" for key, value in _all_fields(record).items())
        line = f"{_time(record)} {record.levelname} {_message(record)}  {fields}"
        return "\n".join([line, *(f"    {below}" for below in _below(self, record))])


class JsonFormatter(logging.Formatter):
    """One JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "message": _message(record),
            **_all_fields(record),
        }
        if below := _below(self, record):
            document["traceback"] = "\n".join(below)
        return _json(document)


def _time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    """Return the message; two blanks in a row only ever stand before the fields."""
    return one_line(" ".join(record.getMessage()[:LONGEST_TEXT].split()))


def _all_fields(record: logging.LogRecord) -> Fields:
    """Return the record's fields, what kopf says that it is about, and who wrote it."""
    fields: dict[str, str | int | float] = {}
    about: object = getattr(record, "k8s_ref", None)
    if is_mapping(about):
        name = (str(about.get(key) or "") for key in ("kind", "namespace", "name"))
        fields |= {"object": "/".join(name), "uid": str(about.get("uid") or "")}
    fields |= getattr(record, FIELDS, {})
    fields["logger"] = record.name
    return {
        key: _short(value) if isinstance(value, str) else value for key, value in fields.items()
    }


def _short(text: str) -> str:
    return one_line(text[:LONGEST_FIELD]).encode()[:LONGEST_FIELD].decode(errors="ignore")


def _value(value: str | float) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) else _json(text)


def _below(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """Return the end of the record's traceback, line by line."""
    texts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    texts += [record.stack_info] if record.stack_info else []
    kept: list[str] = []
    room = LONGEST_TRACEBACK
    for line in reversed("\n".join(texts).splitlines()):
        clean = printable(line.expandtabs(), LONGEST_TRACEBACK_LINE)
        room -= len(_json(clean).encode())  # two quotes for one newline
        if room < 0:
            kept.append("…")
            break
        kept.append(clean)
    return kept[::-1]
