"""The form of a resume: what may be changed, and what will run and is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.web.views.plan import Plan, plan_of
from enso_operator.http_api.web.views.query import Query
from enso_operator.http_api.web.views.resume_refusals import Said, said_of
from enso_operator.http_api.web.views.script_fields import (
    Entries,
    ScriptFields,
    by_id,
    marked,
    script_fields,
)
from enso_operator.manifests.told_changes import UNKNOWN, listed, told_change
from job_execution_framework.domain.definition import shown_arguments
from job_execution_framework.domain.forecast import STARTS
from job_execution_framework.domain.transitions import JobState

FEW = 4
"""Scripts, or choices, that need not be folded away."""


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
    changes: str
    """What is changed, with the old and the new values."""

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


def resume_form(
    outlook: Outlook, entries: Entries, namespace: str = "", said: Said | None = None
) -> ResumeForm:
    """Return the form; `said` is what is wrong with what was entered beside the outlook."""
    job, all_scripts = outlook.job, script_fields(outlook, entries.texts)
    said = {**said_of(outlook.refusals, job.id, by_id(all_scripts)), **(said or {})}
    runs = {told.script.name for told in outlook.scripts if told.fate in STARTS}
    found = [marked(script, job.rows[script.name], said) for script in all_scripts if script.fields]
    shown = [script for script in found if script.name in runs or script.is_touched]
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
        changes=listed(_changes(outlook, found, runs)),
    )


def _changes(
    outlook: Outlook, scripts: Iterable[ScriptFields], runs: AbstractSet[str]
) -> Iterator[str]:
    """Yield what is changed, in the words of the form; what is wrong is said elsewhere."""
    fields = {
        f"{script.name}.args.{field.name}": field for script in scripts for field in script.fields
    }
    known = (shown_arguments(outlook.job.scripts), outlook.arguments)
    for change in outlook.changes:
        field = fields.get(change)
        if field is None or not field.wrong:
            is_secret = field is not None and field.parameter.secret
            later = field is not None and change.partition(".")[0] not in runs
            yield told_change(change, *(UNKNOWN if is_secret else known)) + (
                " (it does not run now)" if later else ""
            )
