"""A container script that obeys its kubelet and exits with 0: an Event tells who ended it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.node.jobs.one_job import OneJob
from tests.node.jobs.written import container
from tests.support.resources import Document

FILLS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
open("/scratch/file", "wb").write(b"x" * 5_000_000)
print("up", flush=True)
time.sleep(200)
"""


@pytest.fixture(scope="module")
def flags() -> Sequence[str]:
    return ("--grace-seconds=5",)


def test_who_uses_more_of_its_disk_than_it_may_is_told_so(job: OneJob) -> None:
    fields: Document = {
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}],
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
    }
    job.run(container("long", "python3", "-c", FILLS, **fields))
    told = job.fails()  # within a minute, as often as a kubelet measures volumes
    assert told.rows == {"long": ("Interrupted", 1, "Evicted")}
    assert 'Evicted: Usage of EmptyDir volume "scratch" exceeds the limit "1Mi"' in told.line
