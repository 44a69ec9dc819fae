"""What there is to run without a cluster: scripts of this machine, templates of a folder."""

from __future__ import annotations

import ast

from enso_operator.http_api.offers import MOST_OFFERS, Offer, Verdict
from enso_operator.http_api.script_names import why_not
from enso_operator.http_api.template_scripts import NOTHING, Described, KnownScripts, scripts_in
from enso_operator.manifests.load import ManifestError
from enso_operator.manifests.template import takes
from enso_operator.manifests.template_folder import TemplateFolder
from job_execution_framework.domain.errors import InvalidJob, ScriptNotFound
from job_execution_framework.domain.script import Source
from job_execution_framework.service_layer.library import Library, ScriptLibrary
from job_execution_framework.service_layer.main_function import read
from job_execution_framework.service_layer.preflight import taken_by


def scripts_of(library: Library) -> list[Offer]:
    """Return the scripts of a library by name; of one that cannot be listed none."""
    names = library.names() if isinstance(library, ScriptLibrary) else []
    return [_script(library, name) for name in names[:MOST_OFFERS]]


def _script(library: Library, name: str) -> Offer:
    if why := why_not(name):
        return Offer(name, problem=why)
    try:
        work = library.find(name)
    except ScriptNotFound as error:
        return Offer(name, problem=str(error))
    if not isinstance(work, Source):
        return Offer(name, takes=taken_by(work))
    reading = read(work)
    described = (ast.get_docstring(part) for part in (reading.main, reading.module) if part)
    description = next(filter(None, described), "").partition("\n\n")[0]
    problem = "; ".join(found.why for found in reading.problems)
    return Offer(name, " ".join(description.split()), taken_by(work), problem)


def templates_of(folder: TemplateFolder, library: Library) -> list[Offer]:
    """Return the templates of a folder by name. Raises InvalidJob."""
    try:
        found = folder.read()
    except ManifestError as error:
        raise InvalidJob(str(error)) from error
    known = KnownScripts.of(scripts_of(library))
    offers = [
        Offer(
            name,
            template.spec.description,
            takes(template),
            scripts=scripts_in(template, known, _verdict_here),
        )
        for name, template in found.templates.items()
    ]
    offers += [Offer(file.stem, problem=why) for file, why in found.broken.items()]
    return sorted(offers, key=lambda offer: offer.name)[:MOST_OFFERS]


def _verdict_here(script: Described) -> Verdict:
    if script.get("container") is not None:
        return Verdict("it is a container, which needs a cluster")
    source = script.get("source")
    if not isinstance(source, str):
        return NOTHING
    problems = read(Source(source, f"{script.get('name')}.py")).problems
    return Verdict(would_fail="; ".join(f"its source {found.why}" for found in problems))
