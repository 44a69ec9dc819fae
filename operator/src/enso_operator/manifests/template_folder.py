"""The templates in a folder, for `enso serve --embedded --templates DIR`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enso_operator.api.template import EnsoJobTemplate
from enso_operator.manifests.load import ManifestError, run_of, template_in
from enso_operator.manifests.manifest import Manifest
from job_execution_framework.domain.errors import InvalidJob

SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True)
class Found:
    """What a folder has."""

    templates: dict[str, EnsoJobTemplate]
    """By name."""
    broken: dict[Path, str]
    """Why a file has none that can be used."""


@dataclass(frozen=True)
class TemplateFolder:
    """Reads its files anew for each run, so that a template may be changed while a server runs."""

    path: Path | None = None
    """None for no folder at all."""

    def read(self) -> Found:
        """Read all files. Raises ManifestError where there is no such folder."""
        found = Found({}, {})
        if self.path is None:
            return found
        if not self.path.is_dir():
            raise ManifestError(f"{self.path}: there is no such folder: check its name")
        for file in sorted(self.path.iterdir()):
            if file.suffix not in SUFFIXES:
                continue
            try:
                if template := template_in(file):
                    found.templates[template.metadata.name] = template
            except ManifestError as error:
                found.broken[file] = str(error)
        return found

    def run_of(self, name: str, params: Mapping[str, object]) -> Manifest:
        """Return a run of a template. Raises InvalidJob."""
        if self.path is None:
            raise InvalidJob("there are no templates here: start the server with --templates DIR")
        try:
            found = self.read()
        except ManifestError as error:
            raise InvalidJob(str(error)) from error
        if template := found.templates.get(name):
            return run_of(template, params, "params")
        for why in found.broken.values():  # perhaps the one that is meant
            raise InvalidJob(why)
        near = difflib.get_close_matches(name, found.templates, n=1)
        hint = f"did you mean {near[0]}?" if near else f"write one into {self.path}"
        raise InvalidJob(f"there is no template {name}: {hint}")
