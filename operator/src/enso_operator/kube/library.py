"""The script library of a namespace: its EnsoScripts, and the scripts that come with the core.

The planner of the operator looks for the scripts of jobs here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from enso_operator.api.document import Document
from enso_operator.api.rules import broken_script_rules
from enso_operator.api.v1alpha1 import EnsoScript
from enso_operator.blocking import off_loop
from enso_operator.kube.client import NoSuchObject
from enso_operator.kube.objects import Objects, similar_name
from enso_operator.manifests.parameters import broken_parameters, parameters_of
from job_execution_framework.domain.errors import ScriptNotFound
from job_execution_framework.domain.script import Function, Source
from job_execution_framework.service_layer.library import Library, ScriptLibrary

SCRIPTS = "ensoscripts"
"""The plural in paths of the API server."""


@dataclass(frozen=True)
class EnsoScriptLibrary:
    """Finds `open_scene` and `open-scene` in the EnsoScript open-scene of the job's namespace."""

    scripts: Objects
    built_in: Library = field(default_factory=lambda: ScriptLibrary([]))
    unchanged_since: float | None = None
    """A time; EnsoScripts that were written later are not found."""

    def find(self, name: str) -> Source | Function:
        """Return the script. Raises ScriptNotFound, Unavailable and Refused."""
        key = name.replace("_", "-").lower()
        try:
            document = self.scripts.get(key)
        except NoSuchObject:
            return off_loop(self._find_built_in, name, key)  # reads files, or lists all names
        if self.unchanged_since is not None and _written_at(document) > self.unchanged_since:
            raise ScriptNotFound(f"EnsoScript {key!r} was changed: it may be another script by now")
        return script_in(document, name)

    def _find_built_in(self, name: str, key: str) -> Source | Function:
        try:
            return self.built_in.find(name)
        except ScriptNotFound:
            raise ScriptNotFound(self._not_found(name, key)) from None

    def _not_found(self, name: str, key: str) -> str:
        similar = similar_name(self.scripts, key)
        hint = f"did you mean {similar!r}?" if similar else f"apply an EnsoScript named {key}"
        return f"there is no script {name!r} in namespace {self.scripts.namespace!r}: {hint}"


def _written_at(document: Document) -> float:
    """Return when somebody last changed it, in whole seconds."""
    metadata = document["metadata"]
    writes = [entry.get("time") for entry in metadata.get("managedFields") or ()]
    times = filter(None, [metadata["creationTimestamp"], *writes])
    return max(datetime.fromisoformat(time).timestamp() for time in times)


def script_in(document: Document, name: str) -> Source | Function:
    """Return what an EnsoScript has to run, for jobs that call it `name`; raise ScriptNotFound."""
    try:
        return _work(EnsoScript.model_validate(document), name)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ScriptNotFound(
            f"EnsoScript {document['metadata']['name']!r} cannot be used: {place}: "
            f"{error.errors()[0]['msg']}"
        ) from error


def _work(script: EnsoScript, name: str) -> Source | Function:
    if broken := [*broken_script_rules(script), *broken_parameters(script.spec)]:
        raise ScriptNotFound(f"EnsoScript {script.metadata.name!r} cannot be used: {broken[0]}")
    takes = parameters_of(script.spec)
    if script.spec.function is not None:
        return Function(script.spec.function, takes)
    if script.spec.source is not None:
        return Source(script.spec.source, f"{name}.py", takes)
    raise ScriptNotFound(f"EnsoScript {script.metadata.name!r} has nothing to run")
