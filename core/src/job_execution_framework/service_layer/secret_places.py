"""Where secrets are among a plan's parameters: taken out to write it, put back to read it.

A plan is read by many; it has the place of each secret and the name of an environment variable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import is_list, is_mapping

Place = tuple[str | int, ...]
"""The way to a value within parameters: a parameter's name, then keys and positions."""


def secrets_in(value: object, place: Place = ()) -> Iterator[tuple[Place, Secret]]:
    """Yield each secret in a value, however deep, behind its place."""
    if isinstance(value, Secret):
        yield place, value
    elif is_mapping(value):
        for key, item in value.items():
            name = key if isinstance(key, str) else json.dumps(key)  # as JSON will have it
            yield from secrets_in(item, (*place, name))
    elif is_list(value):
        for position, item in enumerate(value):
            yield from secrets_in(item, (*place, position))


def without_secrets(value: object) -> object:
    """Return the value with nothing in the place of each secret in it."""
    if is_mapping(value):
        return {key: without_secrets(item) for key, item in value.items()}
    if is_list(value):
        return [without_secrets(item) for item in value]
    return None if isinstance(value, Secret) else value


def written(variables: Mapping[tuple[str, Place], str]) -> dict[str, Any]:
    """Return what a plan says of its secrets, by script and place, and the variables they are in.

    Those that are a whole parameter stand where every release reads them.
    """
    whole: dict[str, dict[str, str]] = {}
    deep: list[list[object]] = []
    for (script, place), variable in variables.items():
        if len(place) == 1:
            whole.setdefault(script, {})[str(place[0])] = variable
        else:
            deep.append([script, place, variable])
    return {"secrets": whole} | ({"deep_secrets": deep} if deep else {})


def read(document: Mapping[str, Any]) -> Iterator[tuple[str, Place, str]]:
    """Yield the script, the place and the variable of each secret that a plan tells of."""
    for script, names in document["secrets"].items():
        for parameter, variable in names.items():
            yield script, (parameter,), variable
    for script, place, variable in document.get("deep_secrets", ()):
        yield script, tuple(place), variable


def put(parameters: dict[str, Any], place: Place, secret: Secret) -> None:
    """Put a secret in its place."""
    *way, last = place
    within: Any = parameters
    for step in way:
        within = within[step]
    within[last] = secret
