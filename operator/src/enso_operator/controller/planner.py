"""Plans the sessions of an EnsoJob; the first one only if all scripts are found and fit together.

What their EnsoScripts declare is compared with the arguments; no source is read.
"""

from __future__ import annotations

from itertools import islice

from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.client import waiting
from enso_operator.on_loop import on_loop
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import InvalidJob, NotYet, ScriptNotFound
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Function, Missing, Source, declared_by
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.preflight import argument_problems, check_arguments

LIBRARY_PATIENCE_SECONDS = 10.0
"""How long a started job waits for missing EnsoScripts: `kubectl apply` may create them later."""

MOST_MISSING = 10
"""Missing scripts that are told at once."""


class EnsoJobPlanner(Planner):
    """Asks the library of the job's namespace."""

    def __init__(
        self, library: Library, sessions: Sessions, clock: Clock, traceparent: str = ""
    ) -> None:
        super().__init__(library, traceparent)
        self._sessions, self._clock = sessions, clock

    async def plan(self, job: Job, step: Open) -> Plan:
        """Return the plan; before the first one all scripts are found and their arguments checked.

        A changed job is checked again, and the arguments of each session before it is opened.
        """
        with waiting():
            if not job.runs or job.definition_number > 1:
                self._sessions.check(job)
            return self.traced(await on_loop(self._checked, job, step))

    def _checked(self, job: Job, step: Open) -> Plan:
        library = Remembered(self.library)
        if not job.runs:
            self._check_all(job, library)
        else:
            starts = [script for script in job.scripts if script.name in step.scripts]
            check_arguments(starts, library, declared_by)
        return Plan.of(job, step, library)

    def _check_all(self, job: Job, library: Library) -> None:
        """Raise ScriptNotFound or InvalidJob, with all that is wrong; NotYet while it may pass."""
        works = ((script.name, resolved(script.work, library)) for script in job.scripts)
        told = (f"script {name!r}: {work.why}" for name, work in works if isinstance(work, Missing))
        missing = [*islice(told, MOST_MISSING)]  # for each one the API server lists all scripts
        since = job.resumed_at or job.started_at or 0  # our own time, not the API server's
        if missing and self._clock.now() < since + LIBRARY_PATIENCE_SECONDS:
            raise NotYet("; ".join(missing), Reason.SCRIPT_NOT_FOUND)
        unfit = argument_problems(job.scripts, library, declared_by)
        if missing or unfit:
            raise (ScriptNotFound if missing else InvalidJob)("; ".join([*missing, *unfit]))


class Remembered:
    """A library that is asked only once for each script: a job may name one many times."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._found: dict[str, Source | Function | ScriptNotFound] = {}

    def find(self, name: str) -> Source | Function:
        """Return the script. Raises ScriptNotFound, and what else the library raises."""
        if name not in self._found:
            try:
                self._found[name] = self._library.find(name)
            except ScriptNotFound as error:
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, ScriptNotFound):
            raise ScriptNotFound(str(found))
        return found
