"""`enso start`: creates an EnsoJob that is a run of a template.

The parameters are checked here first, by the same code with which the operator checks them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import click

from enso_operator.api.document import Document
from enso_operator.api.template import EnsoJobTemplate, new_run_name
from enso_operator.cli.display import refuse
from enso_operator.cli.jobs import documents, output
from enso_operator.cli.jobs.act import create_once
from enso_operator.cli.jobs.connect import REFUSED
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.errors import NoSuchName
from enso_operator.manifests.template import expanded, parse_template, run_of, takes, typed
from job_execution_framework.domain.arguments import problems
from job_execution_framework.domain.errors import InvalidJob
from job_execution_framework.domain.parameters import Parameter, Parameters

STARTED = 0
PLURAL = "ensojobtemplates"
PARAMETER = "parameter"
"""How sentences name the place of a parameter."""


@dataclass(frozen=True)
class StartOptions:
    """What of a run its template does not say."""

    params: Mapping[str, str]
    name: str = ""
    """The job's name; "" for one that is made from the template's."""
    is_suspended: bool = False


def start(api: ApiServer, template: str, options: StartOptions, form: str | None) -> Document | int:
    """Create the run and print its name; return it, or the exit code of a refusal."""
    try:
        parsed = template_of(api, template)
        texts = {**options.params, **_asked(parsed, options.params)}
        values = typed(parsed, texts)
        expanded(parsed, values, PARAMETER)
    except InvalidJob as error:
        refuse(f"template {template}: {error}")
        return REFUSED
    name = options.name or new_run_name(template)
    document = run_of(parsed, name, values)
    if options.is_suspended:
        document["spec"]["suspend"] = True
    job = create_once(api, document, "ensojobs")
    if form in output.WHOLE:
        print(output.text(documents.for_output(job), form))
    else:
        print(f"ensojob.enso.dev/{name}" if form else f"{name}: created", flush=True)
    return job


def template_of(api: ApiServer, name: str) -> EnsoJobTemplate:
    """Return a template. Raises InvalidJob, and NoSuchName with similar names."""
    try:
        return parse_template(api.get(api.path(PLURAL, name)))
    except NoSuchName as error:
        from enso_operator.cli.jobs.names import suggestions  # noqa: PLC0415  # only for unknown names

        place = f"in namespace {api.access.namespace}"
        similar = suggestions(api, name, PLURAL)
        raise NoSuchName(f"there is no template {name!r} {place}{similar}", 404) from error


def _asked(template: EnsoJobTemplate, given: Mapping[str, str]) -> dict[str, str]:
    """Ask the person at the terminal for what is required and missing; elsewhere ask nobody."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return {}
    required = (parameter for parameter in takes(template).listed if parameter.required)
    return {
        parameter.name: _answer(template, parameter)
        for parameter in required
        if parameter.name not in given
    }


def _answer(template: EnsoJobTemplate, parameter: Parameter) -> str:
    def checked(text: str) -> str:
        values = typed(template, {parameter.name: text})
        for problem in problems(template.metadata.name, Parameters((parameter,)), values):
            raise click.BadParameter(f"{parameter.name} {problem.why}")
        return text

    about = f", {parameter.description}" if parameter.description else ""
    question = f"{parameter.name} ({parameter.takes}{about})"
    answer: str = click.prompt(question, value_proc=checked)
    return answer
