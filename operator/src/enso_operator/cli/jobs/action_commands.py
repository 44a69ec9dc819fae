"""The commands that change jobs in a cluster, and `enso plan`; `cli` adds them to `enso`.

As in `commands`, each command imports its own module only when it is called.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import click

from enso_operator.cli.jobs.commands import (
    Command,
    form_option,
    given_params,
    job_names,
    of_cluster,
    params_option,
    run_and_exit,
    script_names,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from enso_operator.api.document import Document
    from enso_operator.kube.workstation.api_server import ApiServer

EXIT_CODES = """Exit code 0: it is done, of each JOB; 1: one was refused; 2: nobody can know of one,
as there is no such job, no operator has acted in time, or the cluster could not be asked."""


def names_or_files(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a job's name, or the name of a file."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # only for a shell

    if is_file(incomplete):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(name) for name in job_names(context, parameter, incomplete)]


def is_file(text: str) -> bool:
    """Whether the text is a file, not a job: names of jobs have neither a dot nor a slash."""
    return "." in text or "/" in text


def of_action(command: Command) -> Command:
    """Add the common options of the five actions, and the exit codes to their help."""
    command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n{EXIT_CODES}"
    command = of_cluster(command)
    for option in (
        form_option("Print the EnsoAction instead of what it did.", ("json", "yaml", "name")),
        click.option(
            "--timeout",
            default="60s",
            show_default=True,
            metavar="DURATION",
            help="How long to wait for the operator. It acts on it later, too.",
        ),
        click.option("--why", default="", metavar="TEXT", help="The reason, for the job's Events."),
    ):
        command = option(command)
    return command


jobs_argument = click.argument(
    "jobs", nargs=-1, required=True, metavar="JOB...", shell_complete=job_names
)


def request_action(
    verb: str,
    jobs: tuple[str, ...],
    block: Document,
    *,
    why: str,
    timeout: str,
    form: str | None,
    **cluster: str,
) -> None:
    """Do an action on each job, and exit with the exit code; all five commands call this."""

    def act_on(api: ApiServer) -> int:
        from enso_operator.cli.jobs.act import ActionTemplate, act  # noqa: PLC0415  # only when it is called

        return act(api, jobs, ActionTemplate(verb, block, why), timeout, form)

    run_and_exit(act_on, **cluster)


@click.command(
    "resume",
    short_help="Go on with jobs that failed, were cancelled or paused.",
    epilog="Example: enso resume publish-shot --set simulate.substeps=4 --why 'two were too few'",
)
@click.argument("jobs", nargs=-1, metavar="JOB...", shell_complete=job_names)
@click.option(
    "--from",
    "from_script",
    default="",
    metavar="SCRIPT",
    shell_complete=script_names,
    help="Run this script and all after it again.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="SCRIPT",
    shell_complete=script_names,
    help="Take it for done, never run it. Several times, if need be.",
)
@click.option(
    "--set",
    "arguments",
    multiple=True,
    metavar="SCRIPT.PARAM=JSON",
    help="Give a script another argument, from now on.",
)
@click.option(
    "--unset",
    "without",
    multiple=True,
    metavar="SCRIPT.PARAM",
    help="Take an argument away from a script.",
)
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    help="More changes: what an EnsoAction has below resume, as YAML or JSON.",
)
@click.option("--failed", is_flag=True, help="All jobs that failed, instead of JOB.")
@click.option("--reason", default="", metavar="WORD", help="Of these, those of this REASON.")
@click.option(
    "-l", "--selector", default="", metavar="LABEL=VALUE", help="Of these, those with these labels."
)
@click.option(
    "--since", default="", metavar="TIME", help="Of these, those that ended since then: 20:00, 2h."
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would run, as `enso plan`.")
@of_action
def resume_command(  # noqa: PLR0913  # one for each option
    *,
    jobs: tuple[str, ...],
    from_script: str,
    skip: tuple[str, ...],
    arguments: tuple[str, ...],
    without: tuple[str, ...],
    file: Path | None,
    failed: bool,
    reason: str,
    selector: str,
    since: str,
    is_dry: bool,
    why: str,
    timeout: str,
    form: str | None,
    **cluster: str,
) -> None:
    """Go on with each JOB that has ended, or was paused, where it stopped.

    What is done stays done, as far as checkpoints say so: `enso plan JOB` tells it beforehand.
    """
    if failed == bool(jobs):
        raise click.UsageError("name the jobs to go on with, or give --failed instead")
    if not failed and (reason or selector or since):
        raise click.UsageError("--reason, --selector and --since choose among jobs: add --failed")
    if is_dry and form == "name":
        raise click.UsageError("a dry run makes no EnsoAction to name: -o json, or yaml")

    def go_on(api: ApiServer) -> int:
        from enso_operator.cli.jobs import resume  # noqa: PLC0415  # as above

        block = resume.Changes(from_script, skip, arguments, without, file).block()
        names = resume.failed_jobs(api, reason, selector, since) if failed else jobs
        if is_dry:
            from enso_operator.cli.jobs.plan import plan_jobs  # noqa: PLC0415  # it loads slowly

            return plan_jobs(api, names, block, form)
        from enso_operator.cli.jobs.act import ActionTemplate, act  # noqa: PLC0415  # as above

        return act(api, names, ActionTemplate("resume", block, why), timeout, form)

    run_and_exit(go_on, **cluster)


@click.command(
    "pause",
    short_help="Let the running script end, and free the machine.",
    epilog="Example: enso pause publish-shot --after simulate",
)
@jobs_argument
@click.option(
    "--after",
    default="",
    metavar="SCRIPT",
    shell_complete=script_names,
    help="Only once this script is done. Default: the one that runs.",
)
@of_action
def pause_command(*, jobs: tuple[str, ...], after: str, **options: str) -> None:
    """Let the running script of each JOB end, start no other, and end its session.

    The machine and the licence are free then; `enso resume` goes on.
    """
    request_action("pause", jobs, {"after": after} if after else {}, **options)


@click.command(
    "retry",
    short_help="Start a script's next attempt now.",
    epilog="Example: enso retry publish-shot --why 'the licence server is back'",
)
@jobs_argument
@of_action
def retry_command(*, jobs: tuple[str, ...], **options: str) -> None:
    """Start the next attempt of the script for which each JOB waits, and wait no longer."""
    request_action("retry", jobs, {}, **options)


@click.command(
    "skip",
    short_help="Take a script for done, and never start it.",
    epilog="Example: enso skip publish-shot --script notify",
)
@jobs_argument
@click.option(
    "--script", required=True, metavar="SCRIPT", shell_complete=script_names, help="The script."
)
@of_action
def skip_command(*, jobs: tuple[str, ...], script: str, **options: str) -> None:
    """Take a script of each JOB for done, and never start it.

    It neither runs nor is done. Of a job that has ended: `enso resume --skip`.
    """
    request_action("skip", jobs, {"script": script}, **options)


@click.command(
    "cancel",
    short_help="End jobs; they can be resumed.",
    epilog="Example: enso cancel publish-shot --why 'the shot was cut'",
)
@jobs_argument
@of_action
def cancel_command(*, jobs: tuple[str, ...], **options: str) -> None:
    """End the running script of each JOB, and the job: SIGTERM, then SIGKILL. It can be resumed."""
    request_action("cancel", jobs, {}, **options)


@click.command(
    "plan",
    short_help="Say what a job would run, and why; change nothing.",
    epilog="Example: enso plan publish-shot",
)
@click.argument(
    "jobs", nargs=-1, required=True, metavar="JOB|TEMPLATE|FILE...", shell_complete=names_or_files
)
@params_option
@form_option("For programs.")
@of_cluster
def plan_command(
    *, jobs: tuple[str, ...], params: tuple[str, ...], form: str | None, **cluster: str
) -> None:
    """Say what of each JOB would run, what is kept and why: of one that has ended, by a resume.

    With -p it is what a run of a TEMPLATE would run. A FILE is a manifest that was not created;
    what has a dot or a slash in it is one.

    Exit code 0: it is said, of each; 1: one cannot go on, or is no manifest, and this is why; 2:
    there is no such job, or the cluster could not be asked.
    """
    files, names = [
        [name for name in jobs if is_file(name) is as_file] for as_file in (True, False)
    ]
    if files and names:
        raise click.UsageError("name jobs, or files")
    from enso_operator.cli.jobs import plan  # noqa: PLC0415  # it loads slowly

    given = given_params(params)
    if files:
        click.get_current_context().exit(plan.plan_files([*map(Path, files)], form, given))
    run_and_exit(
        lambda api: (
            plan.plan_templates(api, names, given, form)
            if given
            else plan.plan_jobs(api, names, None, form)
        ),
        **cluster,
    )


def add_to(app: click.Group) -> None:
    """Add the commands to `enso`."""
    for command in (
        plan_command,
        resume_command,
        pause_command,
        retry_command,
        skip_command,
        cancel_command,
    ):
        app.add_command(command)
