"""``python -m enso_operator``: the same as ``enso``."""

from enso_operator.cli import app

app(prog_name="enso")
