"""A job in memory as a row of a list, with what the columns of an EnsoJob would say."""

from __future__ import annotations

from enso_operator.http_api.rows import JobRow
from enso_operator.kube.status import columns
from job_execution_framework.domain.job import Job


def row_of(job: Job) -> JobRow:
    """Return the row of a job."""
    main = [job.rows[script.name] for script in job.main]
    return JobRow(
        name=job.id,
        namespace="",
        created=job.events[0].at if job.events else 0,
        state=str(job.state),
        done=columns.done(job),
        skipped=sum(row.done and not row.succeeded for row in main),
        script=columns.current_script(job) or "",
        progress=columns.progress(job) or "",
        reason=columns.reason(job, columns.waits(job)) or "",
    )
