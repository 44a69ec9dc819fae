"""The arguments of the scripts that a resume runs, as fields, and what was changed in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from enso_operator.api.document import Document
from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.web.views.fields import Field, fields_of
from enso_operator.http_api.web.views.resume_refusals import argument_id
from job_execution_framework.domain.row import Row, ScriptState
from job_execution_framework.domain.script import Container

LONGEST_WHY = 300
"""Characters of why a script failed; its job's page has all of it."""


@dataclass(frozen=True)
class ScriptFields:
    """A script that a resume runs, and its arguments."""

    name: str
    fields: tuple[Field, ...]
    state: str = ""
    """How it ended, where it is what the resume is for."""
    why: str = ""
    """Why it ended so, in one line."""

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


def marked(script: ScriptFields, row: Row, said: Mapping[str, str]) -> ScriptFields:
    """Return a script with how it failed, and with what is wrong in its fields, by their ids."""
    fields = tuple(replace(field, wrong=said.get(field.id, "")) for field in script.fields)
    if row.state not in (ScriptState.FAILED, ScriptState.INTERRUPTED):
        return replace(script, fields=fields)
    cause = row.latest.cause
    why = cause.on_one_line(LONGEST_WHY) if cause else ""
    return replace(script, fields=fields, state=row.state.lower(), why=why)
