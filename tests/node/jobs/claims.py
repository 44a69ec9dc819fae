"""A PersistentVolumeClaim on a folder of the node, which tests can read from here."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.node.jobs.one_job import OneJob, applied, while_there
from tests.support.resources import Document


@contextmanager
def claimed(job: OneJob, claim: str, folder: Path) -> Generator[Document]:
    """Yield the volume of a new claim, on a folder that anybody may write to."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)  # a hostPath knows no fsGroup
    name = f"{claim}-{job.namespace}"
    common: Document = {"accessModes": ["ReadWriteOnce"], "storageClassName": name}
    volume: Document = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            **common,
            "capacity": {"storage": "1Mi"},
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(folder), "type": "Directory"},
        },
    }
    with while_there(job, volume):
        asked: Document = {**common, "resources": {"requests": {"storage": "1Mi"}}}
        applied(job, "PersistentVolumeClaim", claim, spec=asked)
        yield {"name": claim, "persistentVolumeClaim": {"claimName": claim}}
