"""What a resume would run and keep, before anybody asks for it: it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from enso_operator.api.document import Document
from enso_operator.api.ensoaction import EnsoActionSpec, ResumeSpec
from enso_operator.api.rules import broken_resume_rules
from enso_operator.http_api.blame import Refusal, blamed
from enso_operator.manifests.changes import changed_definition
from enso_operator.manifests.to_action import action_of
from job_execution_framework.domain import changes
from job_execution_framework.domain.actions import Action
from job_execution_framework.domain.arguments import problems
from job_execution_framework.domain.definition import Arguments, Definition, shown_arguments
from job_execution_framework.domain.errors import InvalidAction
from job_execution_framework.domain.forecast import Forecast, forecast
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.script import Script

Takes = Callable[[Script], Parameters | None]
"""Returns what the library says that a script takes; None where it says nothing."""


@dataclass(frozen=True)
class Outlook:
    """What would come of a resume."""

    job: Job
    """The job as it is, before it."""
    refusals: tuple[Refusal, ...] = ()
    """Why it is not possible; nothing where it is."""
    scripts: tuple[Forecast, ...] = ()
    """What becomes of each script, without what is refused; empty where nothing is possible."""
    changes: tuple[str, ...] = ()
    """What it changes, as ``script.field``, without what is refused."""
    arguments: Arguments = field(default_factory=dict[str, Mapping[str, object]])
    """The arguments of each script after it, as people may see them."""
    takes: Mapping[str, Parameters | None] = field(default_factory=dict[str, Parameters | None])
    """What each script of the job takes, as far as the library says it."""

    @property
    def why_not(self) -> str:
        """Why it is not possible, as sentences; "" where it is."""
        return "; ".join(refusal.why for refusal in self.refusals)


def outlook_of(
    job: Job, spec: EnsoActionSpec, manifest: Callable[[], Document], library: Takes
) -> Outlook:
    """Return what would come of a resume of the job whose EnsoJob `manifest` returns."""
    takes = {script.name: library(script) for script in job.scripts}
    manifest = cache(manifest)

    def action(resume: ResumeSpec) -> Action:
        return _action_of(job, spec.model_copy(update={"resume": resume}), manifest)

    def why_not(resume: ResumeSpec) -> str:
        try:
            return job.why_not(action(resume))
        except InvalidAction as error:
            return str(error)

    resume = spec.resume or ResumeSpec()
    refusals: tuple[Refusal, ...] = ()
    if why_not(resume):
        refusals, resume = blamed(resume, why_not, job.main[0].name)
        if why_not(resume):
            return Outlook(job, refusals, takes=takes)
    resumed, after = action(resume), job.copy()
    after.obey(resumed, 0)
    refusals = (*refusals, *_unfit((*after.to_come(), *after.finals), takes))
    definition: Definition | None = getattr(resumed, "definition", None)
    changed = changes.changes(job, definition) if definition else ()
    return Outlook(
        job,
        refusals,
        forecast(job, resumed),
        tuple(map(str, changed)),
        shown_arguments(after.scripts),
        takes,
    )


def _unfit(scripts: Iterable[Script], takes: Mapping[str, Parameters | None]) -> Iterator[Refusal]:
    """Yield each argument that a script does not take, or misses."""
    for script in scripts:
        if (taken := takes[script.name]) is not None:
            for found in problems(script.name, taken, script.parameters):
                yield Refusal(str(found), "scripts", script.name, found.parameter, found)


def _action_of(job: Job, spec: EnsoActionSpec, manifest: Callable[[], Document]) -> Action:
    resume = spec.resume or ResumeSpec()
    if broken := [sentence.removeprefix(".") for sentence in broken_resume_rules(resume, "")]:
        raise InvalidAction(f"job {job.id} cannot be resumed so: {'; '.join(broken)}")
    definition = None
    if resume.scripts or resume.sessions:
        definition = changed_definition(manifest(), job, resume)
    return action_of(spec, "", definition)
