"""A job of three scripts in a Pod, which say each of their starts, and what must become of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enso_operator.sessions.pods.names import JOB_LABEL
from tests.cluster.story import NAMES, Story
from tests.node.jobs import runtime
from tests.node.jobs.pod_namespace import PodNamespace
from tests.support.eventually import until
from tests.support.resources import Document, of_scripts

LONG = 120
"""Seconds that a script takes which somebody lets end before."""
GO = "enso/home/go"
START = f"""
import os, secrets, time
def main(name, seconds=0):
    print("start", name, secrets.token_hex(4), flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not os.path.exists("/{GO}"):
        time.sleep(0.05)
    print("end", name, flush=True)
"""
"""Each start prints its own mark, so that a log that is read twice counts once."""


@dataclass(frozen=True)
class PodStory(Story):
    """The same story as that of local sessions; starts are what the Pods' logs show."""

    ns: PodNamespace
    name: str = "shot"
    note: Path = Path()
    source: str = START
    patience: float = 90.0

    def in_the_middle(self) -> Document:
        """Begin, with a second script that takes long; return the Pod once that has begun."""
        self.begin_slowly(do=LONG)
        until(lambda: self.starts() == ["open", "do"])
        return self.ns.pod()

    def goes_on(self, pod: Document) -> None:
        """Let the script end that takes long; neither node nor API server is asked for that."""
        worker, *_ = self.ns.processes("/enso/run/worker.py", pod)
        Path("/proc", str(worker), "root", GO).touch()

    def begin_slowly(self, **seconds: float) -> None:
        """Begin; these scripts take so long."""
        self.ns.apply(self._manifest(seconds))

    def manifest(self, **spec: object) -> Document:
        """Return the job."""
        return self._manifest({}, **spec)

    def _manifest(self, seconds: Mapping[str, float], **spec: object) -> Document:
        scripts: list[Document] = []
        for name in NAMES:
            lasts = {"seconds": seconds[name]} if name in seconds else {}
            scripts.append({"name": name, "source": self.source, "args": {"name": name, **lasts}})
        return of_scripts(*scripts, **spec) | {"metadata": {"name": self.name}}

    @property
    def document(self) -> Document:
        """The EnsoJob; it is asked for again and again, and kubectl takes long."""
        return self.ns.objects.get(self.name)

    def pods(self) -> list[Document]:
        """Return the job's Pods, the oldest first."""
        labelled = [(pod["metadata"]["labels"].get(JOB_LABEL), pod) for pod in self.ns.pods()]
        return [pod for job, pod in labelled if job == self.name]

    def marks(self) -> list[tuple[str, str]]:
        """Return each start, with its mark, as the node wrote it down: in any Pod of the job."""
        texts = [runtime.whole(pod, "session") for pod in self.pods()]
        return list(dict.fromkeys(started for text in texts for started in starts_in(text)))

    def starts(self) -> list[str]:
        """Return how often each script was started."""
        return [name for name, _ in self.marks()]

    def restarts(self, container: str) -> int:
        """Return how often containers of the only Pod were restarted."""
        (pod,) = self.pods()
        status = pod["status"]
        every = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
        return sum(found["restartCount"] for found in every if found["name"] == container)

    def fails(self, *states: str) -> Document:
        """Wait for the end; assert a failure with these rows, and that nothing started twice."""
        until(self.is_over, self.patience)
        status: Document = self.document["status"]
        assert self.ns.state(self.name) == "Failed"
        assert [row["state"] for row in status["scripts"]] == [*states]
        told = Counter(self.ns.job_events(self.name))
        assert [start for start, times in told.items() if times > 1] == []
        return status


def starts_in(text: str) -> list[tuple[str, str]]:
    """Return the starts that an output shows, each with its mark, in their order."""
    return list(dict.fromkeys(re.findall(r"\bstart (\S+) ([0-9a-f]{8})$", text, re.MULTILINE)))
