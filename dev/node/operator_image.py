"""The operator's image, from the checkout's Dockerfile: for `make image` and the tests."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from dev.checkout import CHECKOUT, Failed
from dev.host import requirements
from dev.node import buildah, images
from dev.node.images import Image

NAME = "localhost/enso-operator:dev"

_FILES = ("Dockerfile", ".dockerignore", "pyproject.toml", "uv.lock")
_FOLDERS = ("core", "operator")
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_MIRRORS = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")


def built() -> Image:
    """Return the image of what the checkout holds now, built if anything in it has changed."""
    base = images.python()
    image = Image(NAME, images.digest(base.digest.encode(), *_sources()))

    def make(_: Path) -> None:
        if not buildah.has(base.built):
            buildah.restore(base.built, base.file)
        # The base image trusts only Debian's CAs; a company's proxy has its own.
        options = ("--volume", f"{_AUTHORITIES}:{_AUTHORITIES}:ro", *_mirrors())
        dockerfile = CHECKOUT / "Dockerfile"
        base_argument = f"--build-arg=BASE={base.built}"
        buildah.build(image.built, dockerfile, CHECKOUT, base_argument, *options)

    return images.made(image, make)


def with_docker() -> None:
    """Build it on the official Python image, where there is Docker and no buildah."""
    docker = requirements.find("docker")
    if docker is None:
        raise Failed(
            "The image is built by buildah, as root, or by docker, and this machine has neither:"
            " `apt-get install buildah debootstrap catatonit`"
        )
    command = [docker, "build", "--tag", NAME, *_mirrors(), str(CHECKOUT)]
    if subprocess.run(command, check=False).returncode != 0:
        raise Failed("docker could not build the image: what it said stands above")


def _mirrors() -> Iterator[str]:
    """Yield the developer's own package index, if there is one."""
    yield from (f"--build-arg={name}" for name in _MIRRORS if name in os.environ)


def _sources() -> Iterator[bytes]:
    """Yield the path and the content of every file that the build reads."""
    trees = (path for folder in _FOLDERS for path in (CHECKOUT / folder).rglob("*"))
    for path in sorted({*(CHECKOUT / name for name in _FILES), *trees}):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(CHECKOUT)).encode()
            yield path.read_bytes()
