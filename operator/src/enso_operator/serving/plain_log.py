"""The log of `enso serve`: messages alone, for whoever has it in a terminal."""

from __future__ import annotations

import logging

from job_execution_framework.domain.cause import escaped


class PlainFormatter(logging.Formatter):
    """Lets nothing through that would move a cursor.

    A traceback ends with what an exception says: it may be part of an address that was asked for.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, with the traceback below it where there is one."""
        return escaped(super().format(record))
