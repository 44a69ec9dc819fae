"""From what the child reports of one attempt to its Result: secrets hidden, sizes bounded.

A report is one JSON object: ``{"output": JSON}``; ``{"exit": code, "message": text}``;
``{"error": type, "message": text, "frame": [file, line, function, text] or null}``; or
``{"refused": reason, "message": sentence}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from job_execution_framework.domain.cause import LONGEST_MESSAGE, Cause, Frame, Reason, printable
from job_execution_framework.domain.secret import Redactor
from job_execution_framework.service_layer.runner import Result

LONGEST_LINE = 300
"""Characters of one line of code or of output that a failure keeps."""


def result_of(
    report: Mapping[str, Any],
    seconds: float,
    redactor: Redactor,
    said: Sequence[str] = (),
    said_lines: int = 0,
) -> Result:
    """Return the attempt's result; `said` are the last lines that the script wrote."""
    if "output" in report:
        return Result(seconds, output=redactor.value(report["output"]))
    message = printable(redactor.cut_short(str(report.get("message", "")), LONGEST_MESSAGE))
    lines = tuple(printable(redactor.text(line, LONGEST_LINE)) for line in said)
    if "exit" in report:
        code = int(report["exit"])
        if code == 0:
            return Result(seconds)
        text = f"{code}: {message}" if message else str(code)
        cause = Cause(Reason.EXIT_CODE, text, exit_code=code, said=lines, said_lines=said_lines)
        return Result(seconds, cause)
    cause = Cause(
        str(report.get("refused") or Reason.EXCEPTION),
        message,
        error=printable(str(report.get("error", "")), LONGEST_LINE),
        at=_frame(report.get("frame"), redactor),
        said=lines,
        said_lines=said_lines,
    )
    return Result(seconds, cause)


def _frame(frame: Sequence[Any] | None, redactor: Redactor) -> Frame | None:
    if not frame:
        return None
    file, line, function, text = frame
    text = printable(redactor.text(str(text).strip(), LONGEST_LINE))
    return Frame(printable(str(file)), int(line), printable(str(function)), text)
