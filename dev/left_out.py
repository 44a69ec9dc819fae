"""Says what `make test` leaves out on this machine: its first words, and its last."""

import os
import sys
from collections.abc import Iterator

from dev.node import requirements

_GDB = "gdb"
"""A program that embeds Python, as a host of scripts."""


def sentences() -> Iterator[str]:
    """Yield what is left out, why, and the one command that changes it."""
    packages = requirements.missing_packages()
    if sys.platform != "linux":
        yield "every test on a real node: it needs Linux"
    elif os.geteuid() != 0:
        yield "every test on a real node: it needs root. `sudo make test` runs them"
    elif packages:
        command = f"apt-get install {' '.join(packages)}"
        yield f"every test on a real node: programs are missing. `{command}` adds them"
    if requirements.find(_GDB) is None:
        yield f"scripts inside gdb: it is missing. `apt-get install {_GDB}` adds it"


def main() -> None:
    """Print nothing where nothing is left out."""
    for sentence in sentences():
        print(f"make test leaves out {sentence}")


if __name__ == "__main__":
    main()
