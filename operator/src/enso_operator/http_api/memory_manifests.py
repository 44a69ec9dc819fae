"""The manifests of a job in memory: as it is defined now, and that of a run of a template."""

from __future__ import annotations

from enso_operator.api.document import Document
from enso_operator.http_api.definitions import Manifests
from enso_operator.http_api.memory_rows import RunOf
from enso_operator.manifests.defaults import without_defaults
from enso_operator.manifests.render import suspended_manifest
from job_execution_framework.domain.job import Job


def manifests_of(job: Job, run: RunOf) -> Manifests:
    """Return both; of a job that is no run what it was added as is not kept."""
    manifest = suspended_manifest(job)
    labels: Document = {"labels": dict(run.labels)} if run.labels else {}
    manifest["metadata"] |= labels
    del manifest["spec"]["suspend"]
    if "sessions" not in manifest["spec"]:  # all run in the one that every job has
        for script in manifest["spec"]["scripts"]:
            script.pop("session", None)
    applied: Document = {**manifest, "spec": {"templateRef": {"name": run.template}}}
    if run.params:
        applied["spec"]["params"] = dict(run.params)
    return Manifests(without_defaults(manifest), applied if run.template else None)
