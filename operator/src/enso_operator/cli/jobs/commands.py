"""The commands about jobs in a cluster, with their options and examples; `cli` adds them to `enso`.

Everything else is imported by the command that needs it, as each look at a cluster starts anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from enso_operator.kube.workstation.api_server import ApiServer

Command = TypeVar("Command", bound=Callable[..., Any])

DONE, NO, NOT_KNOWN = 0, 1, 2
"""Exit codes of all of them; NO is what a command says that answers a question."""


def job_names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a job's name in a shell."""
    from enso_operator.cli.jobs.names import completions  # noqa: PLC0415  # only for a shell

    return completions(context.params, incomplete)


def of_cluster(command: Command) -> Command:
    """Add the options that say which cluster is asked, and as whom."""
    for option in (
        click.option(
            "-n", "--namespace", default="", metavar="NAME", help="Default: that of the context."
        ),
        click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig."),
        click.option(
            "--kubeconfig",
            default="",
            metavar="FILE",
            help="Instead of KUBECONFIG and ~/.kube/config.",
        ),
    ):
        command = option(command)
    return command


def answer(
    ask: Callable[[ApiServer], int], *, kubeconfig: str, context: str, namespace: str
) -> None:
    """Ask the API server that is meant, and exit with what comes of it."""
    from enso_operator.cli.jobs.asking import answer_of  # noqa: PLC0415  # not for `enso run`

    click.get_current_context().exit(answer_of(ask, kubeconfig, context, namespace))


@click.command("list", epilog="Example: enso list --failed --since 20:00 -l studio/shot=010")
@click.option("--failed", is_flag=True, help="Only jobs that failed.")
@click.option(
    "--since",
    default="",
    metavar="TIME",
    help="Only jobs that ended since then, or have not ended: 20:00, 2h, 2026-11-29. Beyond 8 "
    "hours it is exact to the hour.",
)
@click.option(
    "--reason", default="", metavar="WORD", help="Only jobs of this REASON, as OutOfMemory."
)
@click.option(
    "-l", "--selector", default="", metavar="LABEL=VALUE", help="Only jobs with these labels."
)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="In all namespaces.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["json", "yaml", "name", "wide"]),
    metavar="json|yaml|name|wide",
    help="How they are shown.",
)
@of_cluster
def list_command(
    *,
    failed: bool,
    since: str,
    reason: str,
    selector: str,
    everywhere: bool,
    form: str | None,
    **cluster: str,
) -> None:
    """List jobs, newest first.

    Exit code 0: they are listed, also where there are none; 2: the cluster could not be asked.
    """
    from enso_operator.cli.jobs.list import list_jobs, wanted  # noqa: PLC0415  # as above

    def ask(api: ApiServer) -> int:
        filters = wanted(is_failed=failed, since=since, reason=reason, selector=selector)
        return list_jobs(api, filters, everywhere=everywhere, form=form)

    answer(ask, **cluster)


@click.command(
    "show",
    short_help="Show one job: its scripts, and why it failed.",
    epilog="Example: enso show publish-shot",
)
@click.argument("job", shell_complete=job_names)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["json", "yaml"]),
    metavar="json|yaml",
    help="The whole EnsoJob.",
)
@of_cluster
def show_command(*, job: str, form: str | None, **cluster: str) -> None:
    """Show one JOB: why it failed, its scripts with their attempts, their arguments.

    Exit code 0: it is shown; 2: there is no such job, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.show import show_job  # noqa: PLC0415  # as above

    answer(lambda api: show_job(api, job, form), **cluster)


@click.command("why", short_help="Say why a job failed.", epilog="Example: enso why publish-shot")
@click.argument("job", shell_complete=job_names)
@of_cluster
def why_command(*, job: str, **cluster: str) -> None:
    """Say why a JOB failed: which script, with which arguments, where, and what it said.

    Exit code 0: it failed, and this is why; 1: it has not failed; 2: nobody can know, as there is
    no such job, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.why import explain  # noqa: PLC0415  # as above

    answer(lambda api: explain(api, job), **cluster)


def add_to(app: click.Group) -> None:
    """Add the commands to `enso`."""
    for command in (list_command, show_command, why_command):
        app.add_command(command)
