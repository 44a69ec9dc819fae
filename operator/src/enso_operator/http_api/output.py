"""What both backends, and the pages, have in common where an attempt's output is shown."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from job_execution_framework.domain.job import Job


class NoOutput(Exception):  # as Busy: what it is
    """There is nothing of this attempt; the sentence says whether it was lost, or never was."""


def check_script(job: Job, script: str) -> None:
    """Raise NoOutput where the job has no such script."""
    if script not in job.rows:
        names = ", ".join(job.rows)
        raise NoOutput(f"job {job.id} has no script {script!r}; it has: {names}")


async def last_of(output: AsyncGenerator[bytes], most: int) -> tuple[bytes, int]:
    """Return the last bytes of an output, and how many came before them; little more is held."""
    kept, size, dropped = deque[bytes](), 0, 0
    async with aclosing(output) as pieces:
        async for piece in pieces:
            kept.append(piece)
            size += len(piece)
            while size - len(kept[0]) >= most:
                size -= len(kept[0])
                dropped += len(kept.popleft())
    whole = b"".join(kept)
    return whole[-most:], dropped + max(0, len(whole) - most)
