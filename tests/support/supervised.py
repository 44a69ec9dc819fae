"""One session under its real supervisor, from its plan to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from job_execution_framework.domain import events
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Session
from job_execution_framework.domain.steps import Open
from job_execution_framework.runtime.journal import Journal
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.preflight import taken_by
from job_execution_framework.service_layer.record_line import JOURNAL
from job_execution_framework.service_layer.records import Record


def supervised(
    folder: Path,
    *scripts: Script,
    session: Session | None = None,
    traceparent: str = "",
    **environment: str,
) -> tuple[list[Record], bytes]:
    """Run the scripts; return their records and all of their output."""
    job = Job("job", scripts, (session or Session(),))
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    step = job.next(0)
    assert isinstance(step, Open)
    plan = replace(Plan.of(job, step, ScriptLibrary([]), taken_by), traceparent=traceparent)
    (folder / "plan.json").write_text(plan.to_json())
    command = [sys.executable, "-m", "job_execution_framework.runtime"]
    ran = subprocess.run(
        [*command, str(folder / "plan.json"), str(folder)],
        env=os.environ | plan.secrets() | environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return Journal(folder / JOURNAL).read(), ran.stdout
