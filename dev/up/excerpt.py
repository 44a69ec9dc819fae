"""What a reader needs of `kubectl describe`: the spec, which is the file, takes most of it."""

from collections.abc import Iterator

_KEPT = ("Done:", "Reason:", "Script:", "Why:")
"""Fields of the status."""
_INDENT = "  "


def excerpt(described: str) -> tuple[str, str]:
    """Return the name, the status in short and the Events, and a remark on what is left out."""
    lines = described.splitlines()
    # The last ones: a script's source stands in the spec as it is, and may hold any line.
    status, events = _last(lines, "Status:"), _last(lines, "Events:")
    kept = {0, status, *_status(lines, status, events), *range(events, len(lines))}
    remark = f"shortened: {len(lines) - len(kept)} lines of spec, conditions and rows left out"
    return "\n".join(_gaps(lines, kept)), remark


def _last(lines: list[str], heading: str) -> int:
    return max(i for i, line in enumerate(lines) if line.partition(" ")[0] == heading)


def _status(lines: list[str], start: int, end: int) -> Iterator[int]:
    is_kept = False
    for i in range(start + 1, end):
        text = lines[i].removeprefix(_INDENT)
        if not text.startswith(" "):
            is_kept = text.startswith(_KEPT)
        if is_kept:
            yield i


def _gaps(lines: list[str], kept: set[int]) -> Iterator[str]:
    for i, line in enumerate(lines):
        if i in kept:
            yield line
        elif i - 1 in kept:
            yield "[...]"
