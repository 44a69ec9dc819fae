"""What the gateway refuses, and the sentences that it gives."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import cast

import pytest

from enso_operator.http_api.app import Reach
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.port import Jobs
from job_execution_framework.domain.errors import NoAnswer
from job_execution_framework.domain.values import TOO_DEEP
from tests.support.api import Api, Served

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
EXAMPLE = 'such as {"instructions": [["example_script", {"arg1": "value1"}]]}'
PAIR = "must be a pair, [the script's name, an object with its parameters]"
OBJECT = "must be an object with the script's parameters"


def deep(levels: int) -> str:
    return f'{{"instructions": [["say", {{"a": {"[" * levels}{"]" * levels}}}]]}}'


UNFIT = [
    (400, "{", "the body is not JSON: "),
    (400, '{"instructions": \udcff}', "the body cannot be read as JSON"),
    (400, "[" * 100, "the body is not JSON: "),
    (422, "[" * 100_000, f"the body {TOO_DEEP}"),
    (422, deep(1_200), f"the body {TOO_DEEP}"),
    (422, deep(65), f"script 'say': parameter 'a' {TOO_DEEP}"),
    (422, '{"instructions": [], "instructions": []}', "the body: 'instructions' is written twice"),
    (422, '{"instructions": [["say", {"a": 1, "a": 2}]]}', "the body: 'a' is written twice in one"),
    (422, "", f"the body must be a JSON object, {EXAMPLE}"),
    (422, "[]", f"the body must be a JSON object, {EXAMPLE}"),
    (422, "{}", "instructions: is missing"),
    (422, '{"instructions": {}}', f"instructions: must be a list; each of its items {PAIR}"),
    (422, '{"instructions": []}', "instructions: must hold at least one instruction"),
    (422, '{"instructions": [["say", {}]], "when": 1}', "when: is not a field of this body"),
]
UNFIT_INSTRUCTION = [
    ('"say"', f"[0]: {PAIR}"),
    ('["say"]', f"[0][1]: {OBJECT}"),
    ('["say", {}, 1]', f"[0]: {PAIR}"),
    ('["say", {}], ["say", 1]', f"[1][1]: {OBJECT}"),
    ("[1, {}]", "[0][0]: must be a string"),
    ('["", {}]', "[0][0]: must be the name of a script in the library: at most 63 ASCII"),
    ('["../say", {}]', "[0][0]: must be the name of a script in the library: at most 63 ASCII"),
    ('["os:system", {}]', "[0][0]: must be the name of a script in the library; references with"),
    ('["say", {"a": NaN}]', "[0][1]: holds a number that is not finite"),
    ('["say", {"a": 1e999}]', "[0][1]: holds a number that is not finite"),
    (r'["say", {"a": "\ud800"}]', "[0][1]: holds a string that is not valid Unicode"),
    (r'["say", {"\ud800": 1}]', "[0][1]: holds a string that is not valid Unicode"),
    (", ".join(['["say", {}]'] * 101), ": must hold at most 100 instructions"),
]  # fmt: skip
MALFORMED = UNFIT + [
    (422, f'{{"instructions": [{instruction}]}}', f"instructions{sentence}")
    for instruction, sentence in UNFIT_INSTRUCTION
]


@pytest.mark.parametrize(("status", "body", "sentence"), MALFORMED)
async def test_a_malformed_body(api: Api, status: int, body: str, sentence: str) -> None:
    content = body.encode("utf-8", "surrogateescape")
    answer = await api.http.post("/add-job", content=content, headers=JSON)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert answer.json()["error"].startswith(sentence)
    assert await api.jobs() == {}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "jobid: is missing"),
        ([], 'the body must be a JSON object, such as {"jobid": "<jobid>"}'),
        ({"jobid": 1}, "jobid: must be a string"),
        ({"jobid": "x", "now": True}, "now: is not a field of this body"),
    ],
)
async def test_execute_job_names_the_field_too(api: Api, body: object, sentence: str) -> None:
    answer = await api.post("/execute-job", body)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


async def test_no_value_is_repeated(api: Api) -> None:
    unfit = (
        '["os:system", {"command": "hunter2"}]',
        '["hunter2 ", {}]',
        '"hunter2"',
        "[{}, hunter2]",
    )
    for instruction in unfit:
        content = f'{{"instructions": [{instruction}]}}'
        answer = await api.http.post("/add-job", content=content, headers=JSON)
        assert answer.status_code in (400, 422)
        assert "hunter2" not in answer.text


async def test_unknown_jobs_and_paths(api: Api) -> None:
    for answer in (
        await api.get("/get-job/nobody"),
        await api.post("/execute-job", {"jobid": "nobody"}),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("there is no job 'nobody'; jobs are kept since")
    for path in ("/list-jobs/", "/get-job/", "/get-job/a/b", "/static-offline-docs/nothing"):
        answer = await api.get(path)
        assert (answer.status_code, list(answer.json())) == (404, ["error"])


async def test_a_wrong_method(api: Api) -> None:
    answer = await api.get("/add-job")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"].startswith("GET is not for this path; there are GET /list-jobs")


async def test_a_large_body_whether_or_not_it_says_how_large_it_is(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    for content in (b" " * 2_000_000, chunks()):
        answer = await api.http.post("/add-job", content=content, headers=JSON)
        assert answer.status_code == 413
        assert answer.json() == {"error": "the body is larger than 1048576 bytes"}


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_what_a_page_can_send_to_other_sites(api: Api, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    body = b'{"instructions": [["say", {}]]}'
    answer = await api.http.post("/add-job", content=body, headers=headers)
    assert answer.status_code == 415
    assert re.search("send the header 'Content-Type: application/json'", answer.json()["error"])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:5005", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:5005", 200),
        ("[::1]:5005", 200),
        ("[::1]", 200),
        ("evil.example:5005", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ],
)
async def test_a_name_that_others_bound_to_this_machine(api: Api, host: str, status: int) -> None:
    assert (await api.get("/list-jobs", Host=host)).status_code == status


async def test_any_name_is_answered_where_a_host_was_configured(served: Served) -> None:
    api = await served.over(EmbeddedJobs(), Reach(hosts=None))
    assert (await api.get("/list-jobs", Host="render-12")).status_code == 200


async def test_something_of_ours_that_breaks_is_a_sentence_too(served: Served) -> None:
    api = await served.over(cast("Jobs", None))
    answer = await api.get("/list-jobs")
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("something of enso's own broke")


class Silent(EmbeddedJobs):
    async def list(self) -> list[tuple[str, str]]:
        raise NoAnswer("the API server did not answer")


async def test_a_kind_of_what_is_unavailable_is_told_as_that(served: Served) -> None:
    answer = await (await served.over(Silent())).get("/list-jobs")
    assert (answer.status_code, answer.json()) == (503, {"error": "the API server did not answer"})


async def test_of_many_arguments_that_a_script_does_not_take_the_first_are_told(api: Api) -> None:
    arguments = {f"other_{number}": number for number in range(100)}
    answer = await api.post("/add-job", {"instructions": [["typed", {"frames": 1, **arguments}]]})
    assert answer.status_code == 422
    told = answer.json()["error"].split("; ")
    assert [sentence.count("is nothing that typed takes") for sentence in told] == [*[1] * 10, 0]
    assert told[-1] == "and 90 more of this kind"


async def test_arguments_that_scripts_do_not_take_are_all_told_before_the_job_is_added(
    api: Api,
) -> None:
    instructions: list[object] = [
        ["typed", {"frames": "240", "y": 1}],
        ["say", {}],
        ["typed", {}],
    ]
    answer = await api.post("/add-job", {"instructions": instructions})
    assert (answer.status_code, answer.json()) == (
        422,
        {
            "error": "script 'typed': argument 'frames' is \"240\", a string, but takes an "
            "integer: write it without quotes; script 'typed': argument 'y' is nothing that typed "
            "takes: it takes frames; script 'typed-2': argument 'frames' is missing: it takes an "
            "integer"
        },
    )
    assert await api.jobs() == {}
