"""A Secret's value is nowhere but in the Secret, and in what a script itself printed."""

from __future__ import annotations

import pytest
from dev.host.places import HOME

from tests.cluster.served import served
from tests.node.jobs.one_job import OneJob
from tests.node.jobs.written import container, script
from tests.support.canary import LOGIN, PRINTS, TELLS, WAYS, Canary

pytestmark = pytest.mark.anyio
SECRET = {"name": "tracker", "key": "token"}
FROM_ENVIRONMENT = """
import enso, os
def main():
    enso.shared["token"] = os.environ["LICENCE"]
"""
READ = "ensojobs", "events", "configmaps", "pods", "leases", "controllerrevisions"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_secret_is_nowhere_but_in_itself_and_in_what_a_script_printed(job: OneJob) -> None:
    """The Secret is used as an argument, a session's variable and a container's variable."""
    canary, alone = Canary(), job.another("alone")
    literal = f"--from-literal=token={canary.value}"
    job.kubectl("create", "secret", "generic", SECRET["name"], literal)
    of_secret = {"valueFrom": {"secretKeyRef": SECRET}}
    retries = {"limit": WAYS}
    job.run(
        script("login", LOGIN, argsFrom=[{"name": "token", "secretKeyRef": SECRET}]),
        script("tells", TELLS, retries=retries),
        script("login-again", FROM_ENVIRONMENT, session="licensed"),
        script("tells-again", TELLS, retries=retries, session="licensed"),
        script("prints", PRINTS, session="licensed"),
        sessions=[
            {"name": "argument"},
            {"name": "licensed", "env": [{"name": "LICENCE", **of_secret}]},
        ],
    )
    printing = "import os, sys; print('PRINTED', os.environ['TOKEN']); sys.exit(3)"
    environment = [{"name": "TOKEN", **of_secret}]
    alone.run(container("alone", "python3", "-c", printing, env=environment))
    verdict, other = job.fails(), alone.fails()

    assert [row[:2] for row in verdict.rows.values()] == [
        *(("Succeeded", 1), ("Succeeded", WAYS + 1)) * 2,
        ("Failed", 1),
    ]
    assert "RuntimeError: with ***" in verdict.line
    assert "PRINTED ***" in verdict.why
    assert "exited with code 3" in other.line
    outputs = [job.output(pod["metadata"]["name"]) for pod in [*job.pods(), *alone.pods()]]
    assert not canary.found_in_output("\n".join(outputs))
    told = [job.kubectl("get", kind, "-o", "json") for kind in READ]
    told += [job.kubectl("describe", kind) for kind in ("ensojobs", "pods", "events")]
    told += [job.kubectl("logs", pod["metadata"]["name"], "-c", "records") for pod in job.pods()]
    told += [job.house.operator.log_text, job.house.operator.http_get("/metrics")[1]]
    told += [file.read_text("utf-8", "replace") for file in (HOME / "logs").glob("*.log")]
    async with served(job.objects) as api:
        for path in ("/list-jobs", f"/get-job/{job.name}", f"/get-job/{alone.name}"):
            answer = await api.get(path)
            assert answer.status_code == 200
            told.append(answer.text)
    assert not [place for text in told for place in canary.found_in(text)]
    secret = f"/registry/secrets/{job.namespace}/{SECRET['name']}"
    assert canary.keys_in(job.cluster.folder / "etcd") == {secret}
