"""What this checkout remembers of a cluster: written and read by plane.py."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dev.cluster.places import STATE


@dataclass(frozen=True)
class Record:
    """Written when a cluster was ready for the first time: without it there is none."""

    ports: dict[str, int]
    audit: bool

    def write(self, name: str) -> None:
        """Remember it."""
        _path(name).write_text(json.dumps(asdict(self)))


def read(name: str) -> Record | None:
    """Return what is remembered."""
    try:
        return Record(**json.loads(_path(name).read_text()))
    except FileNotFoundError:
        return None


def forget(name: str) -> None:
    """Forget it, before anything else of it is removed."""
    _path(name).unlink(missing_ok=True)


def lock(name: str) -> Path:
    """Return the file whose lock everyone holds who starts or stops that cluster."""
    return STATE / f"{name}.lock"


def _path(name: str) -> Path:
    return STATE / f"{name}.json"
