"""``python -m enso_operator``: the same as ``enso``."""

import signal


def main() -> None:
    """Run the command line. Until a command has its own ways, Ctrl-C just ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from enso_operator.cli import app  # noqa: PLC0415  # loading takes long enough for a Ctrl-C

    app(prog_name="enso")


if __name__ == "__main__":
    main()
