"""``python -m enso_operator``: the same as ``enso``, and as ``kubectl enso``."""

import signal
import sys
from pathlib import Path


def main() -> None:
    """Run the command line. Until a command has its own ways, Ctrl-C just ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from enso_operator.cli import app, display  # noqa: PLC0415  # it takes as long as a Ctrl-C

    display.replace_streams()
    is_plugin = Path(sys.argv[0]).name.startswith("kubectl-")  # kubectl calls `kubectl-enso`
    app(prog_name="kubectl enso" if is_plugin else "enso")


if __name__ == "__main__":
    main()
