"""An EnsoJob as one that is traced: what it is called after, and what it is a part of."""

from __future__ import annotations

import pytest

from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.observability.traced_ensojob import traced_ensojob
from enso_operator.observability.traced_job import TracedJob
from tests.support.resources import Document, of_scripts

PARENT = f"00-{'4b' * 16}-{'00f0' * 4}-01"


def traced(spec: Document | None = None, **metadata: object) -> TracedJob:
    document = of_scripts({})
    document["metadata"] = {"name": "shot-x7k2p", "namespace": "shows", "uid": "uid", **metadata}
    document["spec"] |= spec or {}
    return traced_ensojob(EnsoJobObject.of(document), in_pods=True)


@pytest.mark.parametrize(
    ("spec", "metadata", "title"),
    [
        ({}, {}, "shot-x7k2p"),
        ({}, {"generateName": "shot-"}, "shot"),
        ({}, {"generateName": "other-"}, "shot-x7k2p"),
        ({"templateRef": {"name": "publish-shot"}}, {"generateName": "shot-"}, "publish-shot"),
    ],
)
def test_jobs_that_do_the_same_are_called_the_same(
    spec: Document, metadata: Document, title: str
) -> None:
    assert traced(spec, **metadata).title == title


def test_of_all_annotations_only_that_of_its_trace_is_kept() -> None:
    annotations = {"enso.dev/traceparent": PARENT, "kubectl/last-applied": "x" * 100_000}
    job = traced(annotations=annotations)
    assert (job.trace_id, job.parent_id) == ("4b" * 16, "00f0" * 4)


@pytest.mark.parametrize("value", ["", "none", PARENT.upper(), "x" * 100_000, PARENT + "\n"])
def test_what_is_no_traceparent_begins_a_trace_of_its_own(value: str) -> None:
    job = traced(annotations={"enso.dev/traceparent": value})
    assert (job.trace_id, job.parent_id) == (traced().trace_id, "")


def test_a_session_run_is_in_a_pod() -> None:
    assert (pod_of := traced().pod_of)
    assert pod_of("houdini-2").startswith("shot-x7k2p-houdini-2-")
