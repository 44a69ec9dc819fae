"""Where the time of a job goes, step by step, measured from outside of enso-executer.

The audit log tells when the API server had and had done with each request, the node when its
containers and files came to be, and the log of the records when each was written. All clocks are
this machine's.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from dev.cluster.audit import AuditLog
from dev.host import requirements
from dev.host.places import HOME, POD_LOGS

from benchmarks.run import Run, is_of
from benchmarks.watching import Document, Watching

LOOK_SECONDS = 0.01
_VOLUMES = "volumes/kubernetes.io~empty-dir"

Files = dict[str, float]
"""When each file of a job's session was created, in seconds since the epoch; empty if not seen."""


@dataclass(frozen=True)
class Step:
    """What happened, and when; a step lasts from the one before it."""

    at: float
    what: str


@dataclass(frozen=True)
class Asked:
    """A request as the audit log has it."""

    verb: str
    resource: str
    name: str
    began: float
    ended: float


async def files_of(watch: Watching, job: str) -> Files:
    """Return when the files of a job's session were created; nothing where none was seen.

    The kubelet removes them soon after the end, and on a busy machine before anybody looks: so they
    are opened as soon as they are there, and asked for their times when nothing waits for it.
    """
    pod = (await watch.until("pods", lambda pod: is_of(pod, job))).document["metadata"]
    paths = _paths(pod)
    while not paths["alive"].exists():
        if any(is_of(pod, job) and is_over(pod) for pod in _pods(watch)):
            return {}
        await asyncio.sleep(LOOK_SECONDS)
    with ExitStack() as opened:
        held = [os.open(path, os.O_PATH) for path in paths.values()]
        for file in held:
            opened.callback(os.close, file)
        await watch.until("pods", lambda pod: is_of(pod, job) and is_over(pod))
        return dict(zip(paths, _created(held), strict=True))


def is_over(pod: Document) -> bool:
    """Say whether a Pod has ended."""
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def _paths(metadata: Document) -> dict[str, Path]:
    uid = metadata["uid"]
    pod = HOME / "kubelet" / "pods" / uid
    logs = POD_LOGS / f"{metadata['namespace']}_{metadata['name']}_{uid}"
    return {
        "pod": pod,
        "mounted": logs,
        "sandbox": logs / "records",
        "records": logs / "records" / "0.log",
        "session": logs / "session" / "0.log",
        "alive": pod / _VOLUMES / "enso-run" / "alive",
    }


def _created(held: list[int]) -> list[float]:
    """Return when these open files were created, which only `stat` tells."""
    files = [f"/proc/{os.getpid()}/fd/{file}" for file in held]
    stat = [requirements.program("stat"), "--dereference", "--format=%.6W", *files]
    told = subprocess.run(stat, capture_output=True, text=True, check=True)
    return [float(time) for time in told.stdout.split()]


@dataclass(frozen=True)
class Table:
    """The steps of some jobs, each in the middle of them; a number of seconds for each."""

    jobs: int
    whole: float
    steps: dict[str, float]


async def table(runs: dict[Run, Files], watch: Watching, audit: AuditLog) -> Table | None:
    """Return how long each step takes of these jobs; fewer where the node's were not seen."""
    asked = [*_asked(audit, watch.namespace)]
    if not asked:
        return None
    runs = {run: files for run, files in runs.items() if files} or runs
    told = [_in_order(await _steps(run, files, watch, asked)) for run, files in runs.items()]
    lasted = [[after.at - before.at for before, after in pairwise(steps)] for steps in told]
    medians = [*map(statistics.median, zip(*lasted, strict=True))]
    words = [step.what for step in told[0][1:]]
    whole = statistics.median(run.seconds for run in runs)
    return Table(len(runs), whole, dict(zip(words, medians, strict=True)))


