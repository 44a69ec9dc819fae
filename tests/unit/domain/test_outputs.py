"""Outputs of scripts as arguments of later ones: what is refused, what is given, what is kept."""

from __future__ import annotations

import re

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.actions import Resume, Skip
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.errors import InvalidAction, InvalidJob, NoOutput
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import (
    LARGEST_OF_A_JOB,
    Output,
    OutputOf,
    handed,
    size_of,
    too_much,
    unfit,
)
from job_execution_framework.domain.script import Container, Script, Source

WORK = Source("def main(**arguments): pass")
CACHE = OutputOf("bake", "path")


def job(*names: str) -> Job:
    """Make a job that has begun, whose `render` needs the key path of what `bake` returns."""
    given: dict[str, dict[str, object]] = {"render": {"cache": CACHE}}
    scripts = tuple(Script(name, WORK, given.get(name, {})) for name in names)
    made = Job("job", scripts)
    made.record(events.JobAdded(at=0))
    made.record(events.JobStarted(at=0))
    return made


def succeeds(job: Job, script: str, output: object = None) -> None:
    attempt = job.rows[script].attempt + 1
    job.record(job.script_event(events.ScriptStarted, script, attempt, 0))
    job.record(job.script_event(events.ScriptSucceeded, script, attempt, 1, output=output))


def fails(job: Job, script: str) -> None:
    attempt = job.rows[script].attempt + 1
    job.record(job.script_event(events.ScriptStarted, script, attempt, 0))
    cause = Cause(Reason.EXCEPTION, "no such file", error="OSError")
    job.record(job.script_event(events.ScriptFailed, script, attempt, 1, cause=cause))
    job.record(events.JobFailed(at=2, cause=cause, script=script))


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        (
            {"a": OutputOf("bakes")},
            "bakes, and the job has no script 'bakes': before it are ",
        ),
        ({"a": OutputOf("render", "x")}, "is x of the output of render, its own: "),
        ({"a": OutputOf("save")}, "which stands after it: put 'save' before 'render'"),
        ({"a": OutputOf("alone")}, "is the output of alone, which is a container, and has no "),
        ({"a": [CACHE]}, "argument 'a' contains an output: only a whole argument can be one"),
    ],
)
def test_an_output_that_can_never_be_had_is_refused_before_anything_starts(
    parameters: dict[str, object], says: str
) -> None:
    scripts = (
        Script("alone", Container("image")),
        Script("bake", WORK),
        Script("render", WORK, parameters),
        Script("save", WORK),
    )
    with pytest.raises(InvalidJob, match=re.escape(says)):
        Job("job", scripts)


def test_all_such_arguments_are_told_at_once() -> None:
    wants = {"a": OutputOf("x"), "b": OutputOf("y")}
    with pytest.raises(InvalidJob, match=r"argument 'a' .*; .*argument 'b' "):
        Job("job", (Script("render", WORK, wants),))


def test_a_key_or_all_of_an_output_becomes_an_argument_of_its_own() -> None:
    value = {"path": ["/a"], "frames": None}
    parameters = {"all": OutputOf("bake"), "cache": CACHE, "n": OutputOf("bake", "frames"), "x": 1}
    given = handed(parameters, {"bake": Output(value, 1)})
    assert given == {"all": value, "cache": ["/a"], "n": None, "x": 1}
    assert given["cache"] is not value["path"], "a script may change what it was given"


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({}, "argument 'cache' is path of the output of bake, which has none: run 'bake' again"),
        ({"bake": Output({}, 1)}, "which has no keys: "),
        ({"bake": Output({"file": 1, "n": 2}, 1)}, "which has file, n: "),
        ({"bake": Output([1], 1)}, "which is no mapping, and has no keys: "),
    ],
)
def test_an_absent_output_is_told_with_its_argument(outputs: dict[str, Output], says: str) -> None:
    with pytest.raises(NoOutput) as absent:
        handed({"cache": CACHE}, outputs)
    assert says in str(absent.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"n": 2**63 - 1, "x": [1.5, None, "é"]}, ""),
        (2**63, "more than 64 bits"),
        ({"\ud800": 1}, "no Unicode"),
        ("x" * 4095, "has 4097 bytes of JSON, at most 4096"),
    ],
    ids=["all", "integer", "surrogate", "size"],
)
def test_what_can_be_an_output(value: object, why: str) -> None:
    assert why in unfit(value)
    assert bool(unfit(value)) == bool(why)


