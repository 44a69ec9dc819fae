"""`enso logs`: shows the output of a job's scripts from the logs of its Pods.

A session writes a mark before the output of each attempt: `--- simulate, attempt 2`. The log of a
container script has no mark, so one is added here.
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
from enso_operator.cli.jobs.connect import job_of
from enso_operator.cli.jobs.log_place import ROTATED, LogPlace
from enso_operator.cli.jobs.table import Screen
from enso_operator.cli.jobs.undecided import has_ended
from enso_operator.cli.jobs.wait import code_of, job_in, of_job
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import Answered, NoCluster, NoSuchName, is_temporary
from enso_operator.sessions.pods import names, state
from job_execution_framework.domain.errors import EnsoError
from job_execution_framework.service_layer import bounded_json

SHOWN = 0
_MARK = re.compile(rb"--- ([a-z0-9-]+), attempt ([0-9]+)\r?\n?\Z")
_LAST_TRIES = 30
"""How often an unreadable log of a Pod that ends is tried: its kubelet may restart, or be lost."""
_PAUSE_SECONDS = 1.0
"""Pause before a log is read again whose stream ended before its container did."""


class NoOutput(EnsoError):
    """There is no output to show; the sentence says where it is, or that it was deleted."""


@dataclass
class LogFilter:
    """Prints the output of one script or attempt; without either, all output."""

    script: str = ""
    attempt: int = 0
    is_selected: bool = True
    """Whether the lines that come now are printed."""
    has_shown: bool = False

    def begin(self) -> None:
        """Start with the log of another Pod; lines before its first mark belong to no script."""
        self.is_selected = not (self.script or self.attempt)

    def show(self, line: bytes) -> None:
        """Print a line, if it belongs to the script and attempt."""
        if not line:
            return
        if mark := _MARK.match(line):
            is_script = self.script in ("", mark[1].decode())
            self.is_selected = is_script and self.attempt in (0, int(mark[2]))
        if self.is_selected:
            self.has_shown = True
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            display.exit_if_pipe_closed()


def show_logs(api: ApiServer, name: str, log_filter: LogFilter, *, is_following: bool) -> int:
    """Print the output of the scripts; return the exit code."""
    job = job_of(api, name)
    script_names = [str(row["name"]) for row in scripts.rows(job)]
    if log_filter.script and log_filter.script not in script_names:
        raise NoOutput(
            f"{name} has no script {log_filter.script!r}; it has: {', '.join(script_names)}"
        )
    if is_following:
        return LogFollower(api, job, log_filter).until_it_ends()
    for pod in pods_of(api, job):
        log_filter.begin()
        log_filter.show(mark_of(pod))
        for line in log_lines(api, pod, is_following=False):
            log_filter.show(line)
    if not log_filter.has_shown:
        raise NoOutput(why_no_output(job, log_filter))
    return SHOWN


def pods_of(api: ApiServer, job: Document) -> list[Document]:
    """Return the job's Pods whose containers have started, the oldest first."""
    pages = api.pages(api.path("pods"), selector(job))
    return in_order(pod for page in pages for pod in page["items"] or ())


