"""Arguments of scripts, and parameters of templates, as people write them on a command line.

`enso run --resume` and `enso resume` read their `--set SCRIPT.PARAM=JSON` here, and the latter its
`--unset`; `enso run`, `enso plan` and `enso start` their `-p NAME=VALUE`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from job_execution_framework.domain.errors import InvalidAction

Arguments = Mapping[str, Mapping[str, object]]
"""For each script, arguments that it gets instead of those that it had."""


def changed(texts: Iterable[str]) -> Arguments:
    """Return for each script its changed arguments. Raises InvalidAction with a sentence."""
    found: dict[str, dict[str, object]] = {}
    for text in texts:
        place, is_set, value = text.partition("=")
        script, _, parameter = place.partition(".")
        if not (is_set and script and parameter):
            raise InvalidAction(f"--set {text}: write it as SCRIPT.PARAMETER=JSON")
        try:
            found.setdefault(script, {})[parameter] = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidAction(
                f"--set {text}: {value!r} is no JSON; a text stands in double quotes: "
                f"--set '{place}={json.dumps(value, ensure_ascii=False)}'"
            ) from None
    return found


def removed(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return for each script the arguments that it does not get any more. Raises InvalidAction."""
    found: dict[str, list[str]] = {}
    for text in texts:
        script, _, parameter = text.partition(".")
        if not (script and parameter) or "=" in parameter:
            raise InvalidAction(f"--unset {text}: write it as SCRIPT.PARAMETER")
        found.setdefault(script, []).append(parameter)
    return found


def params(texts: Iterable[str]) -> dict[str, str]:
    """Return the parameters of a template by their names, each as a text. Raises InvalidAction."""
    found: dict[str, str] = {}
    for text in texts:
        name, is_set, value = text.partition("=")
        if not (is_set and name):
            raise InvalidAction(f"-p {text}: write it as NAME=VALUE")
        if name in found:
            raise InvalidAction(f"-p {text}: parameter {name} is given twice: leave one out")
        found[name] = value
    return found
