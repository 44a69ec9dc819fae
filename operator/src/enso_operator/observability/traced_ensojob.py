"""An EnsoJob as one that is traced. `bootstrap` gives it to what sends the spans."""

from __future__ import annotations

from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.observability.traced_job import TracedJob
from enso_operator.sessions.pods import names


def traced_ensojob(ensojob: EnsoJobObject, *, in_pods: bool) -> TracedJob:
    """Return an EnsoJob as one that is traced."""
    name, uid = ensojob.name, ensojob.uid
    return TracedJob(
        uid=uid,
        title=ensojob.template or _without_suffix(ensojob),
        attributes={
            "enso.job.name": name,
            "enso.job.uid": uid,
            "k8s.namespace.name": ensojob.namespace,
        },
        parent=ensojob.traceparent,
        pod_of=(lambda run: names.pod_name(name, run, uid)) if in_pods else None,
    )


def _without_suffix(ensojob: EnsoJobObject) -> str:
    """Return the job's name without what the API server added to it."""
    generated = str(ensojob.document["metadata"].get("generateName") or "")
    return generated.rstrip("-") if ensojob.name.startswith(generated or " ") else ensojob.name
