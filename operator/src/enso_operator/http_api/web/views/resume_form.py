"""The form of a resume: what may be changed, and what will run and is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from enso_operator.api.document import Document
from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.web.views.fields import Field, fields_of
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.forecast import STARTS, Forecast
from job_execution_framework.domain.script import Container, Script


@dataclass(frozen=True)
class ScriptFields:
    """A script that a resume runs, and its arguments."""

    name: str
    fields: tuple[Field, ...]
    is_open: bool = False
    """Whether its arguments are what people look for: it failed, or somebody changed them."""


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
    entries: Entries
    scripts: tuple[ScriptFields, ...]
    names: tuple[str, ...]
    """Scripts from which it may be run again."""
    skippable: tuple[str, ...]
    why_not: str
    """Why what was entered is not possible; "" where it is."""
    to_come: tuple[Forecast, ...]
    changes: tuple[str, ...]

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
                    f"arg:{script.name}:", outlook.takes.get(script.name), script.parameters
                )
            ),
        )
        for script in outlook.job.main
        if not isinstance(script.work, Container)
    )


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
    outlook: Outlook, entries: Entries, namespace: str = "", why_not: str = ""
) -> ResumeForm:
    """Return the form; `why_not` is why what was entered has just been refused."""
    job, scripts = outlook.job, script_fields(outlook, entries.texts)
    may_change, failed = _changeable(outlook), {script.name for script in job.failed()}
    return ResumeForm(
        job.id,
        namespace,
        entries,
        tuple(
            replace(script, is_open=script.name in failed or _is_touched(script))
            for script in scripts
            if script.fields and (script.name in may_change or _is_touched(script))
        ),
        names=tuple(script.name for script in job.main),
        skippable=tuple(script.name for script in job.main if not job.is_done(script.name)),
        why_not=why_not or outlook.why_not,
        to_come=outlook.scripts,
        changes=outlook.changes,
    )


def _changeable(outlook: Outlook) -> set[str]:
    """Return the scripts that will run; where that is not known, those that are not done."""
    if outlook.scripts:
        return {to_come.script.name for to_come in outlook.scripts if to_come.fate in STARTS}
    return {script.name for script in outlook.job.main if not _is_done(outlook, script)}


def _is_done(outlook: Outlook, script: Script) -> bool:
    return outlook.job.is_done(script.name)


def _is_touched(script: ScriptFields) -> bool:
    return any(field.is_changed for field in script.fields)
