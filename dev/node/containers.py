"""Asks containerd through ctr: whether it answers, and to import images."""

import subprocess
from pathlib import Path

from dev.checkout import Failed, say
from dev.host.places import HOME, NAMESPACE, SOCKET
from dev.node import images
from dev.node.images import Image

_LOADED = HOME / "images"
"""One file per image: the digest of what was imported last."""


def answers() -> bool:
    """Say whether containerd answers."""
    return _ctr("version").returncode == 0


def load_base_images() -> None:
    """Import what every node has: the sandbox's image, and the one for sessions."""
    for image in (images.pause(), images.python()):
        load(image)


def load(image: Image) -> None:
    """Import an image, unless it is there already; also under the name of just this version.

    The common name is that of the newest import, which may be another checkout's.
    """
    mark = _LOADED / image.digest
    names = _ctr("--namespace", NAMESPACE, "images", "list", "--quiet").stdout.split()
    if mark.exists() and {image.name, image.built} <= {*names}:
        return
    say(f"Importing {image.name}")
    for words in (
        ("import", "--local", str(image.file)),
        ("tag", "--force", image.name, image.built),
    ):
        done = _ctr("--namespace", NAMESPACE, "images", *words)
        if done.returncode != 0:
            raise Failed(f"{image.file} cannot be imported: {done.stderr.strip()}")
    _forget(image.name)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(image.name)


def _forget(name: str) -> None:
    for mark in _LOADED.glob("*"):
        if mark.read_text() == name:
            mark.unlink()


def _ctr(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(_program()), "--address", str(SOCKET), "--connect-timeout", "2s", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _program() -> Path:
    return HOME / "bin" / "ctr"
