"""The command line: ``enso``."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # typer gives a flag's value so
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # only here

        print(f"enso {version('enso-operator')}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback()
def enso(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Run a list of scripts in order and know exactly what happened."""
    del version


@app.command("run")
def run_command(
    file: Annotated[Path, typer.Argument(help="An EnsoJob manifest, or an example_job.json.")],
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last run of FILE stopped.")
    ] = False,
) -> None:
    """Run the job in FILE on this machine.

    Exit code 0: it succeeded; 1: it failed; 2: it could not run.
    """
    from enso_operator.cli.run import run  # noqa: PLC0415  # each command loads only its own

    raise typer.Exit(run(file, resume=resume))


@app.command("serve")
def serve_command(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Keep jobs in memory and run them on this machine.")
    ] = False,
    namespace: Annotated[
        str,
        typer.Option(
            help="Namespace of the EnsoJobs. Default: that of the kubeconfig's context, or of the "
            "Pod.",
            show_default=False,
        ),
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5005,
) -> None:
    """Serve the HTTP API over the EnsoJobs of a cluster, or with --embedded over jobs in memory.

    The cluster is the one that kubectl asks, in a Pod its own.

    Exit code 0: a signal stopped it; 2: it could not serve.
    """
    from enso_operator.cli.serve import serve  # noqa: PLC0415  # each command loads only its own

    raise typer.Exit(serve(embedded=embedded, namespace=namespace, host=host, port=port))


@app.command("check")
def check_command(
    *,
    namespace: Annotated[
        str,
        typer.Option(
            help="Where the job is created. Default: the namespace of the kubeconfig's context, "
            "or of the Pod.",
            show_default=False,
        ),
    ] = "",
    timeout: Annotated[float, typer.Option(help="Seconds that the job may take.")] = 120.0,
) -> None:
    """Run a job of one script in the cluster, and say whether the operator there did it.

    Exit code 0: it succeeded; 1: it failed; 2: it did not end in time, or could not be created.
    """
    from enso_operator.cli.check import check  # noqa: PLC0415  # each command loads only its own

    raise typer.Exit(check(namespace=namespace, seconds=timeout))


@app.command(
    "operator",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def operator_command(context: typer.Context) -> None:
    """Watch EnsoJobs, run their scripts, and write back what happened."""
    from enso_operator.cli.operator import operator  # noqa: PLC0415  # as above

    raise typer.Exit(operator(context.args))
