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
class TemplateFolder:
    """Reads its files anew for each run, so that a template may be changed while a server runs."""

    path: Path | None = None
    """None for no folder at all."""

    def all(self) -> dict[str, EnsoJobTemplate]:
        """Return all templates by name. Raises ManifestError."""
        if self.path is None:
            return {}
        if not self.path.is_dir():
            raise ManifestError(f"{self.path}: there is no such folder: check its name")
        files = (file for file in sorted(self.path.iterdir()) if file.suffix in SUFFIXES)
        found = (template for file in files if (template := template_in(file)))
        return {template.metadata.name: template for template in found}

    def run_of(self, name: str, params: Mapping[str, object]) -> Manifest:
        """Return a run of a template. Raises InvalidJob."""
        if self.path is None:
            raise InvalidJob("there are no templates here: start the server with --templates DIR")
        try:
            templates = self.all()
        except ManifestError as error:
            raise InvalidJob(str(error)) from error
        if template := templates.get(name):
            return run_of(template, params, "params")
        near = difflib.get_close_matches(name, templates, n=1)
        hint = f"did you mean {near[0]}?" if near else f"write one into {self.path}"
        raise InvalidJob(f"there is no template {name}: {hint}")
