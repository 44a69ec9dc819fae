"""Bytes that come piece by piece as lines: all of them, or those that can be records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_execution_framework.service_layer.record_line import BEGINS, LONGEST_BYTES, Lines

PIECES = st.lists(
    st.sampled_from([b"\n", BEGINS, b"x", b"y\n", BEGINS + b"1}\n", b"\n" + BEGINS, BEGINS[:3]])
)


@given(pieces=PIECES)
@pytest.mark.parametrize("begins", [b"", BEGINS])
def test_lines_are_the_same_however_their_bytes_are_cut(pieces: list[bytes], begins: bytes) -> None:
    whole = b"".join(pieces)
    lines = Lines(begins)
    found = [line for piece in pieces for line in lines.of(piece)]
    assert found == [line for line in whole.split(b"\n")[:-1] if line.startswith(begins)]


def test_the_line_after_one_that_is_too_long_is_whole() -> None:
    lines = Lines(BEGINS)
    (part,) = lines.of(BEGINS + b"x" * LONGEST_BYTES)
    assert len(part) > LONGEST_BYTES
    assert lines.of(b"x" * 9 + b"\n" + BEGINS + b"1}\n") == [BEGINS + b"1}"]
