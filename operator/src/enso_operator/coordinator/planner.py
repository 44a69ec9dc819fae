"""Makes the plan of a session for the actor, which opens the session with it."""

from __future__ import annotations

from dataclasses import replace

from enso_operator.blocking import in_thread
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import Library
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.preflight import taken_by


class Planner:
    """Takes the scripts that a job names from a library."""

    def __init__(self, library: Library, traceparent: str = "") -> None:
        """Take the library, and where the job stands in its trace, if it has one."""
        self.library, self._traceparent = library, traceparent

    async def plan(self, job: Job, step: Open) -> Plan:
        """Return the session's plan. Raises InvalidJob, Unavailable, and NotYet."""
        return self.traced(await in_thread(Plan.of, job, step, self.library, taken_by))

    def traced(self, plan: Plan) -> Plan:
        """Return the plan with the job's place in its trace."""
        return replace(plan, traceparent=self._traceparent)
