"""Writes deploy/crds from the wire models, and what of the chart is written by a program.

`--check` says whether they are as they would be. `make manifests` and `make verify` call it.
"""

import argparse
import sys
from pathlib import Path

from dev.chart.generated import CRDS as COPIES
from dev.chart.generated import ROOT, generated

from enso_operator.api.crd import crds

FOLDER = ROOT / "deploy" / "crds"


def main() -> int:
    """Write or compare, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if they differ")
    check = parser.parse_args().check
    made = crds()
    wanted = {FOLDER / name: text for name, text in made.items()} | generated(made)
    found = {path: path.read_text() for path in _there(wanted)}
    if check:
        for path in sorted(wanted.keys() | found.keys()):
            if wanted.get(path) != found.get(path):
                print(f"{path.relative_to(ROOT)} is not as it would be: run `make manifests`")
        return int(wanted != found)
    for path in found.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def _there(wanted: dict[Path, str]) -> set[Path]:
    """Return the files that there are; those of a folder of CRDs too that are wanted no more."""
    whole = {path for folder in (FOLDER, COPIES) for path in folder.glob("*") if path.is_file()}
    return whole | {path for path in wanted if path.exists()}


if __name__ == "__main__":
    sys.exit(main())
