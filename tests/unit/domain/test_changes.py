"""A resume may change scripts that will run, but not what a kept checkpoint was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from job_execution_framework.domain.changes import changes, why_not_resumable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import LibraryScript, Script, Session, Source
from tests.support.coordinator import Coordinator
from tests.support.jobs import job_of
from tests.support.sessions import FAILS

PUBLISH = "load.setup sim.checkpoint publish"


def ended(text: str, failing: str, *, acts: tuple[str, ...] = ()) -> Job:
    """The job after that attempt has failed, and what was done to it then."""
    coordinator = Coordinator(job_of(text), {failing: FAILS})
    coordinator.drive()
    for act in acts:
        coordinator.act(act)
    return coordinator.job


def with_change(job: Job, of: str, **fields: object) -> Job:
    """The same job, described otherwise."""

    def changed(part: Script | Session) -> Script | Session:
        return replace(part, **fields) if part.name == of else part  # type: ignore[arg-type]

    scripts = tuple(part for part in map(changed, job.scripts) if isinstance(part, Script))
    sessions = tuple(part for part in map(changed, job.sessions) if isinstance(part, Session))
    return Job(job.id, scripts, sessions, job.deadline_seconds)


SHOT = {"parameters": {"shot": "020"}}
NO_HYTHON = {"interpreter": ("hython",)}
NEW_IMAGE = {"platform": {"image": "houdini:21"}}
MORE_MEMORY = {"platform": {"resources": {"limits": {"memory": "32Gi"}}}}


@pytest.mark.parametrize(
    ("text", "failing", "of", "fields", "from_script", "why"),
    [
        (
            PUBLISH,
            "publish:1",
            "load",
            SHOT,
            "",
            "args.shot of script 'load' was changed, but 'sim'",
        ),
        (PUBLISH, "publish:1", "load", {"work": Source("x = 1")}, "", "source of script 'load'"),
        (PUBLISH, "publish:1", "load", {"work": LibraryScript("x")}, "", "scriptRef of script 'lo"),
        (PUBLISH, "publish:1", "s1", NO_HYTHON, "", "interpreter of session 's1' was changed"),
        (PUBLISH, "publish:1", "load", SHOT, "publish", "a checkpoint that is kept"),
        (PUBLISH, "publish:1", "sim", SHOT, "", "that script is done and does not run again"),
        # The last of two checkpoints is made from what the first one stands on.
        ("load.setup a.checkpoint b.checkpoint c", "c:1", "load", SHOT, "", "'a', a checkpoint"),
        ("load.setup a.checkpoint b.checkpoint c", "c:1", "load", SHOT, "b", "'a', a checkpoint"),
        (PUBLISH, "publish:1", "s1", NEW_IMAGE, "", "image of session 's1' was changed, but 'sim'"),
        # A session that is done is never replayed, so nothing of it may change.
        ("load ; render", "render:1", "s1", MORE_MEMORY, "", "no script of that session runs"),
        ("load save ; render", "render:1", "load", SHOT, "", "does not run again"),
    ],
)
def test_changes_that_a_resume_refuses(
    text: str, failing: str, of: str, fields: dict[str, object], from_script: str, why: str
) -> None:
    job = ended(text, failing)
    assert why in why_not_resumable(job, with_change(job, of, **fields).definition, from_script)


@pytest.mark.parametrize(
    ("text", "failing", "of", "fields", "from_script"),
    [
        (PUBLISH, "publish:1", "publish", SHOT, ""),
        (PUBLISH, "publish:1", "load", {}, ""),
        # The resume starts at it, or before it.
        (PUBLISH, "publish:1", "load", SHOT, "load"),
        (PUBLISH, "publish:1", "load", SHOT, "sim"),
        (PUBLISH, "publish:1", "s1", NO_HYTHON, "load"),
        # The checkpoint did not succeed, or was skipped: it does not forbid changes.
        (PUBLISH, "sim:1", "load", SHOT, ""),
        (PUBLISH, "sim:1", "s1", NO_HYTHON, ""),
        # Without a checkpoint all of the session runs again.
        ("load do save", "save:1", "load", SHOT, ""),
        # Sessions share no memory.
        ("load sim.checkpoint ; open.setup render", "render:1", "open", SHOT, ""),
        ("load sim.checkpoint ; open.setup render", "render:1", "s2", NO_HYTHON, ""),
        # Results do not depend on timeouts.
        (PUBLISH, "publish:1", "load", {"timeout_seconds": 9}, ""),
        (PUBLISH, "publish:1", "load", {"idle_timeout_seconds": 9}, ""),
        (PUBLISH, "publish:1", "s1", {"start_timeout_seconds": 9}, ""),
        (PUBLISH, "publish:1", "s1", MORE_MEMORY, ""),
        (PUBLISH, "publish:1", "s1", NEW_IMAGE, "load"),
    ],
)
def test_changes_that_a_resume_accepts(
    text: str, failing: str, of: str, fields: dict[str, object], from_script: str
) -> None:
    job = ended(text, failing)
    assert why_not_resumable(job, with_change(job, of, **fields).definition, from_script) == ""


def test_a_skipped_checkpoint_forbids_no_change() -> None:
    job = ended("load.setup sim.checkpoint publish", "sim:1", acts=("skip sim",))
    assert why_not_resumable(job, with_change(job, "load", **SHOT).definition) == ""


RESHAPED: list[tuple[Callable[[Job], Job], str]] = [
    (lambda _: job_of("a b c"), "script c was added"),
    (lambda _: job_of("a"), "script b was removed"),
    (lambda _: job_of("a c"), "script c was added and b was removed"),
    (lambda _: job_of("b a"), "the scripts stand in another order"),
    (lambda _: job_of("a b ; c"), "script c was added"),
    (lambda job: Job("job", job.scripts, (*job.sessions, Session("s2"))), "session s2 was added"),
]


@pytest.mark.parametrize(("other", "why"), RESHAPED, ids=[why for _, why in RESHAPED])
def test_scripts_and_sessions_stay_the_same(other: Callable[[Job], Job], why: str) -> None:
    job = ended("a b", "b:1")
    assert why_not_resumable(job, other(job).definition) == why


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["load.args.a"]),
        ({"a": 1}, {"a": 1.0}, ["load.args.a"]),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": 0}]}, ["load.args.a"]),
        ({"a": 1, "b": 2}, {"b": 2, "c": None}, ["load.args.a", "load.args.c"]),
    ],
)
def test_arguments_are_named_one_by_one(
    was: dict[str, object], now: dict[str, object], told: list[str]
) -> None:
    job = with_change(job_of("load"), "load", parameters=was)
    assert [*map(str, changes(job, with_change(job, "load", parameters=now).definition))] == told


def test_fields_are_named_as_their_author_writes_them() -> None:
    job = job_of("load")
    changed = with_change(with_change(job, "load", timeout_seconds=3), "s1", retry_lost=1)
    changed = with_change(changed, "s1", lost_backoff_seconds=9)
    changed.deadline_seconds = 60
    assert [*map(str, changes(job, changed.definition))] == [
        "load.timeoutSeconds",
        "s1.onInterrupted",
        "activeDeadlineSeconds",
    ]
