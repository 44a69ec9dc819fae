"""The job of a template with its parameters' values: what becomes what, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enso_operator.manifests import expand as module
from enso_operator.manifests.expand import expand, references
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.values import is_list, is_mapping
from tests.support.resources import Document

VALUES: dict[str, object] = {
    "shot": "010",
    "frames": 240,
    "scale": 0.5,
    "draft": True,
    "layers": ["fg", "bg"],
    "camera": {"lens": 35, "name": "$(params.shot)"},
    "trap": "$(params.shot) $$(params.shot) $(HOME)",
}
NAMES = [*VALUES, "unset"]


def job(value: object) -> Document:
    """A job whose only argument has this value."""
    return {"scripts": [{"name": "open", "args": {"path": value}}]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("$(params.shot)", "010", id="a text stays a text"),
        pytest.param("$(params.frames)", 240, id="a whole number"),
        pytest.param("$(params.scale)", 0.5, id="a number"),
        pytest.param("$(params.draft)", True, id="a boolean"),
        pytest.param("$(params.layers)", ["fg", "bg"], id="a list"),
        pytest.param("$(params.camera)", VALUES["camera"], id="a mapping, not expanded again"),
        pytest.param("$(params.trap)", VALUES["trap"], id="a value is never expanded again"),
        pytest.param("a $(params.trap)", f"a {VALUES['trap']}", id="nor is it within a text"),
        pytest.param("/s/$(params.shot)/a.hip", "/s/010/a.hip", id="within a text"),
        pytest.param("$(params.shot)$(params.frames)", "010240", id="side by side"),
        pytest.param("1-$(params.frames)", "1-240", id="a whole number within a text"),
        pytest.param("x$(params.scale)", "x0.5", id="a number within a text"),
        pytest.param("is $(params.draft)", "is true", id="a boolean as JSON has it"),
        pytest.param("$$(params.shot)", "$(params.shot)", id="a literal"),
        pytest.param("$$(params.nobody)", "$(params.nobody)", id="a literal of an unknown name"),
        pytest.param("$$$(HOME)", "$$(HOME)", id="what Kubernetes takes for a literal"),
        pytest.param("$$(params.shot)$(params.shot)", "$(params.shot)010", id="both"),
        pytest.param("$(HOME) $(date) $x ${y}", "$(HOME) $(date) $x ${y}", id="not ours"),
        pytest.param(
            ["a", "$(params.shot)", ["$(params.frames)"]], ["a", "010", [240]], id="in lists"
        ),
        pytest.param({"a": {"b": "$(params.shot)"}}, {"a": {"b": "010"}}, id="in mappings"),
        pytest.param({"$(HOME)": None, "b": 1.5}, {"$(HOME)": None, "b": 1.5}, id="no text"),
    ],
)
def test_each_value_becomes(value: object, expected: object) -> None:
    expanded = expand(job(value), NAMES, VALUES)
    result = expanded["scripts"][0]["args"]["path"]
    assert result == expected
    assert type(result) is type(expected)


WHERE = "spec.job.scripts[open].args.path"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        pytest.param(
            "$(params.shto)",
            f"{WHERE} refers to parameter 'shto', which does not exist: did you mean shot?",
            id="a typing error",
        ),
        pytest.param(
            "a $(params.zzz) b",
            f"{WHERE} refers to parameter 'zzz', which does not exist: the template has "
            f"{', '.join(NAMES)}",
            id="nothing near",
        ),
        pytest.param(
            "$(params. shot)",
            f"{WHERE} refers to parameter ' shot', which does not exist: did you mean shot?",
            id="a space",
        ),
        pytest.param(
            "$(params.unset)",
            f"{WHERE} refers to parameter unset, which has no value: pass one, or give it a "
            "default",
            id="neither a value nor a default",
        ),
        pytest.param(
            "a $(params.layers)",
            f"{WHERE} has $(params.layers), a list, within a text: let the reference stand alone",
            id="a list within a text",
        ),
        pytest.param(
            "a $(params.camera)",
            f"{WHERE} has $(params.camera), a mapping, within a text: let the reference stand "
            "alone",
            id="a mapping within a text",
        ),
        pytest.param(
            "$(params.shot",
            f"{WHERE} has '$(params', which begins no reference: write $(params.NAME), or $$( for "
            "a literal $(",
            id="not closed",
        ),
        pytest.param(
            "$(param.shot)",
            f"{WHERE} has '$(param', which begins no reference: write $(params.NAME), or $$( for "
            "a literal $(",
            id="nearly one",
        ),
        pytest.param(
            {"$(params.shot)": 1},
            f"{WHERE} has a reference in the key '$(params.shot)': write it in a value",
            id="a key",
        ),
    ],
)
def test_each_mistake_is_a_sentence(value: object, sentence: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        expand(job(value), NAMES, VALUES)
    assert str(caught.value) == sentence


def test_all_mistakes_are_told_at_once() -> None:
    document = {
        "sessions": [{"name": "main", "image": "houdini:$(params.version)"}],
        "scripts": [
            {"name": "a", "source": "print('$(params.shot)')"},
            {"name": "b", "args": {"x": ["$(params.one)", "$(params.shto)"]}},
            {"name": "b", "timeoutSeconds": "$(params.two)"},
        ],
    }
    with pytest.raises(InvalidJob) as caught:
        expand(document, ["shot"], {"shot": "010"})
    missing = "which does not exist: the template has shot"
    assert str(caught.value).split("; ") == [
        f"spec.job.sessions[main].image refers to parameter 'version', {missing}",
        "spec.job.scripts[a].source refers to parameter shot, whose value would become code: pass it in args",  # noqa: E501
        f"spec.job.scripts[1].args.x[0] refers to parameter 'one', {missing}",
        "spec.job.scripts[1].args.x[1] refers to parameter 'shto', which does not exist: did you mean shot?",  # noqa: E501
        f"spec.job.scripts[2].timeoutSeconds refers to parameter 'two', {missing}",
    ]


def test_a_source_may_have_literals_and_the_dollars_of_others() -> None:
    document = {"scripts": [{"name": "a", "source": "say('$$(params.shot) $(HOME)')"}]}
    expanded = expand(document, NAMES, VALUES)
    assert expanded["scripts"][0]["source"] == "say('$(params.shot) $(HOME)')"


def test_an_argument_called_source_is_no_code() -> None:
    document = {"scripts": [{"name": "a", "args": {"source": "$(params.shot)"}}]}
    assert expand(document, NAMES, VALUES)["scripts"][0]["args"]["source"] == "010"


@pytest.mark.parametrize("reference", ["$(params.big)", "x$(params.big)"])
def test_an_expansion_that_grows_too_large_is_refused_before_it_is_made(reference: str) -> None:
    big = "x" * (module.LARGEST_BYTES // 4)  # 25 GB, if all references were replaced first
    with pytest.raises(InvalidJob, match=r"more than 1 MiB with its parameters"):
        expand(job([reference] * 100_000), ["big"], {"big": big})


def test_a_job_that_is_too_large_by_itself_is_refused() -> None:
    with pytest.raises(InvalidJob, match=r"more than 1 MiB"):
        expand(job("x" * module.LARGEST_BYTES), [], {})


def test_a_job_that_is_too_deep_is_refused() -> None:
    value: object = "$(params.shot)"
    for _ in range(200):
        value = [value]
    with pytest.raises(InvalidJob, match=r"spec\.job is nested more than 64 levels deep"):
        expand(job(value), NAMES, VALUES)


def test_the_template_is_not_changed() -> None:
    document = job(["$(params.shot)", {"a": "$(params.layers)"}])
    expand(document, NAMES, VALUES)
    assert document == job(["$(params.shot)", {"a": "$(params.layers)"}])


def test_references_are_found_wherever_they_count() -> None:
    document = {
        "a": ["$(params.shot)", "x$(params.frames)$(params.shot)"],
        "b": {"c": "$$(params.scale)", "$(params.draft)": 1},
    }
    assert list(references(document)) == ["shot", "frames", "shot"]


TEXTS = st.text() | st.lists(st.sampled_from(["$", "$$(", "$(", "params.", "a", ")"])).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_whatever_a_value_is_a_lone_reference_becomes_it(value: object) -> None:
    expanded = expand(job("$(params.a)"), ["a"], {"a": value})
    assert expanded == job(value)


def escaped(value: object) -> object:
    """A value as a template must have it, so that it is none of ours."""
    if isinstance(value, str):
        return value.replace("$(", "$$(")
    if is_list(value):
        return [escaped(item) for item in value]
    if is_mapping(value):
        return {key: escaped(item) for key, item in value.items()}
    return value


@given(JSON)
def test_whatever_is_written_as_a_literal_is_kept(value: object) -> None:
    assert expand(job(escaped(value)), ["a"], {"a": "x"}) == job(value)
