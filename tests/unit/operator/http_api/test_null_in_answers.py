"""What may be null in an answer is so in the OpenAPI document, and in the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import Api

pytestmark = pytest.mark.anyio
REFERENCE = Path(__file__).parents[4] / "docs" / "reference" / "http.md"


async def test_a_job_that_has_not_failed_answers_as_the_schema_says(api: Api) -> None:
    job = await api.job(await api.add(["say", {}]))
    shown = (await api.get("/openapi.json")).json()["components"]["schemas"]
    nulls = [("JobShown", name) for name, value in job.items() if value is None]
    nulls += [("ScriptShown", name) for name, value in job["scripts"][0].items() if value is None]
    assert ("JobShown", "failure") in nulls
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    for model, name in nulls:
        field = shown[model]["properties"][name]
        takes_any = not {"type", "anyOf"} & field.keys()
        assert takes_any or {"type": "null"} in field["anyOf"]
        rows = [line for line in lines if line.startswith(f"| `{name}` |") and "required" in line]
        assert any("or null" in row or "any JSON" in row for row in rows), name
