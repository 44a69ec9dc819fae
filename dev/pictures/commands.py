"""Makes the pictures of the README, in docs/pictures: `make pictures`."""

from __future__ import annotations

from pathlib import Path

from dev.checkout import CHECKOUT
from dev.pictures.page import photograph
from dev.pictures.svg import draw
from dev.pictures.terminal import record

FOLDER = CHECKOUT / "docs" / "pictures"
TITLE = "A job fails, says why, and goes on with another argument"
FILE = "examples/publish-shot-broken.yaml"
COMMANDS = {
    f"enso run {FILE}": 1,
    f"enso run {FILE} --resume --set simulate.substeps=4": 0,
}
"""What the recording shows, with the exit codes."""


def pictures() -> list[Path]:
    """Make all pictures, and return their files. Raises Failed where a command went otherwise."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return [recording(FOLDER), *photograph(CHECKOUT / FILE, FOLDER, "page")]


def recording(folder: Path) -> Path:
    """Make the recording of the terminal."""
    picture = folder / "failing-job.svg"
    picture.write_text(draw(TITLE, record(COMMANDS)), "utf-8")
    return picture
