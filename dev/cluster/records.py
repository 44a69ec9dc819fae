"""What this checkout remembers of a cluster: the files beside kwokctl's own, for plane.py."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dev.checkout import STATE


@dataclass(frozen=True)
class Record:
    """Written when a cluster was ready for the first time: without it there is none."""

    ports: dict[str, int]
    audit: bool
    node: bool = False
    """Whether it was laid out for a node: with a scheduler, and an API server for kubelets."""

    def write(self, name: str) -> None:
        """Remember it."""
        _path(name).write_text(json.dumps(asdict(self)))


def read(name: str) -> Record | None:
    """Return the record; None where there is none or it is damaged."""
    try:
        return Record(**json.loads(_path(name).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def forget(name: str) -> None:
    """Remove the files of that cluster that stand here; its lock stays, others may wait for it."""
    for path in (_path(name), settings(name), log(name)):
        path.unlink(missing_ok=True)


def settings(name: str) -> Path:
    """Return the file that tells kwokctl what to create."""
    return STATE / f"{name}.kwok.json"


def log(name: str) -> Path:
    """Return the file for the output of kwokctl."""
    return STATE / f"{name}.kwokctl.log"


def lock(name: str) -> Path:
    """Return the file whose lock everyone holds who starts or stops that cluster."""
    return STATE / f"{name}.lock"


def _path(name: str) -> Path:
    return STATE / f"{name}.json"
