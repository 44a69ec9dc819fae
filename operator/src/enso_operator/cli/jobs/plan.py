"""`enso plan` and `enso resume --dry-run`: what would run, what is kept, and why.

Nothing is changed. It is computed here, by the same code with which the operator decides; so this
module and what it imports take a while to load.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, output
from enso_operator.cli.jobs.asking import job_of
from enso_operator.cli.jobs.scripts import headline
from enso_operator.cli.jobs.table import Column, Screen, table
from enso_operator.cli.preflight import check
from enso_operator.kube.definition_names import definition_name
from enso_operator.kube.ensojob import EnsoJobObject, Revision
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from enso_operator.manifests import load
from enso_operator.manifests.changes import changed_definition, with_changes
from enso_operator.manifests.errors import path_of, sentences
from enso_operator.manifests.load import ManifestError
from job_execution_framework.domain import changes
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.forecast import STARTS, Forecast, forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import ENDED, JobState

TOLD, REFUSED = 0, 1
"""Exit codes; of several jobs it is the largest."""
_COLUMNS = (
    Column("#"),
    Column("SCRIPT", 12),
    Column("SESSION", 8),
    Column("PLAN"),
    Column("WHY", 12),
)


@dataclass(frozen=True)
class Plan:
    """What is to come of one job."""

    head: str
    when: str
    scripts: tuple[Forecast, ...]
    changes: tuple[str, ...] = ()
    """What a resume changes, as ``script.field``."""

    def lines(self, screen: Screen) -> list[str]:
        """Return it for people."""
        counts = Counter(script.fate in STARTS for script in self.scripts)
        starts, total = counts[True], len(self.scripts)
        sessions = {script.script.session for script in self.scripts}
        rows = [
            (str(number), to_come.script.name, to_come.script.session, to_come.fate, to_come.why)
            for number, to_come in enumerate(self.scripts, start=1)
        ]
        shown = [0, 1, *([2] if len(sessions) > 1 else []), 3, 4]
        cells = [[row[column] for column in shown] for row in rows]
        changed = [f"Changes: {', '.join(self.changes)}", ""] if self.changes else []
        return [
            self.head,
            f"{self.when}, {starts} of {total} script{'s' if total > 1 else ''} will be started:",
            "",
            *changed,
            *table([_COLUMNS[column] for column in shown], cells, screen),
        ]

    def document(self, job: str) -> Document:
        """Return it for programs."""
        scripts = [
            {
                "name": to_come.script.name,
                "session": to_come.script.session,
                "plan": to_come.fate.value,
                "why": to_come.why,
            }
            for to_come in self.scripts
        ]
        return {"job": job, "scripts": scripts, "changes": list(self.changes)}


def plan_jobs(
    api: ApiServer, names: Iterable[str], block: Document | None, form: str | None
) -> int:
    """Print what is to come of each job; `block` is what a resume of it asks for, if that is meant.

    Return the exit code.
    """
    codes, plans = [TOLD], dict[str, Plan]()
    for name in dict.fromkeys(names):
        try:
            ensojob = EnsoJobObject.of(job_of(api, name))
            plans[name] = plan_of(_as_resumed(api, ensojob), block)
        except NoSuchName as error:
            codes.append(refuse(str(error)))
        except (InvalidAction, InvalidJob) as error:
            refuse(str(error))
            codes.append(REFUSED)
    _show(plans, form)
    return max(codes)


def plan_files(files: Iterable[Path], form: str | None) -> int:
    """Print what of manifests would run, or what is wrong with them; return the exit code."""
    codes, plans = [TOLD], dict[str, Plan]()
    for file in files:
        try:
            manifest = load.load(file, is_for_cluster=True)
            works = {script.name: script.work for script in manifest.scripts}
            warnings = check(file, manifest, manifest.scripts, works)
        except ManifestError as error:
            refuse(str(error))
            codes.append(REFUSED)
        else:
            for warning in warnings:
                print(warning, file=sys.stderr)
            job = Job(manifest.name, manifest.scripts, manifest.sessions)
            head = f"{manifest.name}: not created yet, as {file} describes it"
            plans[manifest.name] = Plan(head, "Once it is", forecast(job))
    _show(plans, form)
    return max(codes)


def _show(plans: dict[str, Plan], form: str | None) -> None:
    if form:
        shown = [plan.document(name) for name, plan in plans.items()]
        print(output.text(shown[0] if len(shown) == 1 else {"plans": shown}, form))
        return
    screen = Screen.of_output()
    parts = ["\n".join(plan.lines(screen)) for plan in plans.values()]
    if parts:
        print("\n\n".join(parts))


def _as_resumed(api: ApiServer, ensojob: EnsoJobObject) -> EnsoJobObject:
    """Return the job with what its resumes have changed, which is an object of its own."""
    ledger = ensojob.status.ledger
    if not (ledger and ledger.definitions) or ensojob.why_spec_broken:
        return ensojob
    present = ledger.definitions[-1]
    try:
        data = api.get(api.path("controllerrevisions", present.name)).get("data")
    except NoSuchName:
        data = None
    if definition_name(ensojob.name, ensojob.uid, present.number, data) != present.name:
        raise InvalidJob(
            f"nobody can say what job {ensojob.name} runs: its resumes have changed it, and "
            f"ControllerRevision {present.name}, which tells how, was deleted or changed"
        )
    definition = with_changes(ensojob.document, ResumeSpec.model_validate(data))
    return ensojob.with_revisions({present.number: Revision(present.name, definition)})


def plan_of(ensojob: EnsoJobObject, block: Document | None) -> Plan:
    """Return what is to come of a job. Raises InvalidAction and InvalidJob."""
    if ensojob.broken:
        raise InvalidJob(f"job {ensojob.name} cannot go on: {ensojob.broken}")
    document, job = ensojob.document, ensojob.job()
    action = _resume(document, job, block)
    changed = changes.changes(job, action.definition) if action and action.definition else ()
    return Plan(
        headline(document, Screen()),
        _when(documents.state(document), action),
        forecast(job, action),
        tuple(map(str, changed)),
    )


def _resume(document: Document, job: Job, block: Document | None) -> Resume | None:
    """Return the resume that is meant; None where the job goes on without one."""
    if block is not None:
        asked = _parsed(block, job)
        definition = changed_definition(document, job, asked)
        return Resume(
            from_script=asked.from_script or "", skip=tuple(asked.skip), definition=definition
        )
    is_paused = job.state is JobState.SUSPENDED and job.paused
    return Resume() if job.state in ENDED or is_paused else None


def _parsed(block: Document, job: Job) -> ResumeSpec:
    try:
        return ResumeSpec.model_validate(block, extra="forbid")
    except ValidationError as error:
        said = sentences(error.errors(include_url=False), ResumeSpec)
        mistakes = "; ".join(f"{path_of(location, block)} {text}" for location, text in said)
        raise InvalidAction(f"job {job.id} cannot be resumed so: {mistakes}") from error


def _when(state: str, action: Resume | None) -> str:
    if action:
        return "When it is resumed"
    return "Once spec.suspend is false" if state == documents.SUSPENDED else "From now on"
