"""What a resume changes is told with the values, and no secret is among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from enso_operator.http_api.asked import asked_in
from enso_operator.http_api.port import JobSnapshot
from enso_operator.http_api.web.views.events import event_list
from enso_operator.http_api.web.views.requests import requests_in, requests_of
from enso_operator.kube.ensoaction import EnsoActionObject
from enso_operator.manifests.told_changes import MOST_CHANGES
from job_execution_framework.domain.actions import Pause, Resume
from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.script import LibraryScript, Script
from job_execution_framework.domain.secret import Secret
from tests.support.job_story import Story
from tests.support.resources import action

BROKE = Cause("Exception", "it broke")


def _failed(**parameters: object) -> Story:
    story = Story.of(Script("bake", LibraryScript("bake"), parameters))
    _fails(story)
    return story


def _fails(story: Story) -> None:
    story.opens("main-1", "bake")
    story.fails("bake", BROKE)
    story.job_fails("bake", BROKE)


def _resumes(story: Story, **parameters: object) -> None:
    (script,) = story.job.scripts
    wanted = Definition((replace(script, parameters=parameters),))
    story.job.obey(Resume(definition=wanted), story.at)


def _told(story: Story) -> list[str]:
    return [request.what for request in requests_of(story.job)]


def test_each_resume_tells_the_old_and_the_new_values() -> None:
    story = _failed(frames=1, note="two words")
    _resumes(story, frames=3, substeps=2)
    _fails(story)
    _resumes(story, frames=4, substeps=2)
    latest, first = _told(story)
    assert latest == "resume, with changes: frames of bake: 3 → 4"
    assert first == (
        "resume, with changes: frames of bake: 1 → 3; "
        'note of bake: "two words" → not given; substeps of bake: not given → 2'
    )


def test_the_page_of_all_events_tells_them_too() -> None:
    story = _failed(frames=1, token=Secret("hunter2"))
    story.job.obey(
        Resume(
            definition=Definition(
                (
                    replace(
                        story.job.scripts[0],
                        parameters={"frames": 3, "token": Secret("hunter3")},
                        timeout_seconds=60,
                    ),
                )
            ),
            why="too few",
        ),
        story.at,
    )
    (shown,) = [
        event
        for event in event_list(JobSnapshot("shot", "Running", None, story.job)).events
        if event.kind == "JobResumed"
    ]
    assert shown.details == (
        "changed frames of bake: 1 → 3; token of bake: ***; timeoutSeconds of bake; too few"
    )


def test_no_secret_is_told_and_a_long_value_is_cut() -> None:
    story = _failed(token=Secret("hunter2"), note="a" * 100)
    _resumes(story, token=Secret("hunter3"), note="b" * 100)
    (told,) = _told(story)
    assert "token of bake: ***; " in told
    assert "hunter" not in told
    assert "aaa… → " in told
    assert len(told) < 250


def test_many_changes_are_counted() -> None:
    story = _failed(**{f"a{number}": 1 for number in range(20)})
    _resumes(story, **{f"a{number}": 2 for number in range(20)})
    (told,) = _told(story)
    assert told.count("→") == MOST_CHANGES
    assert told.endswith(f"; {20 - MOST_CHANGES} more")


@pytest.mark.parametrize(
    ("happens", "word"),
    [
        pytest.param(Story.starts, "do not pause", id="it runs"),
        pytest.param(Story.succeeds, "resume", id="it has ended"),
    ],
)
def test_to_take_a_pause_back_is_called_as_its_button(
    happens: Callable[[Story, str], object], word: str
) -> None:
    story = Story.of(*(Script(name, LibraryScript(name)) for name in ("bake", "save")))
    story.opens("main-1", "bake", "save")
    happens(story, "bake")
    story.job.obey(Pause(), story.at)
    story.job.obey(Resume(), story.at)
    assert _told(story)[0] == word


def test_of_an_action_the_new_values_are_told() -> None:
    document = action("resume")
    document["metadata"] |= {
        "creationTimestamp": "2026-11-28T12:00:00Z",
        "uid": "u",
        "namespace": "shows",
    }
    change = {"name": "bake", "args": {"frames": 3, "token": "x1"}, "unsetArgs": ["note"]}
    document["spec"] |= {
        "resume": {"scripts": [change, {"name": "save", "timeoutSeconds": 3}]}
        | {"sessions": [{"name": "main", "image": "a"}]}
    }
    job = _failed(token=Secret("hunter2")).job
    (told,) = requests_in(asked_in([EnsoActionObject(document)], "uid-1"), job)
    assert told.what == (
        'resume, with changes: frames of bake: 3; token of bake: "***"; note of bake: not given; '
        "timeoutSeconds of save; main"
    )
