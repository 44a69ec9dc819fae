"""`enso logs`: what the scripts of a job wrote, out of the logs of its Pods.

A session writes a mark before what each attempt writes: `--- simulate, attempt 2`. The Pod of a
container script has none, so one is written for it here.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.cli import display
from enso_operator.cli.jobs import documents, follow, scripts
from enso_operator.cli.jobs.asking import job_of
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.wait import code_of, job_in
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoCluster, NoSuchName
from enso_operator.sessions.pods import names, state
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.service_layer import bounded_json

SHOWN = 0
_MARK = re.compile(rb"--- ([a-z0-9-]+), attempt ([0-9]+)\r?\n?\Z")
_PAUSE_SECONDS = 1.0
"""Pause before a log is read again whose stream ended before its container did."""


class NoOutput(EnsoError):
    """There is nothing to show; the sentence says where it is, or that it is gone."""


@dataclass
class Part:
    """The part of the output to show: of a script, of an attempt; without either, all of it."""

    script: str = ""
    attempt: int = 0
    is_on: bool = True
    has_shown: bool = False

    def begin(self) -> None:
        """Begin with the log of another Pod: lines before its first mark belong to no script."""
        self.is_on = not (self.script or self.attempt)

    def show(self, line: bytes) -> None:
        """Print a line, if it is of this part."""
        if mark := _MARK.match(line):
            is_script = self.script in ("", mark[1].decode())
            self.is_on = is_script and self.attempt in (0, int(mark[2]))
        if self.is_on:
            self.has_shown = True
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            display.exit_if_pipe_closed()


def show_logs(api: ApiServer, name: str, part: Part, *, is_following: bool) -> int:
    """Print what was written; return the exit code."""
    job = job_of(api, name)
    known = [str(script["name"]) for script in scripts.of(job)]
    if part.script and part.script not in known:
        raise NoOutput(f"{name} has no script {part.script!r}; it has: {', '.join(known)}")
    if is_following:
        return Following(api, job, part).until_it_ends()
    for pod in pods_of(api, job):
        part.begin()
        for line in written(api, pod, is_following=False):
            part.show(line)
    if not part.has_shown:
        raise NoOutput(where_it_is(job, part))
    return SHOWN


def pods_of(api: ApiServer, job: Document) -> list[Document]:
    """Return the job's Pods whose scripts have begun, in their order."""
    pages = api.pages(api.path("pods"), selector(job))
    return in_order(pod for page in pages for pod in page["items"] or ())


