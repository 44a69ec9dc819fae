"""``enso scripts …`` with its options and examples; `cli` adds it to `enso`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from enso_operator.cli.jobs.commands import form_option, of_cluster, run_and_exit

if TYPE_CHECKING:
    from enso_operator.kube.workstation.api_server import ApiServer

FORMS = ("json", "yaml", "name")
local_option = click.option(
    "--local",
    "is_local",
    is_flag=True,
    help="What `enso run` finds on this machine, instead of EnsoScripts of a cluster.",
)


@click.group("scripts", short_help="Scripts of a library: check, push, list, show.")
def scripts() -> None:
    """Look after the scripts of a library: files in a folder, or EnsoScripts in a cluster."""


@scripts.command(
    "check",
    short_help="Say what keeps files from being scripts.",
    epilog="Example: enso scripts check studio/scripts",
)
@click.argument("path", metavar="FILE|DIR", type=click.Path(exists=True, path_type=Path))
@click.pass_context
def check_command(context: click.Context, *, path: Path) -> None:
    """Say what keeps the script in FILE, or those in DIR, from being called. Nothing is run.

    Exit code 0: nothing does; 1: something does; 2: it could not be read.
    """
    from enso_operator.cli.scripts.check import check  # noqa: PLC0415  # each loads only its own

    context.exit(check(path))


@scripts.command(
    "push",
    short_help="Write a folder of scripts into a cluster.",
    epilog="Example: enso scripts push studio/scripts --prune --dry-run",
)
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--prune", is_flag=True, help="Delete what an earlier push made of files now gone.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--as",
    "label",
    default="",
    metavar="NAME",
    help="By what --prune knows these scripts: the label enso.dev/pushed-from. Default: the "
    "folder's name.",
)
@of_cluster
def push_command(*, folder: Path, prune: bool, dry_run: bool, label: str, **cluster: str) -> None:
    """Write each script in DIR as an EnsoScript, with the parameters that its `main` takes.

    A second push of the same files changes nothing. Where one of them has a problem, nothing is
    written.

    Exit code 0: all are as in DIR; 1: one has a problem; 2: the cluster refused one, or could not
    be asked.
    """
    from enso_operator.cli.scripts.push import Push, push  # noqa: PLC0415  # as above

    what = Push(folder, label, prunes=prune, is_dry_run=dry_run)
    run_and_exit(lambda api: push(api, what), **cluster)


@scripts.command(
    "list", short_help="List the scripts of a library.", epilog="Example: enso scripts list --local"
)
@local_option
@form_option("How they are shown.", FORMS)
@of_cluster
def list_command(*, is_local: bool, form: str | None, **cluster: str) -> None:
    """List the EnsoScripts of a namespace.

    Exit code 0: they are listed, also where there are none; 2: the cluster could not be asked.
    """
    from enso_operator.cli.scripts.show import list_local, list_scripts  # noqa: PLC0415  # as above

    if is_local:
        click.get_current_context().exit(list_local(form))
    run_and_exit(lambda api: list_scripts(api, form), **cluster)


@scripts.command(
    "show",
    short_help="Show what a script does and takes.",
    epilog="Example: enso scripts show open_scene",
)
@click.argument("name")
@local_option
@form_option("The whole EnsoScript.")
@of_cluster
def show_command(*, name: str, is_local: bool, form: str | None, **cluster: str) -> None:
    """Show what the script NAME does and takes.

    Exit code 0: it is shown; 2: there is none of this name, or the cluster could not be asked.
    """
    from enso_operator.cli.scripts.show import show, show_local  # noqa: PLC0415  # as above

    def ask(api: ApiServer) -> int:
        return show(api, name, form)

    if is_local:
        click.get_current_context().exit(show_local(name, form))
    run_and_exit(ask, **cluster)
