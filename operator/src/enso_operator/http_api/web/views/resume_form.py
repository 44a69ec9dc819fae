"""The form of a resume: what may be changed, and what will run and is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from enso_operator.api.document import Document
from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.web.views.fields import Field, fields_of
from enso_operator.http_api.web.views.plan import Plan, plan_of
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.resume_refusals import Said, argument_id, said_of
from job_execution_framework.domain.forecast import STARTS
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Container
from job_execution_framework.domain.transitions import JobState

FEW = 4
"""Scripts, or choices, that need not be folded away."""


@dataclass(frozen=True)
class ScriptFields:
    """A script that a resume runs, and its arguments."""

    name: str
    fields: tuple[Field, ...]
    state: str = ""
    """How it ended, where it is what the resume is for."""

    @property
    def is_touched(self) -> bool:
        """Whether somebody changed something, or something is wrong with it."""
        return any(field.is_changed or field.wrong for field in self.fields)

    @property
    def is_sought(self) -> bool:
        """Whether people look for it: then it is open."""
        return bool(self.state) or self.is_touched


@dataclass(frozen=True)
class Entries:
    """What somebody has entered; nothing of a form that is new."""

    texts: Mapping[str, str]
    """The fields, by their ids."""
    begin: str = ""
    """The script to run again from; "" as the checkpoints say."""
    skip: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class ResumeForm:
    """What the page shows."""

    name: str
    namespace: str
    runs_again: bool
    """Whether nothing of the job is left to do."""
    entries: Entries
    scripts: tuple[ScriptFields, ...]
    """Those that people look for: what failed, what somebody has changed."""
    others: tuple[ScriptFields, ...]
    """The rest of those that run."""
    names: tuple[str, ...]
    """Scripts from which it may be run again."""
    skippable: tuple[str, ...]
    said: Said
    """What is wrong, by the ids of the fields."""
    plan: Plan
    changes: tuple[str, ...]

    few: int = FEW

    @property
    def is_all_open(self) -> bool:
        """Whether all arguments are seen at once: nothing is sought, and they are few."""
        return not self.others and not any(script.state for script in self.scripts)

    @property
    def to_mend(self) -> tuple[tuple[str, str], ...]:
        """The fields in which something is wrong, each with its name, in the order of the form."""
        named = [
            (field.id, f"{field.name} of {script.name}")
            for script in (*self.scripts, *self.others)
            for field in script.fields
        ]
        named += [("from", "From"), ("skip", "Skip"), ("why", "Why")]
        return tuple((id_, name) for id_, name in named if id_ in self.said)

    def address(self, path: str = "") -> str:
        """Return the address of the job, or of a page below it."""
        return Query(namespace=self.namespace).address(f"/jobs/{self.name}{path}")


def script_fields(outlook: Outlook, texts: Mapping[str, str]) -> tuple[ScriptFields, ...]:
    """Return the fields of each script that can be changed, with what was entered."""
    return tuple(
        ScriptFields(
            script.name,
            tuple(
                field.filled(texts)
                for field in fields_of(
                    argument_id(script.name, ""), outlook.takes.get(script.name), script.parameters
                )
            ),
        )
        for script in outlook.job.main
        if not isinstance(script.work, Container)
    )


def by_id(scripts: Iterable[ScriptFields]) -> dict[str, Field]:
    """Return all fields by their ids."""
    return {field.id: field for script in scripts for field in script.fields}


def resume_of(scripts: Sequence[ScriptFields], entries: Entries) -> Document:
    """Return the `resume` of an EnsoAction that asks for what was entered."""
    changes = [change for script in scripts if (change := _change(script))]
    resume: Document = {"scripts": changes} if changes else {}
    if entries.begin:
        resume["from"] = entries.begin
    if entries.skip:
        resume["skip"] = [*entries.skip]
    return resume


def _change(script: ScriptFields) -> Document:
    """Return the change of a script; empty where there is none."""
    changed = [field for field in script.fields if field.is_changed]
    args = {field.name: field.value for field in changed if not field.is_absent}
    unset = [field.name for field in changed if field.is_absent and field.is_given]
    change: Document = {**({"args": args} if args else {})}
    if unset:
        change["unsetArgs"] = unset
    return {"name": script.name, **change} if change else {}


def resume_form(
    outlook: Outlook, entries: Entries, namespace: str = "", said: Said | None = None
) -> ResumeForm:
    """Return the form; `said` is what is wrong with what was entered beside the outlook."""
    job, all_scripts = outlook.job, script_fields(outlook, entries.texts)
    said = {**said_of(outlook.refusals, job.id, by_id(all_scripts)), **(said or {})}
    runs = {told.script.name for told in outlook.scripts if told.fate in STARTS}
    marked = [_marked(outlook, script, said) for script in all_scripts if script.fields]
    shown = [script for script in marked if script.name in runs or script.is_touched]
    first = sorted(
        (script for script in shown if script.is_sought or len(shown) <= FEW),
        key=lambda script: (not script.state, not script.is_touched),
    )
    names = tuple(script.name for script in job.main)
    begin = names.index(entries.begin) if entries.begin in names else len(names)
    return ResumeForm(
        job.id,
        namespace,
        job.state is JobState.SUCCEEDED,
        entries,
        tuple(first),
        tuple(script for script in shown if script not in first),
        names=names,
        skippable=tuple(
            name
            for number, name in enumerate(names)
            if not job.is_done(name) or name in entries.skip or number >= begin
        ),
        said=said,
        plan=plan_of(outlook.scripts),
        changes=tuple(_changes(outlook, marked)),
    )


def _marked(outlook: Outlook, script: ScriptFields, said: Said) -> ScriptFields:
    """Return a script with how it failed, and with what is wrong in its fields."""
    state = outlook.job.rows[script.name].state
    fields = (replace(field, wrong=said.get(field.id, "")) for field in script.fields)
    ended = state.lower() if state in (ScriptState.FAILED, ScriptState.INTERRUPTED) else ""
    return replace(script, fields=tuple(fields), state=ended)


def _changes(outlook: Outlook, scripts: Iterable[ScriptFields]) -> Iterator[str]:
    """Yield what is changed, in the words of the form; what is wrong is said elsewhere."""
    fields = {
        f"{script.name}.args.{field.name}": (script, field)
        for script in scripts
        for field in script.fields
    }
    for change in outlook.changes:
        script, field = fields.get(change, (None, None))
        if script is None or field is None:
            yield change
        elif not field.wrong:
            yield f"{field.name} of {script.name}"
