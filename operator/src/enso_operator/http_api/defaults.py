"""What a script that failed got beside what it was given: the defaults that the library knows.

`memory_reads` tells it with the job, as its library is at hand; a cluster's would have to be asked.
"""

from __future__ import annotations

from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameters
from job_execution_framework.domain.secret import Secret, shown
from job_execution_framework.service_layer.library import Library, resolved
from job_execution_framework.service_layer.preflight import taken_by


def defaults_at_failure(job: Job, library: Library) -> dict[str, object]:
    """Return them as people may see them; nothing where the library does not know them."""
    name = job.failure.script if job.failure else ""
    if name not in job.rows:
        return {}
    script = job.script(name)
    taken = taken_by(resolved(script.work, library)) or Parameters()
    secrets = {parameter.name for parameter in taken.listed if parameter.secret}
    return shown(
        {
            key: Secret(value) if key in secrets else value
            for key, value in taken.defaults.items()
            if key not in script.parameters
        }
    )