def test_outputs_of_a_job_are_bounded_together() -> None:
    others = {f"s{i}": Output("x" * 4094, 1) for i in range(3)}
    assert sum(size_of(output.value) for output in others.values()) == LARGEST_OF_A_JOB * 3 // 4
    assert not too_much(others, "new", "x" * 4094)
    assert not too_much(others, "new", None)
    assert not too_much({**others, "new": Output("x" * 4094, 1)}, "new", "y" * 4094), "its newest"
    assert "would have 16385" in too_much({**others, "b": Output(1, 1)}, "new", "x" * 4094)


def test_a_row_keeps_the_newest_output() -> None:
    made = job("bake", "render")
    succeeds(made, "bake", {"path": "/1"})
    assert made.rows["bake"].output == Output({"path": "/1"}, 1)
    fails(made, "render")
    made.obey(Resume(from_script="bake"), 3)
    fails(made, "bake")
    assert "bake" not in made.outputs, "the resume asked for another one"
    made.obey(Resume(), 4)
    succeeds(made, "bake", {"path": "/3"})
    assert made.rows["bake"].output == Output({"path": "/3"}, 3)
    fails(made, "render")
    made.obey(Resume(from_script="bake"), 5)
    succeeds(made, "bake")
    assert "bake" not in made.outputs, "the newest is nothing"


def test_a_script_whose_output_a_later_one_needs_is_not_skipped() -> None:
    made = job("bake", "render", "save")
    says = "cannot skip 'bake', as 'render' needs its output as argument 'cache'"
    assert says in made.why_not(Skip(script="bake"))
    fails(made, "bake")
    assert says in made.why_not(Resume(skip=("bake",)))
    assert made.why_not(Resume(skip=("bake", "render"))) == ""
    made.obey(Resume(), 3)
    made.obey(Skip(script="render"), 4)
    assert made.why_not(Skip(script="bake")) == "", "nobody needs it any more"


def test_a_skip_that_runs_again_what_needs_the_output_is_refused() -> None:
    made = job("bake", "render", "save")
    succeeds(made, "bake", {"path": "/1"})
    made.obey(Skip(script="render"), 2)
    fails(made, "save")
    assert "needs its output" in made.why_not(Resume(from_script="bake", skip=("bake",)))
    with pytest.raises(InvalidAction):
        made.obey(Resume(from_script="bake", skip=("bake",)), 3)
    assert made.rows["bake"].output is not None


def test_a_skipped_script_has_no_output() -> None:
    made = job("open", "bake")
    succeeds(made, "open")
    succeeds(made, "bake", 1)
    made.record(events.JobSucceeded(at=2))
    made.obey(Resume(from_script="open", skip=("bake",)), 3)
    assert made.rows["bake"].output is None


def test_the_card_names_the_argument_its_value_and_where_it_came_from() -> None:
    made = job("bake", "render")
    assert made.shown("render", 1) == {"cache": "<path of the output of bake>"}
    succeeds(made, "bake", {"path": "/fx/010.bgeo"})
    fails(made, "render")
    started = made.events[-3]
    assert isinstance(started, events.ScriptStarted)
    assert started.details() == "2/2 render, attempt 1; args cache=/fx/010.bgeo"
    card = failure_card(made)
    assert card
    assert "args    cache=/fx/010.bgeo" in card.why
    assert "outputs cache is path of the output of bake" in card.why
    assert "args cache=/fx/010.bgeo" in card.line
