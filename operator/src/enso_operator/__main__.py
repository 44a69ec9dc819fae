"""``python -m enso_operator``: the same as ``enso``."""

import signal


def main() -> None:
    """Run the command line. Until a command has its own ways, Ctrl-C just ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from enso_operator.cli import app, display  # noqa: PLC0415  # it takes as long as a Ctrl-C

    display.make_steady()
    app(prog_name="enso")


if __name__ == "__main__":
    main()