def in_order(pods: Iterable[Document]) -> list[Document]:
    """Return those that have something to read, in the order in which they were created."""
    begun = [pod for pod in pods if state.container_to_read(pod)]
    return sorted(begun, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def selector(job: Document) -> dict[str, str]:
    """Return the query that finds the job's Pods."""
    return {"labelSelector": f"{names.JOB_UID_LABEL}={job['metadata']['uid']}"}


def written(api: ApiServer, pod: Document, *, is_following: bool) -> Iterator[bytes]:
    """Yield the lines of a Pod's log."""
    query = {"container": state.container_to_read(pod)}
    if is_following:
        query["follow"] = "true"
    if state.is_container(pod):
        record: Document = bounded_json.loads(pod["metadata"]["annotations"][names.ATTEMPT])
        yield f"--- {record['script']}, attempt {record['attempt']}\n".encode()
    yield from api.lines(f"{api.path('pods', documents.name_of(pod))}/log", query, accept="*/*")


def where_it_is(job: Document, part: Part) -> str:
    """Say where a job's output is that has no Pod with it, or that it is gone."""
    name, status = documents.name_of(job), documents.status(job)
    card = [str(line) for line in status.get("why") or ()]
    logs = [line.removeprefix("log").strip() for line in card if line.startswith("log ")]
    if logs and not logs[0].startswith("kubectl "):
        return f"{name} ran beside the operator, which keeps what it wrote in {logs[0]}"
    ledger: Document = status.get("ledger") or {}
    cursors: Document = ledger.get("cursors") or {}
    runs = [origin for origin in cursors if origin[-1].isdigit()]  # the others are no sessions
    if not runs:
        return f"nothing of {name} has run yet; {scripts.headline(job, Screen())}"
    if part.script or part.attempt:
        of = f" {part.script}" if part.script else ""
        of += f", attempt {part.attempt}" if part.attempt else ""
        return f"what{of} of {name} wrote is not there: it has not run, or its Pod is gone"
    place = f"{job['metadata']['namespace']}/{job['metadata']['uid']}/{runs[-1]}/output.log"
    return (
        f"{name} has no Pods: what they wrote went with them; an operator with --sessions=local "
        f"keeps it in its state directory, in CLUSTER/{place}"
    )


class Following:
    """Follows the logs of a job, one Pod after the other, until the job has ended."""

    def __init__(self, api: ApiServer, job: Document, part: Part) -> None:
        self._api, self._job, self._part = api, job, part
        self._pods: dict[str, Document] = {}
        self._read: set[tuple[str, str]] = set()
        """Pods and containers whose log has been shown to its end."""
        self._follower = follow.Follower(api)
        name = documents.name_of(job)
        self._follower.follow(api.path("ensojobs"), {"fieldSelector": f"metadata.name={name}"})
        self._follower.follow(api.path("pods"), selector(job))

    def until_it_ends(self) -> int:
        """Show what comes; return the exit code of `enso wait`."""
        if not pods_of(self._api, self._job) and not documents.is_finished(self._job):
            _tell(f"{scripts.headline(self._job, Screen())}; waiting for its first Pod to begin")
        while not documents.is_finished(self._job):
            seen = self._follower.next()
            if seen:
                self._take(seen)
            self._show(in_order(self._pods.values()))
        self._show(pods_of(self._api, self._job))  # the job's end may be known before its last Pod
        if not self._part.has_shown:
            display.refuse(where_it_is(self._job, self._part))
        return code_of(self._job)

    def _take(self, seen: follow.Seen) -> None:
        if isinstance(seen, follow.Away):
            _tell(f"{seen.sentence}; trying again")
            return
        first = seen.pages[0] if isinstance(seen, follow.All) else seen.document
        if str(first["kind"]).startswith("EnsoJob"):
            self._job = job_in(seen, self._job, self._api, documents.name_of(self._job))
        elif isinstance(seen, follow.All):
            self._pods = {
                str(pod["metadata"]["uid"]): pod for page in seen.pages for pod in page["items"]
            }
        else:
            self._pods[str(seen.document["metadata"]["uid"])] = seen.document

    def _show(self, pods: list[Document]) -> None:
        for pod in pods:
            read = str(pod["metadata"]["uid"]), state.container_to_read(pod)
            if read not in self._read:
                self._part.begin()
                self._show_to_the_end(pod)
                self._read.add(read)

    def _show_to_the_end(self, pod: Document) -> None:
        """Show a Pod's log until its container has ended: the end of a stream says nothing."""
        shown, trouble = 0, ""
        while True:
            skipped = shown
            try:
                for line in written(self._api, pod, is_following=True):
                    rest = line[skipped:]
                    skipped -= len(line) - len(rest)
                    shown += len(rest)
                    if rest:
                        self._part.show(rest)
                if self._is_over(pod):
                    return
            except NoSuchName:
                return
            except (NoCluster, Answered) as error:  # a kubelet that restarts is a 500
                if str(error) != trouble:
                    _tell(f"{error}; trying again")
                trouble = str(error)
                if self._is_lost():
                    return
            time.sleep(_PAUSE_SECONDS)

    def _is_over(self, pod: Document) -> bool:
        """Whether nothing more comes of the container whose log was read."""
        fresh = self._api.get(self._api.path("pods", documents.name_of(pod)))
        read = state.container_to_read(pod)
        return state.is_over(fresh) or state.container_to_read(fresh) != read

    def _is_lost(self) -> bool:
        """Whether the job has ended: then nobody brings back a log that cannot be read."""
        name = documents.name_of(self._job)
        try:
            return documents.is_finished(self._api.get(self._api.path("ensojobs", name)))
        except NoCluster:
            return False


def _tell(sentence: str) -> None:
    print(f"enso: {sentence}", file=sys.stderr, flush=True)
