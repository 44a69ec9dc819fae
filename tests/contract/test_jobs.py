"""The contract of the HTTP API's port: what a page is shown of jobs, and may do to them.

Run with jobs in memory; tests/cluster runs the same tests over a real API server and an operator.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.http_api.memory_backend import EmbeddedJobs
from enso_operator.http_api.outlook import Outlook
from enso_operator.http_api.port import Jobs
from enso_operator.http_api.rows import JobRow
from enso_operator.manifests.template_folder import TemplateFolder
from job_execution_framework.domain.errors import JobNotFound
from job_execution_framework.domain.parameters import Parameter, Type
from job_execution_framework.service_layer.library import ScriptLibrary
from tests.support.eventually import until_async
from tests.support.templates import template

pytestmark = pytest.mark.anyio
LIBRARY = {
    "say": "def main(text=''):\n    print(text)\n",
    "simulate": """
def main(substeps: int):
    print("simulating", substeps, flush=True)
    if substeps < 4:
        raise ValueError(f"{substeps} substeps are too few")
""",
    "bake": "def main(frames: int, cache: str = '/cache'):\n    raise ValueError('it is full')\n",
}
"""The script library of these tests."""
TEMPLATE = template(
    {"name": "say", "scriptRef": {"name": "say"}, "args": {"text": "$(params.shot)"}}
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(name="jobs")
async def _in_memory(tmp_path: Path) -> AsyncIterator[Jobs]:
    for name, source in LIBRARY.items():
        (tmp_path / f"{name}.py").write_text(source)
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "publish.json").write_text(json.dumps(TEMPLATE))
    library = ScriptLibrary([tmp_path])
    async with EmbeddedJobs(library, templates=TemplateFolder(templates)) as jobs:
        yield jobs


def resume(job_id: str, **fields: object) -> EnsoActionSpec:
    document = {"job": job_id, "verb": "resume", **({"resume": fields} if fields else {})}
    return EnsoActionSpec.model_validate(document)


async def row_of(jobs: Jobs, job_id: str) -> JobRow:
    (row,) = [row for row in (await jobs.rows()).rows if row.name == job_id]
    return row


async def ended(jobs: Jobs, job_id: str, *states: str) -> JobRow:
    """Return the row of a job that was executed, once its state is one of these."""

    async def has_ended() -> bool:
        return (await row_of(jobs, job_id)).state in (states or ("Succeeded", "Failed"))

    await until_async(has_ended)
    return await row_of(jobs, job_id)


def takes(outlook: Outlook, script: str) -> tuple[Parameter, ...]:
    parameters = outlook.takes[script]
    assert parameters is not None
    return parameters.listed


async def failed(jobs: Jobs) -> str:
    job_id = await jobs.add([("say", {"text": "hello"}), ("simulate", {"substeps": 2})])
    await jobs.execute(job_id)
    assert (await ended(jobs, job_id)).state == "Failed"
    return job_id


async def test_without_jobs_there_are_no_rows(jobs: Jobs) -> None:
    rows = await jobs.rows()
    assert (rows.rows, rows.is_complete) == ((), True)


async def test_a_row_says_how_far_its_job_came_and_why_no_further(jobs: Jobs) -> None:
    row = await row_of(jobs, await failed(jobs))
    assert (row.state, row.done, row.script) == ("Failed", "1/2", "simulate")
    assert row.reason == "Exception"


async def test_the_defaults_are_known_that_a_script_had_got_as_it_failed(jobs: Jobs) -> None:
    job_id = await jobs.add([("bake", {"frames": 3})])
    await jobs.execute(job_id)
    await ended(jobs, job_id)
    job = (await jobs.get(job_id)).job
    assert job
    assert await jobs.defaults(job) == {"cache": "/cache"}


async def test_what_was_done_is_seen_at_once_in_the_order_of_age(jobs: Jobs) -> None:
    assert (await jobs.rows()).rows == ()
    first, second = await jobs.add([("say", {})]), await jobs.add([("say", {})])
    listed = await jobs.rows()
    assert {row.name for row in listed.rows} == {first, second}
    assert [*listed.rows] == sorted(
        listed.rows, key=lambda row: (-row.created, row.namespace, row.name)
    )
    assert {job_id for job_id, _ in await jobs.list()} == {first, second}


async def test_who_listens_is_told_of_each_change_until_the_end(jobs: Jobs) -> None:
    job_id, other = await jobs.add([("say", {})]), await jobs.add([("say", {})])
    of_all, of_one, of_other = jobs.changes(), jobs.changes(job_id), jobs.changes(other)
    async with aclosing(of_all), aclosing(of_one), aclosing(of_other), asyncio.timeout(60):
        for changes in (of_all, of_one, of_other):
            await anext(changes)
        await jobs.execute(job_id)
        states = list[str]()
        while "Succeeded" not in states:
            await anext(of_one)
            states.append((await row_of(jobs, job_id)).state)
        await anext(of_all)
        assert (await row_of(jobs, job_id)).state == "Succeeded"
        assert (await row_of(jobs, other)).state in ("Waiting", "Suspended")


async def test_a_resume_is_foretold_and_then_does_just_that(jobs: Jobs) -> None:
    job_id = await failed(jobs)
    outlook = await jobs.outlook(resume(job_id))
    fates = [(script.script.name, script.fate.value) for script in outlook.scripts]
    assert (outlook.why_not, fates) == ("", [("say", "runs again"), ("simulate", "runs")])
    assert [parameter.type for parameter in takes(outlook, "simulate")] == [Type.INTEGER]

    changed = resume(job_id, scripts=[{"name": "simulate", "args": {"substeps": 4}}])
    assert (await jobs.outlook(changed)).changes == ("simulate.args.substeps",)
    assert (await row_of(jobs, job_id)).state == "Failed"
    await jobs.act(changed, "")
    assert (await ended(jobs, job_id, "Succeeded")).done == "2/2"
    snapshot = await jobs.get(job_id)
    assert snapshot.job
    assert snapshot.job.rows["simulate"].attempt == 2


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"scripts": [{"name": "simulate", "args": {"substeps": "4"}}]}, 'is "4", a string'),
        ({"scripts": [{"name": "nope", "args": {"a": 1}}]}, "there is no script 'nope'"),
        ({"from": "nope"}, "nope"),
        ({"skip": ["simulate", "simulate"]}, "simulate"),
    ],
)
async def test_a_resume_that_is_not_possible_says_why(
    jobs: Jobs, fields: dict[str, object], why: str
) -> None:
    job_id = await failed(jobs)
    outlook = await jobs.outlook(resume(job_id, **fields))
    assert why in outlook.why_not
    assert outlook.takes
    untouched = (await jobs.outlook(resume(job_id))).scripts
    plan = [(told.script.name, told.fate, told.why) for told in outlook.scripts]
    assert plan == [(told.script.name, told.fate, told.why) for told in untouched]


async def test_the_manifest_has_what_a_resume_has_changed(jobs: Jobs) -> None:
    job_id = await failed(jobs)
    before = (await jobs.manifests(job_id)).present["spec"]["scripts"]
    assert before[1]["args"] == {"substeps": 2}
    changed = resume(job_id, scripts=[{"name": "simulate", "args": {"substeps": 4}}])
    await jobs.act(changed, "")
    await ended(jobs, job_id, "Succeeded")
    manifests = await jobs.manifests(job_id)
    assert manifests.present["metadata"]["name"] == job_id
    assert manifests.present["spec"]["scripts"][1]["args"] == {"substeps": 4}
    if manifests.applied:  # in memory it is not kept
        assert manifests.applied["spec"]["scripts"][1]["args"] == {"substeps": 2}
    with pytest.raises(JobNotFound):
        await jobs.manifests("nope")


async def test_what_has_not_ended_is_not_resumed(jobs: Jobs) -> None:
    job_id = await jobs.add([("say", {})])
    assert job_id in (await jobs.outlook(resume(job_id))).why_not
    with pytest.raises(JobNotFound):
        await jobs.outlook(resume("nope"))


async def test_the_library_says_what_scripts_take(jobs: Jobs) -> None:
    offers = {offer.name: offer for offer in await jobs.library()}
    assert {"say", "simulate", "example_script"} <= offers.keys()
    parameters = offers["simulate"].takes
    assert parameters is not None
    assert [parameter.name for parameter in parameters.listed] == ["substeps"]
    assert not any(offers[name].problem for name in LIBRARY)


async def test_the_templates_say_what_they_take_and_are_run(jobs: Jobs) -> None:
    (offer,) = await jobs.templates()
    assert (offer.name, offer.problem) == ("publish", "")
    assert offer.takes is not None
    assert [parameter.name for parameter in offer.takes.listed] == ["shot", "frames"]
    job_id = await jobs.add_run("publish", {"shot": "010"})
    await jobs.execute(job_id)
    assert (await ended(jobs, job_id)).state == "Succeeded"
