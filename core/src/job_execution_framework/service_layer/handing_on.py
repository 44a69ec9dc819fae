"""Runs an attempt with the outputs of earlier scripts among its arguments; `execution` calls it.

So whatever runs scripts, in your own process or in a session, is given plain values.
"""

from __future__ import annotations

from dataclasses import replace

from job_execution_framework.domain import outputs
from job_execution_framework.domain.cause import Cause, Reason, printable
from job_execution_framework.domain.errors import NoOutput
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script
from job_execution_framework.service_layer.runner import Result, Runner


def run(job: Job, script: Script, attempt: int, runner: Runner) -> Result:
    """Run one attempt to its end.

    It fails without a call where an output is missing that it needs, and after it where its own
    output and those of the other scripts are more than a job may have.
    """
    try:
        arguments = outputs.handed(script.parameters, job.outputs)
    except NoOutput as error:
        return Result(cause=cause_of(error))
    result = runner.run(replace(script, parameters=arguments), attempt)
    if result.cause or not (why := outputs.too_much(job.outputs, script.name, result.output)):
        return result
    return replace(result, output=None, cause=Cause(Reason.BAD_RESULT, why))


def cause_of(error: NoOutput) -> Cause:
    """Return why an attempt fails that lacks an output."""
    return Cause(Reason.NO_OUTPUT, printable(str(error)))
