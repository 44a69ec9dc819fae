"""`enso plan` and `enso resume --dry-run`: what would run, what is kept, and why.

Nothing is changed. It is computed here, by the same code with which the operator decides, so this
module is slow to import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import ResumeSpec
from enso_operator.api.rules import broken_resume_rules
from enso_operator.api.status import ChangedDefinition, TemplateStatus
from enso_operator.api.template import EnsoJobTemplate
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, output
from enso_operator.cli.jobs.connect import REFUSED, for_each, job_of
from enso_operator.cli.jobs.scripts import headline
from enso_operator.cli.jobs.start import PARAMETER, template_of
from enso_operator.cli.jobs.started_with import changes_in
from enso_operator.cli.jobs.table import Column, Screen, table
from enso_operator.cli.preflight import check
from enso_operator.kube.ensojob import EnsoJobObject, Expansion, Revision
from enso_operator.kube.status.read import number_of_definition
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from enso_operator.manifests import load
from enso_operator.manifests.changes import changed_definition, with_changes
from enso_operator.manifests.errors import mistakes_in
from enso_operator.manifests.load import ManifestError
from enso_operator.manifests.manifest import NO_PARAMS
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.template import PLACE, expanded, parse_spec, typed
from enso_operator.manifests.to_domain import definition_of
from enso_operator.manifests.told_changes import listed, told_definition
from enso_operator.manifests.unsuspend import why_not
from job_execution_framework.domain import changes
from job_execution_framework.domain.actions import Resume
from job_execution_framework.domain.errors import InvalidAction, InvalidJob
from job_execution_framework.domain.forecast import STARTS, Forecast, forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.transitions import ENDED, JobState

SHOWN = 0
"""Exit code where all is well; of several jobs it is the largest."""
_COLUMNS = (
    Column("#"),
    Column("SCRIPT", 12),
    Column("SESSION", 8),
    Column("PLAN"),
    Column("WHY", 12),
)


@dataclass(frozen=True)
class Plan:
    """What would run of one job."""

    headline_text: str
    when: str
    scripts: tuple[Forecast, ...]
    changes: tuple[str, ...] = ()
    """What a resume changes, as ``script.field``."""
    told: tuple[str, ...] = ()
    """The same with the old and the new values, for people."""
    spec: Document | None = None
    """What a template and its parameters make, for programs."""

    def lines(self, screen: Screen) -> list[str]:
        """Return the plan as lines for people."""
        main = [script for script in self.scripts if not script.script.is_final]
        starts, total = sum(script.fate in STARTS for script in main), len(main)
        sessions = {script.script.session for script in self.scripts}
        numbers = [
            str(n + 1) if n < total else f"f{n + 1 - total}" for n in range(len(self.scripts))
        ]
        rows = [
            (number, to_come.script.name, to_come.script.session, to_come.fate, to_come.why)
            for number, to_come in zip(numbers, self.scripts, strict=True)
        ]
        columns = [0, 1, *([2] if len(sessions) > 1 else []), 3, 4]
        cells = [[row[column] for column in columns] for row in rows]
        changed = [f"Changes: {listed(self.told)}", ""] if self.told else []
        return [
            self.headline_text,
            f"{self.when}, {starts} of {total} script{'s' if total > 1 else ''} will be started:",
            "",
            *changed,
            *table([_COLUMNS[column] for column in columns], cells, screen),
        ]

    def document(self, job: str) -> Document:
        """Return the plan as a document for programs."""
        scripts = [
            {
                "name": to_come.script.name,
                "session": to_come.script.session,
                "plan": to_come.fate.value,
                "why": to_come.why,
            }
            for to_come in self.scripts
        ]
        document = {"job": job, "scripts": scripts, "changes": list(self.changes)}
        return document | ({"spec": self.spec} if self.spec else {})


def plan_jobs(
    api: ApiServer, names: Iterable[str], block: Document | None, form: str | None
) -> int:
    """Print the plan of each job, or of a template of that name; return the exit code.

    `block` is the `resume` of an EnsoAction for which the plan is computed, if there is one.
    """
    plans = dict[str, Plan]()

    def plan(name: str) -> None:
        try:
            document = job_of(api, name)
        except NoSuchName as error:
            if block is not None:
                raise
            try:
                plans[name] = plan_of_template(template_of(api, name), {})
            except NoSuchName:
                raise error from None
            return
        ensojob = EnsoJobObject.of(document)
        plans[name] = plan_of(_with_present_definition(api, ensojob), block)

    codes = [SHOWN, *for_each(names, plan)]
    _show(plans, form)
    return max(codes)


def plan_templates(
    api: ApiServer, names: Iterable[str], params: Mapping[str, str], form: str | None
) -> int:
    """Print what a run of each template would run; return the exit code."""
    plans = dict[str, Plan]()

    def plan(name: str) -> None:
        plans[name] = plan_of_template(template_of(api, name), params)

    codes = [SHOWN, *for_each(names, plan)]
    _show(plans, form)
    return max(codes)


def plan_files(
    files: Iterable[Path], form: str | None, params: Mapping[str, str] = NO_PARAMS
) -> int:
    """Print the plan of each manifest, or its mistakes; return the exit code."""
    codes, plans = [SHOWN], dict[str, Plan]()
    for file in files:
        try:
            manifest = load.load(file, is_for_cluster=True, params=params)
            works = {script.name: script.work for script in manifest.scripts}
            warnings = check(file, manifest, manifest.scripts, works)
        except ManifestError as error:
            refuse(str(error))
            codes.append(REFUSED)
        else:
            for warning in warnings:
                print(warning, file=sys.stderr)
            job = Job(manifest.name, manifest.scripts, manifest.sessions)
            headline_text = f"{manifest.name}: not created yet, as {file} describes it"
            spec = manifest.expansion
            plans[manifest.name] = Plan(headline_text, "Once it is", forecast(job), spec=spec)
    _show(plans, form)
    return max(codes)


def _show(plans: dict[str, Plan], form: str | None) -> None:
    if form:
        plan_documents = [plan.document(name) for name, plan in plans.items()]
        print(
            output.text(
                plan_documents[0] if len(plan_documents) == 1 else {"plans": plan_documents}, form
            )
        )
        return
    screen = Screen.of_output()
    parts = ["\n".join(plan.lines(screen)) for plan in plans.values()]
    if parts:
        print("\n\n".join(parts))


def _with_present_definition(api: ApiServer, ensojob: EnsoJobObject) -> EnsoJobObject:
    """Return the job with its present definition, which is stored in a ControllerRevision."""
    ledger = ensojob.status.ledger
    if ensojob.why_spec_broken:
        return ensojob
    if ensojob.template:
        ensojob = _with_expansion(api, ensojob)
    if number_of_definition(ensojob.status) == 1 or not (ledger and ledger.definitions):
        return ensojob
    present = ledger.definitions[-1]
    data = _data(api, ensojob, present, "its resumes have changed it")
    definition = with_changes(ensojob.manifest, ResumeSpec.model_validate(data))
    return ensojob.with_revisions({present.number: Revision(present.name, definition)})


def _with_expansion(api: ApiServer, ensojob: EnsoJobObject) -> EnsoJobObject:
    """Return a run with what its template made of it, or of a run that is new would make."""
    ledger = ensojob.status.ledger
    if ledger and ledger.definitions:
        first = ledger.definitions[0]
        data = _data(api, ensojob, first, "a template has made it")
        status = TemplateStatus.model_validate(data["template"])
        return ensojob.with_expansion(Expansion(first.name, status, data["spec"]))
    params = parse_ensojob(ensojob.document).spec.params
    spec = expanded(template_of(api, ensojob.template), params)
    return ensojob.with_expansion(
        Expansion("", TemplateStatus(name=ensojob.template, generation=0), spec)
    )


def _data(api: ApiServer, ensojob: EnsoJobObject, entry: ChangedDefinition, why: str) -> Document:
    """Return what a ControllerRevision holds. Raises InvalidJob."""
    try:
        data = changes_in(api, ensojob.document, entry.number, entry.name)
    except NoSuchName:
        data = None
    if data is None:
        raise InvalidJob(
            f"nobody can say what job {ensojob.name} runs: {why}, and ControllerRevision "
            f"{entry.name}, which tells how, was deleted or changed"
        )
    return data


def plan_of_template(template: EnsoJobTemplate, params: Mapping[str, str]) -> Plan:
    """Return the plan of a run of a template. Raises InvalidJob."""
    name = template.metadata.name
    try:
        spec = expanded(template, typed(template, params), PARAMETER)
    except InvalidJob as error:
        raise InvalidJob(f"template {name}: {error}") from error
    made = definition_of(parse_spec(spec), PLACE)
    job = Job(name, made.scripts, made.sessions)
    what = f"a run of template {name}, not created yet"
    return Plan(what, "Once it is", forecast(job), spec=spec)


def plan_of(ensojob: EnsoJobObject, block: Document | None) -> Plan:
    """Return the plan of a job. Raises InvalidAction and InvalidJob."""
    if ensojob.broken:
        raise InvalidJob(f"job {ensojob.name} cannot go on: {ensojob.broken}")
    document, job = ensojob.document, ensojob.job()
    action = _resume_action(ensojob.manifest, job, block)
    if action and (why := why_not(job, action, ensojob.namespace)):
        raise InvalidAction(why)
    wanted = action.definition if action else None
    return Plan(
        headline(document, Screen()),
        _when(documents.state(document), action),
        forecast(job, action),
        tuple(map(str, changes.changes(job, wanted))) if wanted else (),
        tuple(told_definition(job, wanted)) if wanted else (),
    )


def _resume_action(manifest: Document, job: Job, block: Document | None) -> Resume | None:
    """Return the resume for which the plan is computed; None if the job runs without one."""
    if block is not None:
        resume_spec = _resume_spec(block, job)
        definition = changed_definition(manifest, job, resume_spec)
        return Resume(
            from_script=resume_spec.from_script or "",
            skip=tuple(resume_spec.skip),
            definition=definition,
        )
    is_paused = job.state is JobState.SUSPENDED and job.paused
    return Resume() if job.state in ENDED or is_paused else None


def _resume_spec(block: Document, job: Job) -> ResumeSpec:
    refusal = f"job {job.id} cannot be resumed so"
    try:
        resume_spec = ResumeSpec.model_validate(block, extra="forbid")
    except ValidationError as error:
        raise InvalidAction(f"{refusal}: {mistakes_in(block, error, ResumeSpec)}") from error
    if broken := [sentence.removeprefix(".") for sentence in broken_resume_rules(resume_spec, "")]:
        raise InvalidAction(f"{refusal}: {'; '.join(broken)}")
    return resume_spec


def _when(state: str, action: Resume | None) -> str:
    if action:
        return "When it is resumed"
    return "Once spec.suspend is false" if state == documents.SUSPENDED else "From now on"
