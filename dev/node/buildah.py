"""buildah, with a storage of our own in the user's cache: it builds images without a daemon.

Called by images.py and operator_image.py.
"""

from pathlib import Path

from dev.checkout import user_cache
from dev.host import external, mounts


def build(name: str, dockerfile: Path, context: Path, *options: str) -> None:
    """Build an image; layers of earlier builds are used again."""
    log = user_cache() / "images" / f"{dockerfile.stem}.log"
    arguments = ("--layers", "--tag", name, "--file", str(dockerfile), *options, str(context))
    _run("build", *arguments, log=log)


def has(name: str) -> bool:
    """Say whether the storage has the image."""
    command = (*_storage(), "inspect", "--type", "image", "--format", "{{.FromImageID}}", name)
    return external.succeeds("buildah", *command, environment=_environment())


def save(name: str, file: Path, told: str) -> None:
    """Write the image into a file, as `told`; a half-written one is never there."""
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    _run("push", "--quiet", name, f"docker-archive:{partial}:{told}")
    partial.rename(file)


def restore(name: str, file: Path) -> None:
    """Load an image from its file, where the storage does not have it any more."""
    found = _run("pull", "--quiet", f"docker-archive:{file}").strip()
    _run("tag", found, name)


def remove(name: str) -> None:
    """Forget an image, and those of its layers that nothing else has."""
    external.succeeds("buildah", *_storage(), "rmi", name, environment=_environment())


def rest() -> None:
    """Unmount what buildah has mounted: its storage, and layers of builds."""
    mounts.unmount_below(_folder())


def _run(step: str, *arguments: str, log: Path | None = None) -> str:
    return external.run(
        "buildah", *_storage(), step, *arguments, environment=_environment(), log=log
    )


def _storage() -> tuple[str, ...]:
    return ("--root", f"{_folder()}/storage", "--runroot", f"{_folder()}/run")


def _folder() -> Path:
    return user_cache() / "buildah"


def _environment() -> dict[str, str]:
    """No namespaces: a machine that is a container itself may have none to give."""
    driver = "vfs" if mounts.is_overlay(user_cache()) else "overlay"  # vfs: slower
    return {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": driver}