def show(what: str, now: Table | None, before: Table | None = None) -> None:
    """Print a table: the share of each step, or beside it what it takes in another version."""
    if now is None:
        print("Where the time goes is not told: the API server has no audit log")
        return
    print(f"{what}, in the middle of {now.jobs}: {_ms(now.whole)}", end="")
    print(f" (before: {_ms(before.whole)})" if before else "")
    for step, seconds in now.steps.items():
        if before and step not in before.steps:
            continue
        beside = f"{seconds / now.whole:6.0%}" if before is None else _ms(before.steps[step])
        print(f"{_ms(seconds):>11} {beside:>9}  {step}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


async def _steps(run: Run, files: Files, watch: Watching, asked: list[Asked]) -> list[Step]:
    def the(verb: str, resource: str, name: str, number: int = 0) -> Asked:
        found = [
            request for request in asked if (request.verb, request.resource) == (verb, resource)
        ]
        return [request for request in found if request.name.startswith(name)][number]

    pod = _pod(watch, run)["metadata"]["name"]
    lines = await watch.log(pod, "records")
    records = [(_time(time), text) for time, text in lines if text.startswith('{"v":')]
    commits = [the("patch", "ensojobs/status", run.name, number) for number in (0, -1)]
    events = [
        request.began
        for request in asked
        if request.resource == "events" and request.name.startswith(run.name + ".")
    ]

    def at(file: str, what: str) -> list[Step]:
        return [Step(files[file], what)] if files else []

    return [
        Step(run.began, ""),
        Step(the("create", "ensojobs", run.name).ended, "the API server has the job"),
        Step(the("create", "configmaps", pod).began, "its watch shows it to the operator"),
        Step(the("create", "pods", pod).began, "the plan is created"),
        Step(the("create", "pods", pod).ended, "the Pod is created, gated"),
        Step(commits[0].began, "the first Events are posted"),
        Step(commits[0].ended, "the Pod's uid is committed"),
        Step(the("patch", "pods", pod).ended, "the Pod is released"),
        Step(the("create", "pods/binding", pod).ended, "it is scheduled"),
        *at("pod", "the kubelet begins with it"),
        *at("mounted", "its volumes are mounted"),
        *at("sandbox", "its sandbox is made"),
        *at("records", "the records container is created"),
        *at("session", "it is started, and the session container is created"),
        *at("alive", "that is started, has its runtime, and the supervisor begins"),
        Step(
            json.loads(records[0][1])["at"],
            "that is loaded, as the interpreter is meanwhile: the first record",
        ),
        Step(records[-1][0], "the scripts run: the last record is in the log"),
        Step(min(at for at in events if at > records[-1][0]), "the operator has read it"),
        Step(commits[1].began, "the last Events are posted"),
        Step(commits[1].ended, "the job's end is committed"),
        Step(run.ended, "a watch shows Finished=True"),
    ]


def _in_order(steps: list[Step]) -> list[Step]:
    """Make no step earlier than the one before; a step that was done meanwhile takes no time."""
    at, ordered = 0.0, list[Step]()
    for step in steps:
        at = max(at, step.at)
        ordered.append(Step(at, step.what))
    return ordered


def _pod(watch: Watching, run: Run) -> Document:
    return next(pod for pod in _pods(watch) if is_of(pod, run.name))


def _pods(watch: Watching) -> Iterator[Document]:
    return (sight.document for sight in watch.sights["pods"])


def _asked(audit: AuditLog, namespace: str) -> Iterator[Asked]:
    """Yield the requests in a namespace, from all files into which the audit log was rotated."""
    for path in sorted(audit.path.parent.glob(f"{audit.path.stem}*.log")):
        for line in path.read_text("utf-8").splitlines():
            if f'"namespace":"{namespace}"' in line:
                yield _one(json.loads(line))


def _one(entry: Document) -> Asked:
    what = entry["objectRef"]
    resource = "/".join(filter(None, (what["resource"], what.get("subresource"))))
    times = (entry["requestReceivedTimestamp"], entry["stageTimestamp"])
    return Asked(entry["verb"], resource, what.get("name", ""), *map(_time, times))


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
