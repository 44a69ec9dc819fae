"""Bodies of the routes that act on a job, which are refused before anybody looks at the job."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.resources import EMPTY

pytestmark = pytest.mark.anyio
RESUME = "/resume-job"
ALONE = "is not taken over HTTP, where the script library alone decides what runs"
LONG = "x" * 600


def script(**fields: object) -> dict[str, object]:
    return {"scripts": [{"name": "simulate", **fields}]}


def session(**fields: object) -> dict[str, object]:
    return {"sessions": [{"name": "main", **fields}]}


MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    (RESUME, {"jobid": 1}, "jobid: must be a string"),
    (RESUME, {"why": LONG}, "why: must have at most 256 characters"),
    (RESUME, {"why": "two\nlines"}, "why: write one line, without control characters"),
    (RESUME, {"by": "ann"}, "by: is not a field of this body"),
    (RESUME, {"from_script": "simulate"}, "from_script: is not a field of this body"),
    (RESUME, {"from": "Simulate"}, "from: use lower-case letters, digits and '-'"),
    (RESUME, {"from": "a", "skip": ["a"]}, "from is in skip, too: take it out of one of the two"),
    (RESUME, {"skip": "simulate"}, "skip: must be a list"),
    (RESUME, {"skip": ["a", "a"]}, "skip has a more than once: remove all but one"),
    (RESUME, {"scripts": ["simulate"]}, "scripts[0]: must be an object"),
    (RESUME, {"scripts": [{"args": {}}]}, "scripts[0].name: is missing"),
    (RESUME, script(arg={}), "scripts[0].arg: is not a field of this body"),
    (RESUME, script(args=[]), "scripts[0].args: must be an object"),
    (RESUME, script(args={"": 1}), "scripts[0].args.: must not be empty"),
    (RESUME, script(timeoutSeconds=0), "scripts[0].timeoutSeconds: must be at least 1"),
    (RESUME, script(timeoutSeconds="1"), "scripts[0].timeoutSeconds: must be a whole number"),
    (RESUME, script(retries={"limit": 101}), "scripts[0].retries.limit: must be at most 100"),
    (RESUME, script(retries={"limits": 1}), "scripts[0].retries.limits: is not a field of"),
    (RESUME, script(args={"a": 1}, unsetArgs=["a"]), "scripts[simulate].unsetArgs has a, which is"),
    (RESUME, script(source="def main(): pass"), f"scripts[simulate].source {ALONE}"),
    (RESUME, session(image="studio/houdini"), f"sessions[main].image {ALONE}"),
    (RESUME, session(interpreter=["sh"]), f"sessions[main].interpreter {ALONE}"),
    (RESUME, session(env=[]), f"sessions[main].env {ALONE}"),
    (RESUME, session(tolerations=[{"operator": 1}]), "sessions[0].tolerations[0].operator: m"),
    (RESUME, session(tolerations=[EMPTY]), "sessions[main].tolerations[0] has no key"),
    ("/pause-job", {"after": 1}, "after: must be a string"),
    ("/pause-job", {"from": "simulate"}, "from: is not a field of this body"),
    ("/retry-job", {"script": "simulate"}, "script: is not a field of this body"),
    ("/skip-script", {}, "script: is missing"),
    ("/cancel-job", {"when": "now"}, "when: is not a field of this body"),
]  # fmt: skip


@pytest.mark.parametrize(("route", "fields", "sentence"), MALFORMED)
async def test_the_sentence_names_the_field(
    api: Api, route: str, fields: dict[str, Any], sentence: str
) -> None:
    answer = await api.post(route, {"jobid": "shot", **fields})
    assert (answer.status_code, [*answer.json()]) == (422, ["error"])
    assert answer.json()["error"].startswith(sentence)


@pytest.mark.parametrize("route", [RESUME, "/skip-script"])
async def test_what_is_no_object_gets_an_example(api: Api, route: str) -> None:
    script = ', "script": "<script>"' if route == "/skip-script" else ""
    answer = await api.post(route, [])
    sentence = f'the body must be a JSON object, such as {{"jobid": "<jobid>"{script}}}'
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


async def test_arguments_are_json(api: Api) -> None:
    for value, sentence in (
        ("NaN", "holds a number that is not finite, which is not JSON"),
        (r'"\ud800"', "holds a string that is not valid Unicode"),
    ):
        content = (
            f'{{"jobid": "shot", "scripts": [{{"name": "simulate", "args": {{"a": {value}}}}}]}}'
        )
        headers = {"Content-Type": "application/json"}
        answer = await api.http.post(RESUME, content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (422, f"scripts[0]: {sentence}")


async def test_a_key_is_bounded(api: Api) -> None:
    headers = {"Idempotency-Key": LONG}
    answer = await api.http.post(RESUME, json={"jobid": "shot"}, headers=headers)
    sentence = "Idempotency-Key: must have at most 255 characters"
    assert (answer.status_code, answer.json()["error"]) == (422, sentence)
