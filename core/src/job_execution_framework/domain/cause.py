"""Why something failed, in a shape that a person can read and a program can sort."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LONGEST_MESSAGE = 1000
"""Characters of a failure's message that are kept."""
LONGEST_ON_A_LINE = 300
"""Characters that one line shows of that message and of what it came from."""
LONGEST_ROOT = 150
"""Characters that are kept of what a failure came from."""
LINES_KEPT = 5
"""Last lines of a script's own output that a failure keeps."""


class Reason:
    """The causes that the framework knows, in the CamelCase of Kubernetes reasons."""

    EXCEPTION = "Exception"
    EXIT_CODE = "ExitCode"
    SIGNAL = "Signal"
    EXITED_EARLY = "ExitedEarly"
    TIMEOUT = "Timeout"
    OUT_OF_MEMORY = "OutOfMemory"
    SCRIPT_NOT_FOUND = "ScriptNotFound"
    NO_MAIN = "NoMain"
    BAD_PARAMETERS = "BadParameters"
    BAD_RESULT = "BadResult"
    INTERPRETER_DID_NOT_START = "InterpreterDidNotStart"
    CANCELLED = "Cancelled"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    SESSION_LOST = "SessionLost"
    EVICTED = "Evicted"
    PREEMPTED = "Preempted"
    NODE_LOST = "NodeLost"
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONFIG_ERROR = "ConfigError"
    INIT_CONTAINER = "InitContainer"
    SCHEDULING_GATED = "SchedulingGated"
    FAILED_CREATE = "FailedCreate"
    UNAVAILABLE = "Unavailable"
    INVALID_JOB = "InvalidJob"


@dataclass(frozen=True)
class Frame:
    """A place in the user's code: file, line number from 1, function, and the line itself."""

    file: str
    line: int
    function: str
    text: str = ""

    def __str__(self) -> str:
        where = f"line {self.line} in {self.function}"
        return f"{where}: {self.text}" if self.text else where


@dataclass(frozen=True)
class Cause:
    """Why a script, a session or a job failed. Secrets are hidden before it is made."""

    reason: str
    message: str = ""
    error: str = ""
    """Type of the exception, where there was one."""
    at: Frame | None = None
    """The innermost frame of the user's own code."""
    exit_code: int | None = None
    signal: str = ""
    said: tuple[str, ...] = ()
    """The last lines that the script wrote."""
    said_lines: int = 0
    """How many lines the script wrote in all."""
    root: str = ""
    """What the exception came from: ``caused by OSError: no licence``."""

    def __str__(self) -> str:
        """One line: the exception as Python shows it and what it came from, or the reason."""
        return self.on_one_line(LONGEST_ON_A_LINE)

    def on_one_line(self, longest: int) -> str:
        """Return the same with so many characters of the message and of what it came from."""
        root = printable(unbroken(self.root), LONGEST_ROOT)
        message = printable(unbroken(self.message).strip(), longest - len(root))
        what = unbroken(self.error or self.reason)
        return "; ".join(filter(None, [f"{what}: {message}" if message else what, root]))


def printable(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """Return `text` fit for a record and a terminal, with at most `limit` characters."""
    text = escaped(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escaped(text: str) -> str:
    """Return `text` without surrogates and control characters, but for newlines and tabs.

    Spaces of all scripts stay, and what this Python does not know yet: it may be a new emoji.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or _is_harmless(c) else _escape(c) for c in text)


def unbroken(text: str) -> str:
    """Return `text` with a space for each line break; a line of its own stays as it is."""
    lines = text.splitlines()
    if len(lines) > 1:
        lines = [line.strip() for line in lines if line.strip()]
    return " ".join(lines)


def _is_harmless(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character) in _KEPT_KINDS


def _escape(character: str) -> str:
    number = ord(character)
    if number <= 0xFF:  # noqa: PLR2004  # as Python shows it
        return f"\\x{number:02x}"
    return character.encode("unicode_escape").decode()


_KEPT = "\n\t\u200c\u200d"
"""Not printable, but part of a text; the last two join letters, and emoji."""
_KEPT_KINDS = "Zs", "Co", "Cn"
"""Spaces; characters of somebody's own; characters that are newer than this Python."""
