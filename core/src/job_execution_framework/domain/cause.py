"""Why something failed, in a shape that a person can read and a program can sort."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_MESSAGE = 1000
"""Characters of a failure's message that are kept."""
LONGEST_ON_A_LINE = 300
"""Characters of that message that one line shows."""
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

    def __str__(self) -> str:
        """One line: the exception as Python shows it, or the reason and its message."""
        return self.on_one_line(LONGEST_ON_A_LINE)

    def on_one_line(self, longest: int) -> str:
        """Return the same with so many characters of the message."""
        message = printable(" ".join(self.message.split()), longest)
        what = self.error or self.reason
        return f"{what}: {message}" if message else what


def printable(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """Return `text` fit for a record and a terminal: no surrogates, no control characters."""
    text = text[: limit + 1].encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
