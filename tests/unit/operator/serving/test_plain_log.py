"""What somebody asks a server for does not write to the terminal that shows its log."""

from __future__ import annotations

import logging

from enso_operator.serving.plain_log import PlainFormatter


def test_neither_a_message_nor_a_traceback_moves_the_cursor() -> None:
    error = ValueError("no address: //\x1bc\u202e")
    raised = (ValueError, error, None)
    record = logging.LogRecord("any", logging.ERROR, "", 0, "broken: %s", ("\x1b[2J",), raised)
    text = PlainFormatter().format(record)
    assert text.startswith("broken: \\x1b[2J\n")
    assert text.endswith("ValueError: no address: //\\x1bc\\u202e")
