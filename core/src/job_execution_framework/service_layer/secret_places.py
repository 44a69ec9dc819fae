"""Removes secrets from a plan's parameters before it is written; restores them after reading.

Many may read a plan. So it has only the path to each secret and the name of the environment
variable that holds it; `plan_head` reads that back. Used by `plan`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import is_list, is_mapping

ValuePath = tuple[str | int, ...]
"""The path to a value within parameters: a parameter's name, then keys and positions."""


def secrets_in(value: object, path: ValuePath = ()) -> Iterator[tuple[ValuePath, Secret]]:
    """Yield each secret in a value, however deep, with the path to it."""
    if isinstance(value, Secret):
        yield path, value
    elif is_mapping(value):
        for key, item in value.items():
            name = key if isinstance(key, str) else json.dumps(key)  # as JSON will have it
            yield from secrets_in(item, (*path, name))
    elif is_list(value):
        for position, item in enumerate(value):
            yield from secrets_in(item, (*path, position))


def without_secrets(value: object) -> object:
    """Return the value with None in the place of each secret in it."""
    if is_mapping(value):
        return {key: without_secrets(item) for key, item in value.items()}
    if is_list(value):
        return [without_secrets(item) for item in value]
    return None if isinstance(value, Secret) else value


def written(variables: Mapping[tuple[str, ValuePath], str]) -> dict[str, Any]:
    """Return the part of a plan's document that says which secret is in which variable.

    Secrets that are a whole parameter have a key of their own, which older releases read, too.
    """
    whole: dict[str, dict[str, str]] = {}
    deep: list[list[object]] = []
    for (script, path), variable in variables.items():
        if len(path) == 1:
            whole.setdefault(script, {})[str(path[0])] = variable
        else:
            deep.append([script, path, variable])
    return {"secrets": whole} | ({"deep_secrets": deep} if deep else {})


def put(parameters: dict[str, Any], path: ValuePath, secret: Secret) -> None:
    """Put a secret back where its path says."""
    *way, last = path
    within: Any = parameters
    for step in way:
        within = within[step]
    within[last] = secret
