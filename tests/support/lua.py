"""Runs the Lua scripts of Argo CD's resource customizations as Argo CD does.

Argo CD gives them Lua 5.1 with the base, package and table libraries, os.time and os.date; there
is no `string`. What they return becomes JSON, in which an empty table is a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from lupa import lua51  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from tests.support.resources import Document

TAKEN = ("string", "math", "io", "debug", "coroutine", "python", "dofile", "loadfile")


def ran(script: Path, obj: Document, params: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  # JSON
    """Return what a script makes of an object. Raises LuaError with its sentence."""
    start: Any = lua51.LuaRuntime
    runtime = start(register_eval=False, register_builtins=False)
    variables = runtime.globals()
    for name in TAKEN:
        variables[name] = None
    os = variables.os
    variables.os = runtime.table_from({"time": os.time, "date": os.date})
    runtime.execute("getmetatable('').__index = nil")
    variables.obj = _table(runtime, obj)
    variables.actionParams = _table(runtime, dict(params or {}))
    return _json(runtime.execute(script.read_text()))


LuaError: type[Exception] = lua51.LuaError


def loaded(path: Path) -> Any:  # noqa: ANN401  # YAML
    return yaml.safe_load(path.read_text())


def _table(runtime: Any, value: object) -> object:  # noqa: ANN401  # untyped
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return runtime.table_from({key: _table(runtime, item) for key, item in pairs})
    if isinstance(value, list):
        return runtime.table_from([_table(runtime, each) for each in cast("list[object]", value)])
    return value


def _json(value: Any) -> Any:  # noqa: ANN401  # JSON
    if lua51.lua_type(value) != "table":
        return int(value) if isinstance(value, float) and value.is_integer() else value
    keys = [*value.keys()]
    if keys == [*range(1, len(keys) + 1)]:
        return [_json(value[key]) for key in keys]
    assert all(isinstance(key, str) for key in keys), f"no JSON has these keys: {keys}"
    return {key: _json(value[key]) for key in keys}
