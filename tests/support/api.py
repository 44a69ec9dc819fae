"""The HTTP API in this process, over jobs that really run, in child processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from httpx2 import ASGITransport, AsyncClient, Response

from enso_operator.http_api.app import Reach, create_app
from enso_operator.http_api.auth.viewer import Everybody, Viewers
from enso_operator.http_api.memory_backend import EmbeddedJobs, Limits
from enso_operator.http_api.port import Jobs
from job_execution_framework.service_layer.library import Library, ScriptLibrary
from tests.support.eventually import until_async

SCRIPTS = {
    "say": """
def main(text=""):
    print(text)
    return {"said": text}
""",
    "fail": """
def main(frames):
    raise MemoryError(f"cache exceeded {frames} GiB")
""",
    "needs": """
import pathlib
def main(path):
    pathlib.Path(path).read_text()
""",
    "refuse": """
def main(**given):
    raise ValueError(f"{len(given)} are too many")
""",
    "simulate": """
def main(substeps):
    if substeps < 4:
        raise ValueError(f"{substeps} substeps are too few")
""",
    "typed": """
def main(frames: int):
    print(frames)
""",
    "leave": """
import sys
def main():
    sys.exit(3)
""",
    "returns_much": """
def main():
    return [[]] * 1000
""",
    "odd_output": r"""
def main():
    return "\ud800"
""",
    "wait_for": """
import pathlib, signal, time
def main(path, stubborn=False):
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path(path + ".waiting").touch()
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
""",
}
"""The script library of these tests."""


@dataclass
class Api:
    """A client of the HTTP API, with the requests that many tests make."""

    http: AsyncClient

    async def get(self, path: str, **headers: str) -> Response:
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, document: object) -> Response:
        return await self.http.post(path, json=document)

    async def add(self, *instructions: Sequence[str | Mapping[str, object]]) -> str:
        answer = await self.post("/add-job", {"instructions": instructions})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["jobid"])

    async def execute(self, jobid: str) -> None:
        answer = await self.post("/execute-job", {"jobid": jobid})
        assert answer.status_code == 202, answer.text
        assert answer.json()["jobid"] == jobid

    async def act(self, path: str, jobid: str, **fields: object) -> dict[str, Any]:
        """Ask something of a job that it must not refuse; return the answer."""
        answer = await self.post(path, {"jobid": jobid, **fields})
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    async def refusal(self, path: str, jobid: str, **fields: object) -> str:
        """Ask something of a job that it must refuse; return the sentence."""
        answer = await self.post(path, {"jobid": jobid, **fields})
        assert answer.status_code == 409, answer.text
        return str(answer.json()["error"])

    async def job(self, jobid: str) -> dict[str, Any]:
        return cast("dict[str, Any]", (await self.get(f"/get-job/{jobid}")).json())

    async def jobs(self) -> dict[str, str]:
        return {
            listed["jobid"]: listed["state"] for listed in (await self.get("/list-jobs")).json()
        }

    async def ended(self, jobid: str) -> dict[str, Any]:
        return await self.becomes(jobid, "Succeeded", "Failed", "Cancelled")

    async def becomes(self, jobid: str, *states: str) -> dict[str, Any]:
        async def is_so() -> bool:
            return (await self.jobs())[jobid] in states

        await until_async(is_so)
        return await self.job(jobid)

    async def starts(self, jobid: str) -> None:
        """Return when the job's first script has started."""

        async def is_running() -> bool:
            return bool((await self.job(jobid))["scripts"][0]["state"] == "Running")

        await until_async(is_running)


@dataclass
class Served:
    """Makes servers and clients, which are closed with the test."""

    stack: AsyncExitStack
    library: Library

    @classmethod
    def scripts(cls, stack: AsyncExitStack, folder: Path) -> Served:
        for name, source in SCRIPTS.items():
            (folder / f"{name}.py").write_text(source)
        return cls(stack, ScriptLibrary([folder]))

    async def api(self, limits: Limits | None = None, library: Library | None = None) -> Api:
        jobs = EmbeddedJobs(library or self.library, limits)
        return await self.over(await self.stack.enter_async_context(jobs))

    async def over(self, backend: Jobs, reach: Reach | None = None) -> Api:
        return await self.seen_by(Everybody(backend), reach)

    async def seen_by(self, viewers: Viewers, reach: Reach | None = None) -> Api:
        app = create_app(viewers, reach or Reach())
        transport = ASGITransport(app, raise_app_exceptions=False)
        client = AsyncClient(transport=transport, base_url="http://localhost:5005")
        return Api(await self.stack.enter_async_context(client))


async def running(api: Api, gate: Path) -> str:
    """Return a job whose first script runs until the file `gate` is there."""
    jobid = await api.add(["wait_for", {"path": str(gate)}], ["say", {}], ["say", {}])
    await api.execute(jobid)
    await api.starts(jobid)
    return jobid
