"""Pages of lists of which only some fields are read."""

from __future__ import annotations

import json

import pytest

from enso_operator.kube.pages import named
from job_execution_framework.service_layer.bounded_json import DEEPEST_DOCUMENT

NAMES = {"name": "shot", "uid": "a", "resourceVersion": "7"}


def page(*objects: object) -> bytes:
    return json.dumps({"metadata": {"continue": "more"}, "items": objects}).encode()


def test_other_fields_are_passed_over() -> None:
    item = {"kind": "EnsoJob", "metadata": NAMES | {"labels": {"a": "b"}}, "spec": {"a": [1]}}
    assert named(page(item)) == {
        "metadata": {"continue": "more"},
        "items": [{"metadata": NAMES}],
    }


def test_what_is_nested_too_deeply_hides_no_other_object() -> None:
    deep = b"[" * 10 * DEEPEST_DOCUMENT + b"]" * 10 * DEEPEST_DOCUMENT
    stored = page({"metadata": NAMES, "spec": "deep"}, {"metadata": NAMES})
    assert named(stored.replace(b'"deep"', deep)) == named(page(*[{"metadata": NAMES}] * 2))


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", page({"metadata": {"name": "shot"}})])
def test_what_is_no_page_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        named(answer)
