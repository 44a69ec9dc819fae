"""Where the time of a job goes, step by step, measured from outside of enso-executer.

The audit log tells when the API server had and had done with each request, the node when its
containers and files came to be, and the log of the records when each was written. All clocks are
this machine's.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from dev.cluster.audit import AuditLog
from dev.host import requirements
from dev.host.places import HOME, POD_LOGS

from benchmarks.run import Run, is_of
from benchmarks.watching import Document, Watching

_VOLUMES = "volumes/kubernetes.io~empty-dir"

Files = dict[str, float]
"""When each file of a job's session was created, in seconds since the epoch."""


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


def files_of(watch: Watching, run: Run) -> Files:
    """Return when the files of a job's session were created; None where they were removed."""
    metadata = _pod(watch, run)["metadata"]
    uid = metadata["uid"]
    pod = HOME / "kubelet" / "pods" / uid
    logs = POD_LOGS / f"{metadata['namespace']}_{metadata['name']}_{uid}"
    paths = {
        "pod": pod,
        "mounted": logs,
        "sandbox": logs / "records",
        "records": logs / "records" / "0.log",
        "session": logs / "session" / "0.log",
        "ready": pod / _VOLUMES / "enso-runtime" / "ready",
        "alive": pod / _VOLUMES / "enso-run" / "alive",
    }
    told = subprocess.run(
        [requirements.program("stat"), "--format=%.6W", *map(str, paths.values())],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        return {}
    return dict(zip(paths, map(float, told.stdout.split()), strict=True))


async def show(count: int, runs: dict[Run, Files], watch: Watching, audit: AuditLog) -> None:
    """Print how long each step of jobs of so many scripts takes, and its share of the whole."""
    asked = [*_asked(audit, watch.namespace)]
    runs = {run: files for run, files in runs.items() if files}
    if not (asked and runs):
        print("Where the time goes is not told: no audit log, or a machine that is too busy")
        return
    told = [_in_order(await _steps(run, files, watch, asked)) for run, files in runs.items()]
    lasted = [[after.at - before.at for before, after in pairwise(steps)] for steps in told]
    whole = statistics.median(run.seconds for run in runs)
    print(f"A job of {count} no-op scripts, in the middle of {len(runs)}: {whole * 1000:.0f} ms")
    for number, step in enumerate(told[0][1:]):
        seconds = statistics.median(durations[number] for durations in lasted)
        print(f"{seconds * 1000:8.0f} ms {seconds / whole:6.0%}  {step.what}")


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
        Step(files["pod"], "the kubelet begins with it"),
        Step(files["mounted"], "its volumes are mounted"),
        Step(files["sandbox"], "its sandbox is made"),
        Step(files["records"], "the records container is created"),
        Step(files["session"], "it is started, and the session container is created"),
        Step(files["alive"], "that is started, has its runtime, and has loaded the supervisor"),
        Step(json.loads(records[0][1])["at"], "the interpreter is started: the first record"),
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
    pods = (sight.document for sight in watch.sights["pods"])
    return next(pod for pod in pods if is_of(pod, run.name))


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
