"""How far the log of a Pod has been shown, for `enso logs -f`, which reads logs more than once.

A kubelet that rotates a log keeps its end alone: what was shown is then not at its start any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

ROTATED = (
    "its node began the log of Pod {pod} anew while it could not be read: lines may be missing "
    "here, or be shown twice"
)


@dataclass
class LogPlace:
    """A place in the log of one Pod, behind what has been shown."""

    say_rotated: Callable[[], object]
    """Called where the log does not begin any more as it did."""
    _shown_bytes: int = 0
    _first_line: bytes = b""

    def rest_of(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what comes behind the place of a log that is read from its start, and move it."""
        to_skip = self._shown_bytes
        for number, line in enumerate(lines):
            if number == 0:
                to_skip = self._seen(line)
            rest = line[to_skip:]
            to_skip -= len(line) - len(rest)
            self._shown_bytes += len(rest)
            if rest:
                yield rest

    def _seen(self, first_line: bytes) -> int:
        """Return how many bytes of a log that begins so have been shown."""
        length = min(len(first_line), len(self._first_line))  # a line may have been cut
        if first_line[:length] != self._first_line[:length]:
            self._shown_bytes = 0
            self.say_rotated()
        self._first_line = first_line
        return self._shown_bytes
