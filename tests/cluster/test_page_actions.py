"""What people do on pages over a real API server: their forms become EnsoActions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape

import pytest

from enso_operator.http_api import cluster_backend
from enso_operator.kube.ensoaction import ACTIONS
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.served import served
from tests.contract.test_jobs import LIBRARY, TEMPLATE
from tests.support.api import Api
from tests.support.eventually import until_async
from tests.support.operators import Operators
from tests.support.resources import library_script
from tests.unit.operator.http_api.web.test_actions import Browser, buttons

pytestmark = pytest.mark.anyio
SUBSTEPS = {"name": "substeps", "type": "integer", "required": True, "minimum": 1}


@pytest.fixture
async def api(ns: ClusterNamespace) -> AsyncIterator[Api]:
    parameters = {"say": [{"name": "text"}], "simulate": [SUBSTEPS]}
    for name, declared in parameters.items():
        script = library_script(name, source=LIBRARY[name], parameters=declared)
        ns.objects.beside("ensoscripts").create(script)
    ns.objects.beside("ensojobtemplates").create(TEMPLATE)
    async with served(ns.objects) as api:
        yield api


async def test_a_failed_job_is_mended_in_its_form(
    ns: ClusterNamespace, operators: Operators, api: Api
) -> None:
    operators.ready()
    browser, jobid = Browser(api), await api.add(("simulate", {"substeps": 2}))
    assert buttons(await browser.page(f"/jobs/{jobid}"))[0] == ("Start", True)
    assert (await browser.send(f"/jobs/{jobid}/start")).status_code == 303
    await api.ended(jobid)

    form = await browser.page(f"/jobs/{jobid}/resume")
    assert "an integer of at least 1" in form
    refused = await browser.send(
        f"/jobs/{jobid}/resume", ("arg:simulate:substeps", "0"), ("do", "preview")
    )
    assert "This must be an integer of at least 1." in unescape(refused.text)
    entered = [("arg:simulate:substeps", "4"), ("why", "two were too few"), ("do", "resume")]
    sent = await browser.send(f"/jobs/{jobid}/resume", *entered)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/jobs/{jobid}")
    await api.becomes(jobid, "Succeeded")
    (action,) = ns.objects.beside(ACTIONS).each()
    assert (action["spec"]["verb"], action["spec"]["why"]) == ("resume", "two were too few")
    change = {"name": "simulate", "args": {"substeps": 4}}
    assert action["spec"]["resume"]["scripts"] == [change]
    page = await browser.page(f"/jobs/{jobid}")
    for told in (
        "two were too few",
        "resume, with changes: substeps of simulate: ",
        "resumed; it goes on at",
    ):
        assert told in page


async def test_a_template_is_started_from_its_form(operators: Operators, api: Api) -> None:
    operators.ready()
    sent = await Browser(api).send("/templates/publish", ("param:shot", "010"))
    assert sent.status_code == 303
    job = await api.ended(sent.headers["location"].removeprefix("/jobs/"))
    assert job["state"] == "Succeeded"
    assert job["scripts"][0]["parameters"] == {"text": "010"}


async def test_what_no_operator_has_done_yet_is_said(
    ns: ClusterNamespace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_backend, "ANSWER_SECONDS", 0.2)
    jobid = await api.add(("say", {}))
    asked = await Browser(api).send(f"/jobs/{jobid}/cancel", ("why", "a typo"))
    assert asked.status_code == 202
    assert "the operator has not acted on it yet" in asked.text
    (action,) = ns.objects.beside(ACTIONS).each()
    assert (action["spec"]["job"], action["spec"]["verb"]) == (jobid, "cancel")
    page = await Browser(api).page(f"/jobs/{jobid}")
    assert "nobody has acted on it yet" in page


async def test_a_job_that_its_spec_suspends_says_what_helps(
    ns: ClusterNamespace, operators: Operators, api: Api
) -> None:
    operators.ready()
    jobid, browser = await api.add(("say", {})), Browser(api)
    helps = f"kubectl -n {ns.namespace} patch ensojob {jobid}"

    async def is_said() -> bool:  # once the operator has seen it
        return helps in unescape(await browser.page(f"/jobs/{jobid}/resume"))

    await until_async(is_said)
