"""Writes deploy/crds from the wire models, what else of deploy/ is written, and the reference.

`make manifests` and `make verify` call it, through dev/__main__.py.
"""

from pathlib import Path

from dev import argocd
from dev.chart.generated import CRDS as COPIES
from dev.chart.generated import generated
from dev.checkout import CHECKOUT
from dev.reference import pages as reference

from enso_operator.api.crd import crds

FOLDER = CHECKOUT / "deploy" / "crds"
FOLDERS = (FOLDER, COPIES, reference.FOLDER)
"""All that is in them is written here."""


def write(*, check: bool) -> int:
    """Write all files, or with `check` only compare them; return the exit code."""
    made = crds()
    wanted = {FOLDER / name: text for name, text in made.items()} | generated(made)
    wanted |= argocd.patch() | reference.pages(made)
    found = {path: path.read_text() for path in _there(wanted)}
    if check:
        for path in sorted(wanted.keys() | found.keys()):
            if wanted.get(path) != found.get(path):
                print(f"{path.relative_to(CHECKOUT)} is not as it would be: run `make manifests`")
        return int(wanted != found)
    for path in found.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def _there(wanted: dict[Path, str]) -> set[Path]:
    """Return the existing files, with those in the CRDs' folders that are no longer wanted."""
    whole = {path for folder in FOLDERS for path in folder.glob("*") if path.is_file()}
    return whole | {path for path in wanted if path.exists()}
