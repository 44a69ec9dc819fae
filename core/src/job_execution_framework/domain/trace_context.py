"""Where something stands in the trace of its job, as the W3C's Trace Context says it: a text.

A plan carries the `traceparent` of its job, if the job has a trace. Sessions start scripts without
asking anybody, so the id of an attempt is made from what the attempt is. Whoever sends the spans of
a job (`enso_operator.observability`) makes the same ids, and after a restart, too.
"""

from __future__ import annotations

VARIABLE = "TRACEPARENT"
"""The environment variable in which a script finds its own."""
ID_BYTES = 8


def part_of(traceparent: str, *what: object) -> str:
    """Return the traceparent of a part: in the same trace, under an id that is made for it.

    The id is the beginning of the SHA-256 of the id of the whole and of `what`, with "/" between.
    """
    version, trace, whole, flags = traceparent.split("-")
    return f"{version}-{trace}-{digest('/'.join(map(str, (whole, *what))), ID_BYTES)}-{flags}"


def of_attempt(traceparent: str, script: str, attempt: int) -> str:
    """Return the traceparent of an attempt, in the trace of its job."""
    return part_of(traceparent, "script", script, attempt)


def digest(text: str, size: int) -> str:
    """Return the first `size` bytes of a text's SHA-256 as hexadecimal digits."""
    import hashlib  # noqa: PLC0415  # a session without a trace does not wait for it

    return hashlib.sha256(text.encode()).hexdigest()[: 2 * size]
