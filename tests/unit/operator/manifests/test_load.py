"""A file becomes a job: an EnsoJob manifest, or an example job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enso_operator.manifests.load import ManifestError, load
from enso_operator.manifests.manifest import Manifest
from job_execution_framework.domain.cause import escaped
from job_execution_framework.domain.script import LibraryScript, Script, Session, Source
from job_execution_framework.domain.values import TOO_DEEP, is_list, is_mapping
from tests.support.manifests import refusal, script, spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "job.yaml"


def test_yaml_is_read_as_kubectl_reads_it(file: Path) -> None:
    values = "{time: 12:30, day: 2024-01-31, big: 1e3, small: -0.5, hex: 0x10, none: ~, yes: 1}"
    values = values.replace("yes: 1", "wrap: yes, text: '010', zero: 0, thousand: 1_000")
    file.write_text(script(f"args: {values}"))
    assert load(file).scripts[0].parameters == {
        "time": "12:30",
        "day": "2024-01-31",
        "big": 1000.0,
        "small": -0.5,
        "hex": 16,
        "none": None,
        "wrap": True,
        "text": "010",
        "zero": 0,
        "thousand": 1000,
    }


def test_aliases_and_merged_mappings_are_fine(file: Path) -> None:
    file.write_text(
        spec(
            "  scripts:\n"
            "    - &first {name: a, source: x, args: &args {frames: 10, shot: s}}\n"
            "    - {<<: *first, name: b, args: {<<: *args, frames: 20}}\n"
        )
    )
    assert load(file).scripts == (
        Script("a", Source("x", "a.py"), {"frames": 10, "shot": "s"}),
        Script("b", Source("x", "b.py"), {"frames": 20, "shot": "s"}),
    )


def test_fields_that_only_a_cluster_uses_are_accepted_and_listed(file: Path) -> None:
    file.write_text(
        "\ufeff"
        + spec(
            "  suspend: false\n"
            "  activeDeadlineSeconds: 60\n"
            "  ttlSecondsAfterFinished: 60\n"
            "  sessions:\n"
            "    - name: houdini\n"
            "      interpreter: [hython]\n"
            "      startTimeoutSeconds: 60\n"
            "      onInterrupted: {policy: Retry, limit: 2, backoffSeconds: 5}\n"
            "      image: studio/houdini:20.5\n"
            "      resources: {requests: {cpu: 4, memory: 16Gi}}\n"
            "      env: [{name: JOB, value: a}]\n"
            "      outputDirectory: /shots/logs\n"
            "  scripts: [{name: open, scriptRef: {name: open_scene}}]\n"
        )
    )
    manifest = load(file)
    assert manifest.ignored == (
        "spec.suspend",
        "spec.ttlSecondsAfterFinished",
        "spec.sessions[houdini].resources",
        "spec.sessions[houdini].env",
        "spec.sessions[houdini].image",
    )
    assert manifest.sessions == (
        Session(
            "houdini",
            ("hython",),
            60,
            retry_lost=2,
            lost_backoff_seconds=5,
            output_directory="/shots/logs",
        ),
    )
    assert manifest.scripts == (Script("open", LibraryScript("open_scene"), session="houdini"),)
    assert (manifest.name, manifest.deadline_seconds) == ("shot", 60)


def test_what_a_cluster_adds_is_no_mistake(file: Path) -> None:
    added = "shot, uid: a, resourceVersion: '1', annotations: {a: ~}, managedFields: []}"
    file.write_text(script("").replace("shot}", added) + "status: {observedGeneration: -1}\n")
    assert load(file).name == "shot"


# Example jobs, as the HTTP API takes them.


@pytest.fixture
def example(tmp_path: Path) -> Callable[..., Path]:
    def example(content: str, name: str = "job.json") -> Path:
        path = tmp_path / name
        path.write_text(content)
        return path

    return example


def test_an_example_job_is_named_after_its_file(example: Callable[..., Path]) -> None:
    content = '{"instructions": [["open_scene", {"path": null}], ["open_scene", {}]]}'
    path = example(content, "Publish shot_v2.json")
    assert load(path) == Manifest(
        name="publish-shot-v2",
        scripts=(
            Script("open-scene", LibraryScript("open_scene"), {"path": None}),
            Script("open-scene-2", LibraryScript("open_scene")),
        ),
        sessions=(Session(),),
        deadline_seconds=None,
        text=content,
    )
    assert load(path, name="other").name == "other"
    assert load(example(content, f"{'x' * 90}.json")).name == "x" * 52


AN_INSTRUCTION = 'write ["name of a script", {"argument": "value"}]'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty: write an EnsoJob into it"),
        (
            "{",
            "line 1, column 2: this is not JSON: expecting property name enclosed in double quotes",
        ),
        ('{"a": 1, "a": 2}', "'a' is written twice in one object: remove one of the two"),
        ("[" * 100_000, TOO_DEEP),
        (
            f'{{"instructions": [["a", {{"b": {"[" * 65}{"]" * 65}}}]]}}',
            f"script 'a': parameter 'b' {TOO_DEEP}",
        ),
        (f'{{"a": {"9" * 5000}}}', "a number in it cannot be read: put it in quotes"),
        (
            '{"instructions": [["a", {"b": NaN}]]}',
            "NaN is no number that JSON has: write another, or a text in quotes",
        ),
        (
            '{"instructions": [["a", {"b": 1e999}]]}',
            (
                "instructions[0][1].b is inf, no number that JSON has: write another, or a text in "
                "quotes"
            ),
        ),
        ('{"instructions": {}}', f"instructions is a mapping, not a list: {AN_INSTRUCTION}"),
        ('{"instructions": []}', "instructions has 0 items: give it 1 to 100"),
        (
            json.dumps({"instructions": [["a", {}]] * 101}),
            "instructions has 101 items: give it 1 to 100",
        ),
        (
            '{"instructions": [["a", {}], ["a"]], "name": "b"}',
            (
                "name is not a field: an example job has instructions, and nothing else\n"
                f"instructions[1] is no instruction: {AN_INSTRUCTION}"
            ),
        ),
        (
            '{"instructions": [["", {}], [1, {}], ["a", []]]}',
            "\n".join(f"instructions[{i}] is no instruction: {AN_INSTRUCTION}" for i in range(3)),
        ),
    ],
    ids=lambda case: str(case)[:30],
)
def test_an_example_job_that_is_wrong(
    example: Callable[[str], Path], content: str, sentence: str
) -> None:
    assert refusal(example(content)) == sentence


# Whatever a file holds: a job, or sentences.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
WHOLE = {
    "apiVersion": "enso.dev/v1alpha1",
    "kind": "EnsoJob",
    "metadata": {"name": "shot", "labels": {"a": "b"}},
    "spec": {
        "sessions": [{"name": "h", "interpreter": ["a"], "resources": {"limits": {"cpu": "1"}}}],
        "scripts": [
            {"name": "a", "source": "x", "args": {"b": [1]}, "retries": {"limit": 1}},
            {"name": "b", "scriptRef": {"name": "c"}, "session": "h", "timeoutSeconds": 1},
        ],
    },
}


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if is_mapping(value):
        for key, item in value.items():
            yield from places(item, (*path, str(key)))
    elif is_list(value):
        for i, item in enumerate(value):
            yield from places(item, (*path, i))


@settings(max_examples=200, deadline=None)
@given(place=st.sampled_from(list(places(WHOLE))[1:]), key=st.text(max_size=8), value=JSON)
def test_no_file_is_answered_with_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str | int, ...], key: str, value: object
) -> None:
    document = json.loads(json.dumps(WHOLE))
    parent = document
    for part in place[:-1]:
        parent = parent[part]
    parent[place[-1]] = value
    if isinstance(parent, dict):
        parent[key] = value
    path = tmp_path_factory.getbasetemp() / "mutant.json"
    path.write_text(json.dumps(document))
    try:
        load(path)
    except ManifestError as error:
        for line in str(error).splitlines():
            assert line.startswith(f"{path}: ")
            assert line == escaped(line)
            assert "nput should" not in line
            assert "pydantic" not in line
