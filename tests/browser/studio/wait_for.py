"""A script that goes on when a file is there."""

import time
from pathlib import Path


def main(path: str) -> None:
    """Wait for a file, 60 seconds at most."""
    print(f"waiting for {path}", flush=True)
    end = time.monotonic() + 60
    while not Path(path).exists():
        if time.monotonic() > end:
            raise TimeoutError(f"there is no {path}")
        time.sleep(0.05)
