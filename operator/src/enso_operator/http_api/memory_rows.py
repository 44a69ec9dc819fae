"""A job in memory as a row of a list, with what the columns of an EnsoJob would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from enso_operator.http_api.rows import JobRow
from enso_operator.kube.status import columns
from enso_operator.kube.status.finer_states import finer_state
from job_execution_framework.domain.job import Job


@dataclass(frozen=True)
class RunOf:
    """The template that a job is a run of."""

    template: str = ""
    """Its name; "" where the job is a run of none."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """The labels that it gets of it."""
    params: Mapping[str, object] = field(default_factory=dict[str, object])
    """The values of its parameters, as they were given."""


OF_NONE = RunOf()


def row_of(job: Job, run: RunOf = OF_NONE) -> JobRow:
    """Return the row of a job."""
    main = [job.rows[script.name] for script in job.main]
    return JobRow(
        name=job.id,
        namespace="",
        created=job.events[0].at if job.events else 0,
        state=str(job.state),
        finer=finer_state(job),
        done=columns.done(job),
        skipped=sum(row.done and not row.succeeded for row in main),
        script=columns.current_script(job) or "",
        progress=columns.progress(job) or "",
        reason=columns.reason(job, columns.waits(job)) or "",
        error=columns.error(job) or "",
        template=run.template,
        labels=run.labels,
    )
