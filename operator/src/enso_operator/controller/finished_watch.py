"""Watches the metadata of EnsoJobs that have ended, which kopf does not: it reads whole objects.

A job that has ended needs nothing until somebody changes its spec, resumes it or deletes it. Of
each of these the metadata tell that something is to be read. What they were when the operator came
is listed once, a page at a time, and forgotten. What is missed, the sweep finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from enso_operator.api.document import Document
from enso_operator.controller.list_watch import ListWatch
from enso_operator.kube.client import ApiObjects
from enso_operator.kube.finished import FINISHED, ended

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def finished_watch(
    jobs: ApiObjects,
    namespaces: Sequence[str],
    listed: Callable[[Document], None],
    changed: Callable[[Document], None],
) -> ListWatch:
    """Return what shows every job that has ended, and then each that was changed.

    `listed` gets objects as `ended` reads them, `changed` objects that have only metadata.
    """
    return ListWatch(
        jobs,
        namespaces,
        listed,
        lambda _, document: changed(document),
        fields=FINISHED,
        read=ended,
        accept=METADATA_ONLY,
    )
