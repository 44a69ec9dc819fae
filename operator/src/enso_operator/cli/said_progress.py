"""What `enso run` shows of a script's progress: a bar beside the running time, no lines of output.

`progress.py` gives it each line that scripts write. The log keeps all of them.
"""

from __future__ import annotations

from job_execution_framework.domain.progress import (
    PROGRESS,
    STATUS,
    percent_of,
    percentage,
    said_in,
    text_of,
)

BAR_WIDTH = 20
"""Characters of the bar."""


class SaidProgress:
    """The progress of the running attempt."""

    def __init__(self) -> None:
        self._percent: float | None = None
        self._message = ""
        self._shown = ""

    def clear(self) -> None:
        """Forget it: another attempt begins, or none runs."""
        self._percent, self._message, self._shown = None, "", ""

    def take(self, line: str) -> bool:
        """Take a line of output; return whether it is progress, and need not be shown itself."""
        word, text = said_in(line) or ("", "")
        percent = percent_of(text) if word == PROGRESS else None
        if percent is not None:
            self._percent = percent
        elif word == STATUS:
            self._message = text_of(text)
        else:
            return False
        return True

    def news(self) -> str:
        """Return the progress as a line, "" where there is none or it was returned before."""
        said = " ".join(filter(None, [percentage(self._percent), self._message]))
        if said == self._shown:
            return ""
        self._shown = said
        return said

    def bar(self, *, is_ascii: bool) -> str:
        """Return the progress with a bar, as a terminal shows it."""
        full, empty = "#-" if is_ascii else "━─"
        if self._percent is None:
            return self._message
        done = round(self._percent / 100 * BAR_WIDTH)
        drawn = full * done + empty * (BAR_WIDTH - done)
        return " ".join(filter(None, [drawn, percentage(self._percent), self._message]))
