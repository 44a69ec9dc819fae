"""The commands about jobs in a cluster, with their options and examples; `cli` adds them to `enso`.

Each command imports its own module only when it is called, so that it starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from enso_operator.kube.workstation.api_server import ApiServer

Command = TypeVar("Command", bound=Callable[..., Any])


def job_names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a job's name in a shell."""
    from enso_operator.cli.jobs.names import completions  # noqa: PLC0415  # only for a shell

    return completions(context.params, incomplete)


def script_names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a script of the job that is named before it."""
    from enso_operator.cli.jobs.names import script_completions  # noqa: PLC0415  # as above

    # If the line ends with --script, click has not parsed the arguments yet.
    named = context.params.get("job") or next(iter(context.params.get("jobs") or ()), "")
    job = str(named or next(iter(context.args), ""))
    return script_completions(context.params, job, incomplete)


def of_cluster(command: Command) -> Command:
    """Add the options that select the cluster, the namespace and the user."""
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


def params_option(command: Command) -> Command:
    """Add the option that gives the values of a template's parameters."""
    return click.option(
        "-p",
        "--param",
        "params",
        multiple=True,
        metavar="NAME=VALUE",
        help="The value of a template's parameter; lists and mappings are JSON.",
    )(command)


def given_params(texts: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters of the command line; end the command where one is miswritten."""
    from enso_operator.cli.arguments import params  # noqa: PLC0415  # as above
    from job_execution_framework.domain.errors import InvalidAction  # noqa: PLC0415

    try:
        return params(texts)
    except InvalidAction as error:
        raise click.UsageError(str(error)) from error


def form_option(text: str, forms: Sequence[str] = ("json", "yaml")) -> Callable[[Command], Command]:
    """Return the option that chooses how something is printed; `text` is its help."""
    choice = click.Choice(forms)
    return click.option("-o", "--output", "form", type=choice, metavar="|".join(forms), help=text)


def run_and_exit(
    command: Callable[[ApiServer], int], *, kubeconfig: str, context: str, namespace: str
) -> None:
    """Call the command with the chosen API server, and exit with its exit code."""
    from enso_operator.cli.jobs.connect import run_command  # noqa: PLC0415  # not for `enso run`

    click.get_current_context().exit(run_command(command, kubeconfig, context, namespace))


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
@form_option("How they are shown.", ("json", "yaml", "name", "wide"))
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
    from enso_operator.cli.jobs.list import filter_of, list_jobs  # noqa: PLC0415  # as above

    def ask(api: ApiServer) -> int:
        filters = filter_of(is_failed=failed, since=since, reason=reason, selector=selector)
        return list_jobs(api, filters, everywhere=everywhere, form=form)

    run_and_exit(ask, **cluster)


@click.command(
    "show",
    short_help="Show one job: its scripts, and why it failed.",
    epilog="Example: enso show publish-shot",
)
@click.argument("job", shell_complete=job_names)
@form_option("The whole EnsoJob.")
@of_cluster
def show_command(*, job: str, form: str | None, **cluster: str) -> None:
    """Show one JOB: why it failed, its scripts with their attempts, their arguments.

    Exit code 0: it is shown; 2: there is no such job, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.show import show_job  # noqa: PLC0415  # as above

    run_and_exit(lambda api: show_job(api, job, form), **cluster)


@click.command("why", short_help="Say why a job failed.", epilog="Example: enso why publish-shot")
@click.argument("job", shell_complete=job_names)
@of_cluster
def why_command(*, job: str, **cluster: str) -> None:
    """Say why a JOB failed: which script, with which arguments, where, and what it said.

    Exit code 0: it failed, and this is why; 1: it has not failed; 2: nobody can know, as there is
    no such job, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.why import explain  # noqa: PLC0415  # as above

    run_and_exit(lambda api: explain(api, job), **cluster)


@click.command(
    "wait",
    short_help="Wait until jobs have ended.",
    epilog="Example: enso wait publish-shot --timeout 2h && enso list",
)
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...", shell_complete=job_names)
@click.option("--timeout", default="", metavar="DURATION", help="Give up after that: 90s, 10m, 2h.")
@of_cluster
def wait_command(*, jobs: tuple[str, ...], timeout: str, **cluster: str) -> None:
    """Wait until each JOB has ended, and say how.

    Exit code 0: all succeeded; 1: one failed or was cancelled; 2: nobody can know of one, as there
    is no such job, the time is over, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.wait import wait  # noqa: PLC0415  # as above

    run_and_exit(lambda api: wait(api, jobs, timeout), **cluster)


@click.command(
    "watch",
    short_help="Watch a job until it has ended, or all jobs.",
    epilog="Example: enso watch publish-shot",
)
@click.argument("job", required=False, shell_complete=job_names)
@click.option(
    "-l", "--selector", default="", metavar="LABEL=VALUE", help="Only jobs with these labels."
)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="In all namespaces.")
@of_cluster
def watch_command(*, job: str | None, selector: str, everywhere: bool, **cluster: str) -> None:
    """Watch a JOB until it has ended; without a JOB all jobs, until Ctrl-C.

    On a terminal it is a table that lives; elsewhere each change is a line. An API server that
    restarts is waited for.

    Exit code 0: the job succeeded; 1: it failed or was cancelled; 2: nobody can know, as there is
    no such job, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.watch import watch_job, watch_jobs  # noqa: PLC0415  # as above

    if job and (selector or everywhere):
        raise click.UsageError("-l and -A choose among all jobs: leave JOB out, or them")

    def ask(api: ApiServer) -> int:
        return watch_job(api, job) if job else watch_jobs(api, selector, everywhere=everywhere)

    run_and_exit(ask, **cluster)


@click.command(
    "logs",
    short_help="Show what the scripts of a job wrote.",
    epilog="Example: enso logs publish-shot --script simulate --attempt 2",
)
@click.argument("job", shell_complete=job_names)
@click.option(
    "--script",
    default="",
    metavar="NAME",
    shell_complete=script_names,
    help="Only what this script wrote.",
)
@click.option("--attempt", metavar="N", type=click.IntRange(1), help="Only that attempt.")
@click.option("-f", "--follow", "is_following", is_flag=True, help="Go on until the job has ended.")
@of_cluster
def logs_command(
    *, job: str, script: str, attempt: int | None, is_following: bool, **cluster: str
) -> None:
    """Show what the scripts of a JOB wrote, or say where it is.

    Exit code 0: it is shown; with -f, that of `enso wait`; 2: it is not there, there is no such
    job, or the cluster could not be asked.
    """
    from enso_operator.cli.jobs.logs import LogFilter, show_logs  # noqa: PLC0415  # as above

    def ask(api: ApiServer) -> int:
        return show_logs(api, job, LogFilter(script, attempt or 0), is_following=is_following)

    run_and_exit(ask, **cluster)


def add_to(app: click.Group) -> None:
    """Add the commands to `enso`."""
    for command in (
        list_command,
        show_command,
        why_command,
        logs_command,
        watch_command,
        wait_command,
    ):
        app.add_command(command)
