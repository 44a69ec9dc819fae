"""Writes deploy/crds from the wire models; `--check` says whether they are as they would be.

`make manifests` and `make verify` call it.
"""

import argparse
import sys
from pathlib import Path

from enso_operator.api.crd import crds

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "crds"


def main() -> int:
    """Write or compare, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if they differ")
    check = parser.parse_args().check
    wanted = {FOLDER / name: text for name, text in crds().items()}
    found = {path: path.read_text() for path in FOLDER.glob("*") if path.is_file()}
    if check:
        for path in sorted(wanted.keys() | found.keys()):
            if wanted.get(path) != found.get(path):
                print(f"deploy/crds/{path.name} is not as the models say: run `make manifests`")
        return int(wanted != found)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in found.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
