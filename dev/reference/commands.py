"""The page of all commands of `enso`: what the parser of its command line says of them."""

from __future__ import annotations

from collections.abc import Iterator

import click
from dev.reference.markdown import code, table, text

from enso_operator.cli import app

HEAD = ("option", "what it does")
SETTINGS = "operator"
"""The command whose options are the operator's settings, which a page of their own lists."""


def commands_page() -> str:
    """Return the page."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield "# Commands\n\n"
    yield (
        "`enso`, and `kubectl enso`, which is the same program. What they are for: [on this "
        "machine](../jobs.md#running-it-here), [in a cluster](../cli.md).\n\n"
    )
    top = click.Context(app, info_name="enso")
    yield table(HEAD, _option_rows(top))
    yield from _commands(app, top)


def _commands(group: click.Group, above: click.Context) -> Iterator[str]:
    for name in sorted(group.list_commands(above)):
        command = group.get_command(above, name)
        if command is None or command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=above)
        yield f"## {context.command_path}\n\n"
        yield f"{_paragraphs(command.help)}\n\n"
        if name == SETTINGS:
            yield "Its options are the [operator's settings](../operating.md#settings).\n\n"
            continue
        if isinstance(command, click.Group):
            yield from _commands(command, context)
            continue
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"```bash\n{context.command_path} {usage}\n"
        if command.epilog:
            yield f"{command.epilog.removeprefix('Example: ')}   # an example\n"
        yield "```\n\n"
        if rows := [*_option_rows(context)]:
            yield table(HEAD, rows)


def _option_rows(context: click.Context) -> Iterator[list[str]]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option):
            yield [code(record[0]), text(record[1])]


def _paragraphs(told: str | None) -> str:
    """Return the help of a command with its paragraphs."""
    return "\n\n".join(text(part) for part in (told or "").split("\n\n") if part.strip("\b\n "))
