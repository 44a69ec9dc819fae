"""Makes a Result from the report of `child` on an attempt: secrets hidden, sizes bounded.

Both runners call `result_of`.

A report is one JSON object: ``{"output": JSON}``; ``{"exit": code, "message": text}``;
``{"error": type, "message": text, "frame": [file, line, function, text] or null}``, with how it
came about where that is known: ``"roots": [[type, message] …], "how": "caused by"``, and of Ctrl-C
``"interrupt": true``; or
``{"refused": reason, "message": sentence}``, with a ``frame``, an ``exit_code`` or a ``signal``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from job_execution_framework import child
from job_execution_framework.domain import outputs
from job_execution_framework.domain.cause import Cause, Frame, Reason, printable
from job_execution_framework.domain.lines import lines_of
from job_execution_framework.domain.secret import Redactor
from job_execution_framework.service_layer.runner import Result

LONGEST_LINE = 300
"""Characters of one line of code or of output that a failure keeps."""
ROOTS_SHOWN = 3
"""Leaves of an exception group that a failure names."""


def result_of(
    report: Mapping[str, Any],
    seconds: float,
    redactor: Redactor,
    said: tuple[Sequence[str], int] = ((), 0),
    *,
    lost: bool = False,
) -> Result:
    """Return the attempt's result; `said` are the last lines that it wrote, and how many in all."""
    if "output" in report:
        if why := _why_no_output(report["output"], redactor):
            report = {"refused": Reason.BAD_RESULT, "message": f"what main returned {why}"}
        else:
            return Result(seconds, output=report["output"])
    if report.get("exit") == 0:
        return Result(seconds)
    message = "\n".join(lines_of(redacted(str(report.get("message", "")), redactor)))
    reason, code = str(report.get("refused") or Reason.EXCEPTION), report.get("exit_code")
    if "exit" in report:
        reason, code = Reason.EXIT_CODE, int(report["exit"])
        message = f"{code}: {message}" if message else str(code)
    cause = Cause(
        reason,
        printable(message),
        error=_line(report.get("error", ""), redactor),
        at=_frame(report.get("frame"), redactor),
        root=_root(report, redactor),
        exit_code=code,
        signal=str(report.get("signal", "")),
        said=tuple(_line(line, redactor) for line in said[0]),
        said_lines=said[1],
    )
    return Result(seconds, cause, interpreter_lost=lost)


def with_failure(report: Mapping[str, Any], said: str) -> dict[str, Any]:
    """Return the report of a failure with what the script itself said of it (``openjd_fail``).

    That replaces the message of what it raised or exited with. Where it was ended, as by its
    timeout, our own sentence stays behind it.
    """
    has_failed = "output" not in report and report.get("exit") != 0
    if not said or not has_failed:
        return {**report}
    ours = report.get("message", "") if "refused" in report else ""
    return {**report, "message": "; ".join(filter(None, [said, str(ours)]))}


def _why_no_output(value: object, redactor: Redactor) -> str:
    if why := outputs.unfit(value):
        return why
    if redactor.value(value) != value:
        return "contains a secret, which everybody may read there: return something else"
    return ""


def last_words(report: Mapping[str, Any]) -> str:
    """Return what Python prints last of an exception or an exit: its own text, and no code."""
    if "exit" in report or "error" in report:
        return f"{report['error']}: {report['message']}" if "error" in report else report["message"]
    return ""


def with_line(result: Result, reason: str, line: str, said: tuple[Sequence[str], int]) -> Result:
    """Return the result of an attempt that fails by a line of its output, secrets hidden there.

    However the attempt ended, the line says more of why; how it ended stands behind it. Only of one
    that somebody ended that is all there is to say.
    """
    cause = result.cause or Cause(reason, said=tuple(said[0]), said_lines=said[1])
    if cause.reason == Reason.CANCELLED:
        return result
    message, root, ended = printable(line), cause.root, str(cause)
    if result.cause and not ended.startswith(message):
        root = printable(f"then {ended}", LONGEST_LINE)
    cause = replace(cause, reason=reason, message=message, error="", root=root)
    return replace(result, cause=cause, output=None)


def redacted(text: str, redactor: Redactor) -> str:
    """Return a reported text without secrets; one that was cut may end inside a secret."""
    return redactor.hide(text, cut=len(text) >= child.LONGEST_TEXT)


def _line(text: object, redactor: Redactor) -> str:
    """Return a reported name or line, without secrets."""
    line = str(text)
    line = redactor.hide(line, cut=len(line) >= child.LONGEST_LINE)
    return printable(line.rstrip(), LONGEST_LINE)


def _root(report: Mapping[str, Any], redactor: Redactor) -> str:
    """Return the root of the exception: a group's leaves, or the last in a chain of causes."""
    told = [
        str(Cause("", redacted(str(message), redactor), error=_line(kind, redactor)))
        for kind, message in report.get("roots", ())
    ]
    told[ROOTS_SHOWN:] = ["and others"] if told[ROOTS_SHOWN:] else []
    return f"{report['how']} {printable('; '.join(told), LONGEST_LINE)}" if told else ""


def _frame(frame: Sequence[Any] | None, redactor: Redactor) -> Frame | None:
    if not frame:
        return None
    file, line, function, text = frame
    file = printable(redactor.hide(str(file)))
    return Frame(file, int(line), _line(function, redactor), _line(text, redactor).strip())
