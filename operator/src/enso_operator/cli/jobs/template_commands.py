"""`enso start`, the command that runs a template of the cluster; `cli` adds it to `enso`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from enso_operator.cli.jobs.commands import (
    form_option,
    given_params,
    of_cluster,
    params_option,
    run_and_exit,
)

if TYPE_CHECKING:
    from enso_operator.kube.workstation.api_server import ApiServer


def template_names(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Complete a template's name in a shell."""
    from enso_operator.cli.jobs.names import completions  # noqa: PLC0415  # only for a shell

    return completions(context.params, incomplete, "ensojobtemplates")


@click.command(
    "start",
    short_help="Run a template.",
    epilog="Example: enso start publish-shot -p shot=010 --watch",
)
@click.argument("template", shell_complete=template_names)
@params_option
@click.option(
    "--name", default="", help="The job's name. Default: the template's, and five characters."
)
@click.option("--suspend", "is_suspended", is_flag=True, help="Create it, and let it wait.")
@click.option("--watch", "is_watching", is_flag=True, help="Then show it, as `enso watch` does.")
@form_option("Print the EnsoJob.", ("json", "yaml", "name"))
@of_cluster
def start_command(
    *,
    template: str,
    params: tuple[str, ...],
    name: str,
    is_suspended: bool,
    is_watching: bool,
    form: str | None,
    **cluster: str,
) -> None:
    """Create a job that is a run of TEMPLATE, an EnsoJobTemplate of the cluster.

    On a terminal you are asked for parameters that are required and missing.

    Exit code 0: it is created; 1: a parameter is wrong, or the template makes no job; 2: there is
    no such template, or the cluster could not be asked. With --watch: that of `enso watch`.
    """
    from enso_operator.cli.jobs.start import StartOptions, start  # noqa: PLC0415  # it loads slowly

    options = StartOptions(given_params(params), name, is_suspended)

    def run(api: ApiServer) -> int:
        job = start(api, template, options, form)
        if isinstance(job, int) or not is_watching:
            return job if isinstance(job, int) else 0
        from enso_operator.cli.jobs.watch import watch_job  # noqa: PLC0415  # as above

        return watch_job(api, str(job["metadata"]["name"]))

    run_and_exit(run, **cluster)


def add_to(app: click.Group) -> None:
    """Add the command to `enso`."""
    app.add_command(start_command)
