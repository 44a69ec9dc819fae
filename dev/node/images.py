"""The images of the node, each made once per machine and kept as a file that ctr imports.

The file's name has a digest of everything that it is made from: what has not changed is not made
again, and two checkouts share what is the same. Called by commands.py and containers.py.
"""

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dev.checkout import locked, say, user_cache
from dev.host import external, mounts, requirements
from dev.node import buildah

PYTHON = "localhost/enso-python:dev"
"""Debian with all of Python's standard library: for sessions, and the base of the operator's."""
PAUSE = "localhost/enso-pause:1"

_PYTHON_FILE = Path(__file__).with_name("python.Dockerfile")
_PAUSE_FILE = Path(__file__).with_name("pause.Dockerfile")
_SUITE = "bookworm"
_PACKAGES = ("python3", "python3-venv", "ca-certificates")
_USELESS = (
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
)
_KEPT = 4
"""Files of one image, the newest: a checkout's branches change back and forth."""
_IN_USE = 600.0


@dataclass(frozen=True)
class Image:
    """An image as a file."""

    name: str
    digest: str

    @property
    def file(self) -> Path:
        """Where it is, once it was made."""
        return folder() / f"{self.short}-{self.digest}.tar"

    @property
    def built(self) -> str:
        """Its name in buildah's storage, where every version has its own."""
        return f"localhost/{self.short}:{self.digest}"

    @property
    def short(self) -> str:
        """Its name without where it is from, and without its tag."""
        return self.name.rpartition("/")[2].partition(":")[0]


def pause() -> Image:
    """Return the image of the sandboxes."""
    program = Path(requirements.program("catatonit"))
    image = Image(PAUSE, digest(_PAUSE_FILE.read_bytes(), program.read_bytes()))

    def make(context: Path) -> None:
        shutil.copy(program, context)
        buildah.build(image.built, _PAUSE_FILE, context)

    return made(image, make)


def python() -> Image:
    """Return Debian with Python."""
    image = _python()

    def make(context: Path) -> None:
        say(f"Making {PYTHON}, a Debian with Python: about a minute, once per machine")
        _debootstrap(context / "rootfs")
        buildah.build(image.built, _PYTHON_FILE, context)

    return made(image, make)


def has_python() -> bool:
    """Say whether its file exists; making it takes too long inside a test."""
    return _python().file.exists()


def digest(*parts: bytes) -> str:
    """Return one short digest of these parts."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def made(image: Image, make: Callable[[Path], None]) -> Image:
    """Return the image, made where it is missing; `make` gets an empty folder."""
    if not image.file.exists():
        with locked(folder() / ".lock", waiting_for="another build of an image"):
            if not image.file.exists():
                _make(image, make)
    image.file.touch()
    return image


def folder() -> Path:
    """Return where the files are, for all checkouts of this user."""
    return user_cache() / "images"


def _python() -> Image:
    recipe = " ".join((_SUITE, *_PACKAGES, *_USELESS))
    return Image(PYTHON, digest(_PYTHON_FILE.read_bytes(), recipe.encode()))


def _make(image: Image, make: Callable[[Path], None]) -> None:
    begun = time.monotonic()
    context = folder() / "context"
    _remove(context)
    context.mkdir()
    try:
        make(context)
        buildah.save(image.built, image.file, image.name)
        _forget_old_ones(image)
    finally:
        buildah.rest()
        _remove(context)
    say(f"Made {image.name} in {time.monotonic() - begun:.0f} s")


def _debootstrap(target: Path) -> None:
    log = folder() / "debootstrap.log"
    packages = ",".join(_PACKAGES)
    options = ("--variant=minbase", f"--include={packages}")
    external.run("debootstrap", *options, _SUITE, str(target), log=log)
    for path in _USELESS:
        shutil.rmtree(target / path, ignore_errors=True)


def _remove(context: Path) -> None:
    """Remove what an interrupted build has left; debootstrap mounts file systems of the machine."""
    mounts.unmount_below(context)
    shutil.rmtree(context, ignore_errors=True)


def _forget_old_ones(image: Image) -> None:
    files = sorted(folder().glob(f"{image.short}-*.tar"), key=lambda file: -file.stat().st_mtime)
    for file in files[_KEPT:]:
        if time.time() - file.stat().st_mtime > _IN_USE:
            old = Image(image.name, file.stem.rpartition("-")[2])
            buildah.remove(old.built)
            file.unlink(missing_ok=True)
