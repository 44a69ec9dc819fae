"""Why something failed: a reason for programs, a message for people, and where it was.

A `Cause` is part of events and of the job's status.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LONGEST_MESSAGE = 1000
"""Characters of a failure's message that are kept."""
LONGEST_ON_A_LINE = 300
"""Characters of the message and the root together that one line shows."""
LONGEST_ROOT = 150
"""Characters of a failure's root that one line shows."""
LINES_KEPT = 5
"""Last lines of a script's output that a failure keeps."""


class Reason:
    """The reasons that the framework itself gives, in CamelCase as those of Kubernetes."""

    EXCEPTION = "Exception"
    """The script raised an exception; the failure names it."""
    EXIT_CODE = "ExitCode"
    """The script ended its interpreter with an exit code other than 0; or its container did."""
    SIGNAL = "Signal"
    """The interpreter crashed, or was killed, by a signal."""
    EXITED_EARLY = "ExitedEarly"
    """The interpreter left before `main` returned."""
    TIMEOUT = "Timeout"
    """The script ran longer than its `timeoutSeconds`."""
    IDLE_TIMEOUT = "IdleTimeout"
    """The script wrote nothing for longer than its `idleTimeoutSeconds`."""
    OUT_OF_MEMORY = "OutOfMemory"
    """The session used more memory than its limit."""
    SCRIPT_NOT_FOUND = "ScriptNotFound"
    """The script library has no such script."""
    NO_MAIN = "NoMain"
    """The source has no function `main` that can be called."""
    BAD_PARAMETERS = "BadParameters"
    """The arguments are not those that the script takes."""
    BAD_RESULT = "BadResult"
    """The script returned what is no JSON, or too large, or contains a secret."""
    NO_OUTPUT = "NoOutput"
    """An argument is the output of an earlier script that returned none, or not this key."""
    PATH_NOT_FOUND = "PathNotFound"
    """A path that a script of the session reads cannot be read there."""
    INTERPRETER_DID_NOT_START = "InterpreterDidNotStart"
    """The interpreter was not found, or did not start in time."""
    CANCELLED = "Cancelled"
    """Somebody stopped the job."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The job took longer than its `activeDeadlineSeconds`."""
    SESSION_LOST = "SessionLost"
    """The session's process, or its Pod, is gone without a final word."""
    EVICTED = "Evicted"
    """The node took the session's Pod away, as it ran short of something."""
    PREEMPTED = "Preempted"
    """The session's Pod made room for one of a higher priority."""
    NODE_LOST = "NodeLost"
    """The node of the session's Pod is gone, or cannot be reached."""
    UNSCHEDULABLE = "Unschedulable"
    """No node takes the session's Pod."""
    IMAGE_PULL_FAILED = "ImagePullFailed"
    """The session's image cannot be pulled."""
    CONFIG_ERROR = "ConfigError"
    """The session's container cannot be made: a Secret is missing, say."""
    INIT_CONTAINER = "InitContainer"
    """An init container of the session's Pod failed."""
    SCHEDULING_GATED = "SchedulingGated"
    """A scheduling gate of others holds the session's Pod back."""
    FAILED_CREATE = "FailedCreate"
    """The API server refuses to create the session's Pod: a quota, say."""
    UNAVAILABLE = "Unavailable"
    """The API server does not answer, or refuses."""
    INVALID_JOB = "InvalidJob"
    """The object in the cluster makes no job."""
    TEMPLATE_NOT_FOUND = "TemplateNotFound"
    """The template that the job is a run of is not there."""


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
    """Why a script, a session or a job failed. Secrets were hidden before it was made."""

    reason: str
    message: str = ""
    error: str = ""
    """The exception's type, where there was one."""
    at: Frame | None = None
    """The innermost frame of the user's own code."""
    exit_code: int | None = None
    signal: str = ""
    said: tuple[str, ...] = ()
    """The last lines that the script wrote."""
    said_lines: int = 0
    """How many lines the script wrote in all."""
    root: str = ""
    """The exception behind this one, as in ``caused by OSError: no licence``."""

    def __str__(self) -> str:
        """Return one line: the exception as Python shows it, or the reason; and the root."""
        return self.on_one_line(LONGEST_ON_A_LINE)

    def on_one_line(self, longest: int) -> str:
        """Return that line with at most so many characters of the message and the root."""
        root = printable(unbroken(self.root), LONGEST_ROOT)
        message = printable(unbroken(self.message).strip(), longest - len(root))
        what = unbroken(self.error or self.reason)
        return "; ".join(filter(None, [f"{what}: {message}" if message else what, root]))


def printable(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """Return `text` fit for a record and a terminal, with at most `limit` characters."""
    text = escaped(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escaped(text: str) -> str:
    """Return `text` with surrogates and control characters escaped, but not newlines and tabs.

    All kinds of spaces stay, and characters that this Python does not know: they may be new emoji.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or _is_harmless(c) else _escape(c) for c in text)


def unbroken(text: str) -> str:
    """Return `text` on one line, with a space for each line break."""
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
"""Not printable for Python, but part of texts; the last two join letters, and emoji."""
_KEPT_KINDS = "Zs", "Co", "Cn"
"""Unicode categories: spaces, private use, and not assigned when this Python was made."""
