"""The files of the chart that manifests.py writes: CRDs, values and their schema, a dashboard."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from dev.chart.dashboard import dashboard
from dev.chart.values import Values
from dev.checkout import CHECKOUT
from pydantic import BaseModel

CHART = CHECKOUT / "deploy" / "helm" / "enso-executer"
CRDS = CHART / "files" / "crds"
WRITTEN = "Written by `make manifests` from dev/chart/values.py"
BEGIN, END = f"<!-- {WRITTEN} -->\n", "<!-- end -->\n"
WIDTH = 96


def generated(crds: Mapping[str, str]) -> dict[Path, str]:
    """Return the text of every file; in the README only the table is generated."""
    readme = CHART / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "| value | default | |\n|---|---|---|\n" + "".join(_rows(Values(), ""))
    return {
        **{CRDS / name: text for name, text in crds.items()},
        CHART / "values.yaml": f"# {WRITTEN}: change it there.\n" + "".join(_lines(Values(), "")),
        CHART / "values.schema.json": json.dumps(schema(), indent=2) + "\n",
        CHART / "files" / "monitoring" / "dashboard.json": dashboard(),
        readme: before + BEGIN + table + END + after,
    }


def schema() -> dict[str, Any]:
    """Return the JSON schema that helm checks values with."""
    made: dict[str, Any] = _untitled(Values.model_json_schema(by_alias=True))
    # helm adds `global` where another chart has this one as a dependency.
    made["properties"]["global"] = {"type": "object", "description": "Values of other charts."}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _untitled(part: Any) -> Any:  # noqa: ANN401  # JSON
    """Remove the titles, which only repeat the names of fields."""
    if isinstance(part, list):
        return [_untitled(item) for item in part]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(part, dict):
        return part
    return {
        key: _untitled(value)
        for key, value in part.items()  # pyright: ignore[reportUnknownVariableType]
        if not (key == "title" and isinstance(value, str))
    }


def _fields(values: BaseModel) -> Iterator[tuple[str, Any, str]]:
    """Yield the key, the default and the sentence of each value."""
    for name, info in type(values).model_fields.items():
        value: Any = getattr(values, name)
        about = type(value).__doc__ if isinstance(value, BaseModel) else info.description
        yield str(info.alias), value, " ".join(str(about).split())


def _lines(values: BaseModel, indent: str) -> Iterator[str]:
    """Yield the lines of values.yaml."""
    for key, value, about in _fields(values):
        if not indent:
            yield "\n"
        for line in textwrap.wrap(about, WIDTH - len(indent) - 2):
            yield f"{indent}# {line}\n"
        if isinstance(value, BaseModel):
            yield f"{indent}{key}:\n"
            yield from _lines(value, indent + "  ")
        else:
            yield textwrap.indent(yaml.safe_dump({key: value}, sort_keys=False), indent)


def _rows(values: BaseModel, above: str) -> Iterator[str]:
    """Yield the rows of the table in the README."""
    for key, value, about in _fields(values):
        if isinstance(value, BaseModel):
            yield f"| **{above}{key}** | | {about} |\n"
            yield from _rows(value, f"{above}{key}.")
        else:
            yield f"| `{above}{key}` | `{json.dumps(value)}` | {about} |\n"
