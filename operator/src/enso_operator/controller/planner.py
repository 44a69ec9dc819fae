"""Plans the sessions of an EnsoJob; the first one only if all scripts are found and fit together.

What their EnsoScripts declare is compared with the arguments; no source is read.
"""

from __future__ import annotations

from functools import cache

from enso_operator.blocking import in_thread
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.sessions import Sessions
from enso_operator.kube.client import waiting
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.errors import NotYet, ScriptNotFound
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Missing, declared_by
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.preflight import check_arguments

LIBRARY_PATIENCE_SECONDS = 10.0
"""How long a started job waits for missing EnsoScripts: `kubectl apply` may create them later."""


class EnsoJobPlanner(Planner):
    """Asks the library of the job's namespace."""

    def __init__(self, library: Library, sessions: Sessions, clock: Clock) -> None:
        super().__init__(library)
        self._sessions, self._clock = sessions, clock

    async def plan(self, job: Job, step: Open) -> Plan:
        """Return the plan; before the first one all scripts are found and their arguments checked.

        A changed job is checked again, and the arguments of each session before it is opened.
        """
        library = Remembered(self.library)
        with waiting():
            if not job.runs or job.definition_number > 1:
                self._sessions.check(job)
            if not job.runs:
                await in_thread(self._find_all, job, library)
            scripts = [one for one in job.scripts if not job.runs or one.name in step.scripts]
            await in_thread(check_arguments, scripts, library, declared_by)
            return await in_thread(Plan.of, job, step, library)

    def _find_all(self, job: Job, library: Library) -> None:
        """Raise ScriptNotFound where a script is missing, or NotYet while it may still appear."""
        for script in job.scripts:
            work = resolved(script.work, library)
            if not isinstance(work, Missing):
                continue
            why = f"script {script.name!r}: {work.why}"
            since = job.resumed_at or job.started_at or 0  # our own time, not the API server's
            if self._clock.now() < since + LIBRARY_PATIENCE_SECONDS:
                raise NotYet(why, Reason.SCRIPT_NOT_FOUND)
            raise ScriptNotFound(why)


class Remembered:
    """A library that caches each script: a job may name one script many times."""

    def __init__(self, library: Library) -> None:
        self.find = cache(library.find)
