"""Gives memory back that was needed for a moment: for a page of a list, or a large object.

By default glibc has an arena of memory for each of our threads, and keeps what was freed in them:
measured after 60 jobs of 1.2 MB, of which nothing is held, 267 MiB instead of 104.
"""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8
"""A parameter of mallopt(3)."""
_libc = ctypes.CDLL(None)


def have_few_arenas() -> None:
    """Have threads share arenas. Call it before there are threads."""
    if hasattr(_libc, "mallopt"):  # other C libraries have none
        _libc.mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Give back what is free now."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
