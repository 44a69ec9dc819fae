"""What a line must be to be read as a record at all. Whoever passes records on checks no more.

It imports nothing: the container that prints records starts with every Pod.
"""

from __future__ import annotations

BEGINS = b'{"v":'
"""How every record begins."""
LONGEST_BYTES = 64 * 1024
"""Bytes of the longest record, without its newline."""