def in_order(pods: Iterable[Document]) -> list[Document]:
    """Return the Pods that have a log, in the order in which they were created."""
    started = [pod for pod in pods if state.container_to_read(pod)]
    return sorted(started, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def selector(job: Document) -> dict[str, str]:
    """Return the query that finds the job's Pods."""
    return {"labelSelector": f"{names.JOB_UID_LABEL}={job['metadata']['uid']}"}


def mark_of(pod: Document) -> bytes:
    """Return the mark before the log of a container script; of a session the log has them."""
    if not state.is_container(pod):
        return b""
    record: Document = bounded_json.loads(pod["metadata"]["annotations"][names.ATTEMPT])
    return f"--- {record['script']}, attempt {record['attempt']}\n".encode()


def log_lines(api: ApiServer, pod: Document, *, is_following: bool) -> Iterator[bytes]:
    """Yield the lines of a Pod's log."""
    query = {"container": state.container_to_read(pod)}
    if is_following:
        query["follow"] = "true"
    yield from api.lines(f"{api.path('pods', documents.name_of(pod))}/log", query, accept="*/*")


def why_no_output(job: Document, log_filter: LogFilter) -> str:
    """Return a sentence that says where the output is if no Pod has it, or that it is lost."""
    name, status = documents.name_of(job), documents.status(job)
    card = [str(line) for line in status.get("why") or ()]
    logs = [line.removeprefix("log").strip() for line in card if line.startswith("log ")]
    if logs and not logs[0].startswith("kubectl "):
        return f"{name} ran beside the operator, which keeps what it wrote in {logs[0]}"
    ledger: Document = status.get("ledger") or {}
    cursors: Document = ledger.get("cursors") or {}
    # Other origins are no session runs.
    runs = [origin for origin in cursors if origin[-1].isdigit()]
    if not runs:
        return f"nothing of {name} has run yet; {scripts.headline(job, Screen())}"
    if log_filter.script or log_filter.attempt:
        part = f" {log_filter.script}" if log_filter.script else ""
        part += f", attempt {log_filter.attempt}" if log_filter.attempt else ""
        return f"what{part} of {name} wrote is not there: it has not run, or its Pod is gone"
    place = f"{job['metadata']['namespace']}/{job['metadata']['uid']}/{runs[-1]}/output.log"
    return (
        f"{name} has no Pods: what they wrote went with them; an operator with --sessions=local "
        f"keeps it in its state directory, in CLUSTER/{place}"
    )


class LogFollower:
    """Follows the logs of a job, one Pod after the other, until the job has ended."""

    def __init__(self, api: ApiServer, job: Document, log_filter: LogFilter) -> None:
        self._api, self._job, self._log_filter = api, job, log_filter
        self._pods: dict[str, Document] = {}
        self._shown: set[tuple[str, str]] = set()
        """Pods (by uid) and containers whose log has been shown to its end."""
        self._problem = follow.ProblemPrinter()
        self._follower = of_job(api, documents.name_of(job), has_answered=True)
        self._follower.follow(api.path("pods"), selector(job))

    def until_it_ends(self) -> int:
        """Show new output until the job has ended; return the exit code of `enso wait`."""
        if not documents.is_finished(self._job) and not self._started_pods():
            how = scripts.headline(self._job, Screen())
            print(f"enso: {how}; waiting for its first Pod to begin", file=sys.stderr, flush=True)
        while not self._has_ended():
            event = self._follower.next()
            if event:
                self._on_event(event)
            self._show(in_order(self._pods.values()))
        if not self._log_filter.has_shown:
            display.refuse(why_no_output(self._job, self._log_filter))
        return code_of(self._job)

    def _has_ended(self) -> bool:
        if documents.is_finished(self._job):
            self._show(self._started_pods())  # the end may be seen before the last Pod
        return has_ended(self._api, self._job, self._problem.show)

    def _on_event(self, event: follow.WatchEvent) -> None:
        self._problem.note(event)
        if isinstance(event, follow.Disconnected):
            return
        first = event.pages[0] if isinstance(event, follow.FullList) else event.document
        if str(first["kind"]).startswith("EnsoJob"):
            self._job = job_in(event, self._job, self._api, documents.name_of(self._job))
        elif isinstance(event, follow.FullList):
            self._pods = {
                str(pod["metadata"]["uid"]): pod for page in event.pages for pod in page["items"]
            }
        else:
            self._pods[str(event.document["metadata"]["uid"])] = event.document

    def _started_pods(self) -> list[Document]:
        """Return `pods_of` the job, as soon as the API server answers."""
        while True:
            try:
                return pods_of(self._api, self._job)
            except (NoCluster, Answered) as error:
                if not is_temporary(error):
                    raise
                self._problem.show(str(error))
            time.sleep(_PAUSE_SECONDS)

    def _show(self, pods: list[Document]) -> None:
        for pod in pods:
            container = str(pod["metadata"]["uid"]), state.container_to_read(pod)
            if container not in self._shown:
                self._log_filter.begin()
                self._show_to_the_end(pod)
                self._shown.add(container)

    def _show_to_the_end(self, pod: Document) -> None:
        """Show a Pod's log until its container has ended.

        The log stream may end earlier. So the log is read again until a stream has ended that was
        opened after the container had ended; what was shown before is skipped.
        """
        tries, is_over = 0, state.is_over(pod)
        rotated = ROTATED.format(pod=documents.name_of(pod))
        place = LogPlace(lambda: display.refuse(rotated))
        self._log_filter.show(mark_of(pod))
        while True:
            try:
                for line in place.rest_of(log_lines(self._api, pod, is_following=True)):
                    self._log_filter.show(line)
                self._problem.clear()
                if is_over:
                    return
                tries, is_over = 0, self._is_over(pod)
                if is_over:
                    continue
            except NoSuchName:
                return
            except (NoCluster, Answered) as error:  # while a kubelet restarts, the status is 500
                self._problem.show(str(error))
                tries += self._may_be_lost(pod)
                if tries == _LAST_TRIES:
                    display.refuse(f"the log of Pod {documents.name_of(pod)} cannot be read")
                    return
            time.sleep(_PAUSE_SECONDS)

    def _is_over(self, pod: Document) -> bool:
        """Whether the container whose log was read has ended."""
        fresh = self._api.get(self._api.path("pods", documents.name_of(pod)))
        container = state.container_to_read(pod)
        return state.is_over(fresh) or state.container_to_read(fresh) != container

    def _may_be_lost(self, pod: Document) -> bool:
        """Whether an unreadable log may stay so: its Pod ends or is gone, or the job has ended."""
        try:
            fresh = self._api.get(self._api.path("pods", documents.name_of(pod)))
            job = self._api.get(self._api.path("ensojobs", documents.name_of(self._job)))
        except NoSuchName:
            return True
        except (NoCluster, Answered):
            return False
        is_ending = state.is_over(fresh) or state.is_leaving(fresh)
        return is_ending or documents.is_finished(job)
