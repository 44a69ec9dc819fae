"""The command line: ``enso``."""

from __future__ import annotations

import ipaddress
import platform
from pathlib import Path
from typing import Any

import click

from enso_operator.cli.jobs import action_commands, commands, template_commands
from enso_operator.cli.scripts.commands import scripts


def _show_version(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:  # noqa: FBT001  # click gives a flag's value so
    if is_wanted:
        from importlib.metadata import version  # noqa: PLC0415  # only here

        print(f"enso {version('enso-operator')}, Python {platform.python_version()}")
        context.exit()


def _networks(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(network) for network in given)
    except ValueError as error:
        raise click.BadParameter(f"{error}: write 10.0.0.7, or 10.0.0.0/8") from error


@click.group()
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def app() -> None:
    """Run a list of scripts in order and know exactly what happened."""


@app.command("run", epilog="Example: enso run examples/publish-shot.yaml")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--resume", is_flag=True, help="Go on where the last run of FILE stopped.")
@click.option(
    "--from",
    "from_script",
    default="",
    metavar="SCRIPT",
    help="With --resume: run this script and all after it again.",
)
@click.option(
    "--skip", multiple=True, metavar="SCRIPT", help="With --resume: take it for done, never run it."
)
@click.option(
    "--set",
    "arguments",
    multiple=True,
    metavar="SCRIPT.PARAM=JSON",
    help="With --resume: give a script another argument, in this and in later resumes.",
)
@click.option("--why", default="", help="With --resume: the reason, for whoever reads the events.")
@commands.params_option
@click.pass_context
def run_command(  # noqa: PLR0913  # one for each option
    context: click.Context,
    *,
    file: Path,
    resume: bool,
    from_script: str,
    skip: tuple[str, ...],
    arguments: tuple[str, ...],
    why: str,
    params: tuple[str, ...],
) -> None:
    """Run the job in FILE on this machine.

    FILE is an EnsoJob manifest, an EnsoJobTemplate with -p for each parameter, or an
    example_job.json. A resume has the parameters of the last run, but for those that -p changes.

    Exit code 0: it succeeded; 1: it failed; 2: it could not run.
    """
    if resume:
        from enso_operator.cli.resume import ResumeOptions  # noqa: PLC0415  # each loads only its own
        from enso_operator.cli.resume import resume as go_on  # noqa: PLC0415

        context.exit(go_on(file, ResumeOptions(from_script, skip, arguments, why, params)))
    if from_script or skip or arguments or why:
        raise click.UsageError("--from, --skip, --set and --why say how to go on: add --resume")
    from enso_operator.cli.run import run  # noqa: PLC0415  # as above

    context.exit(run(file, params))


@app.command("serve", short_help="Serve the HTTP API.", epilog="Example: enso serve --embedded")
@click.option(
    "--embedded",
    "is_embedded",
    is_flag=True,
    help="Keep jobs in memory and run them on this machine.",
)
@click.option(
    "--namespace",
    default="",
    help="Namespace of the EnsoJobs. Default: that of the kubeconfig's context, or of the Pod.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="With --embedded: a folder with EnsoJobTemplates, of which /add-job makes jobs.",
)
@click.option(
    "--auth",
    type=click.Choice(["none", "kubernetes"]),
    default="none",
    show_default=True,
    help="Whose rights decide. none: the server's own, for whoever reaches it, so on this machine "
    "only. kubernetes: those that the caller has in the cluster, by the token that they send.",
)
@click.option(
    "--allow-anonymous",
    "allows_anonymous",
    is_flag=True,
    help="With --auth=none, let other machines connect: whoever reaches the port may then run, "
    "change and cancel jobs.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    callback=_networks,
    metavar="ADDRESS",
    help="Address or network (10.0.0.0/8) of a proxy before it, whose X-Forwarded-Proto and "
    "X-Forwarded-Host are believed; may be repeated. Without it, nobody's are.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5005, show_default=True, help="Port to listen on.")
@click.pass_context
def serve_command(context: click.Context, /, *, host: str, port: int, **served: Any) -> None:  # noqa: ANN401  # as `Served` has them
    """Serve the HTTP API over the EnsoJobs of a cluster, or with --embedded over jobs in memory.

    The cluster is the one that kubectl asks, in a Pod its own.

    Exit code 0: a signal stopped it; 2: it could not serve.
    """
    from enso_operator.cli.serve import Served, serve  # noqa: PLC0415  # each command loads only its own

    if served["templates"] and not served["is_embedded"]:
        raise click.UsageError("--templates are for --embedded: a cluster has its own")
    context.exit(serve(Served(**served), host=host, port=port))


@app.command(
    "check",
    short_help="Try whether the cluster runs jobs.",
    epilog="Example: enso check --namespace shows",
)
@click.option(
    "--namespace",
    default="",
    help="Where the job is created. Default: the namespace of the kubeconfig's context, or of the "
    "Pod.",
)
@click.option("--timeout", default=120.0, show_default=True, help="Seconds that the job may take.")
@click.pass_context
def check_command(context: click.Context, *, namespace: str, timeout: float) -> None:
    """Run a job of one script in the cluster, and say whether the operator there did it.

    Exit code 0: it succeeded; 1: it failed; 2: it did not end in time, or could not be created.
    """
    from enso_operator.cli.check import check  # noqa: PLC0415  # each command loads only its own

    context.exit(check(namespace=namespace, seconds=timeout))


@app.command(
    "operator",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
@click.pass_context
def operator_command(context: click.Context) -> None:
    """Watch EnsoJobs, run their scripts, and write back what happened."""
    from enso_operator.cli.operator import operator  # noqa: PLC0415  # as above

    context.exit(operator(context.args))


commands.add_to(app)
action_commands.add_to(app)
template_commands.add_to(app)
app.add_command(scripts)
