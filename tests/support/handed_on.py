"""Outputs in the simulated world: what scripts really returned, and what later ones are given."""

from __future__ import annotations

from collections.abc import Iterable

from job_execution_framework.domain.outputs import references
from job_execution_framework.domain.script import Container, Script
from job_execution_framework.service_layer.runner import Result


class HandedOn:
    """The newest output of each script, independently of the job's own state."""

    def __init__(self) -> None:
        self.count = 0
        """How often a script was given an output."""
        self._newest: dict[str, str] = {}

    def check(self, script: Script, described: Script) -> None:
        """Assert that a script that starts is given the newest outputs that it needs."""
        for argument, of in references(described.parameters).items():
            newest, given = self._newest[of.script], script.parameters[argument]
            assert given == (newest if of.key else {"said": newest}), f"{script.name} got {given}"
            self.count += 1

    def returned(self, script: Script, result: Result, by: str) -> Result:
        """Return the result of an attempt with an output, if it succeeded and may have one."""
        if result.cause or isinstance(script.work, Container):
            return result
        self._newest[script.name] = by
        return Result(result.seconds, output={"said": by})

    def forget(self, names: Iterable[str]) -> None:
        """Forget the outputs of scripts that a resume runs again."""
        for name in names:
            self._newest.pop(name, None)
