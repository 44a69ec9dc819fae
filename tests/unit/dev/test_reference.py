"""Nothing of the CRDs, the commands and the routes is missing in docs/reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from dev.reference.events import described
from dev.reference.fields import loaded
from dev.reference.kinds import KINDS, Kind
from dev.reference.pages import FOLDER, pages

from enso_operator.api.crd import crds
from enso_operator.cli import app
from enso_operator.http_api.action_routes import PATHS
from enso_operator.observability.metrics import Metrics
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.transitions import RULES

PAGES = {path.name: text for path, text in pages(crds()).items()}
LINK = re.compile(r"\[object\]\(#(\S+?)\)")


def sections(page: str) -> dict[str, str]:
    """Return the sections of a page by their anchors."""
    made = re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:]
    return {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-"): text
        for heading, text in zip(made[::2], made[1::2], strict=True)
    }


def rows(section: str) -> dict[str, str]:
    """Return the rows of the tables in a section by what stands first in them."""
    return dict(re.findall(r"^\| `+(.+?)`+ \| (.*) \|$", section, re.MULTILINE))


def objects_below(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of an object that hold objects, with the schema of these."""
    for name, part in schema["properties"].items():
        inner = part
        while "items" in inner or isinstance(inner.get("additionalProperties"), dict):
            inner = inner.get("items") or inner["additionalProperties"]
        if "properties" in inner:
            yield name, inner


def check_object(anchor: str, schema: dict[str, Any], found: dict[str, str]) -> int:
    """Check the section of an object and of all below it; return how many fields there are."""
    told = rows(found[anchor])
    assert [*told] == [*schema["properties"]]
    for name in schema.get("required", ()):
        assert "required" in told[name]
    for name, part in schema["properties"].items():
        for bound in ("minimum", "maximum", "maxLength", "maxItems", "maxProperties"):
            assert str(part.get(bound, "")) in told[name]
    count = len(told)
    for name, inner in objects_below(schema):
        if below := LINK.search(told[name]):
            count += check_object(below[1], inner, found)
        else:
            assert "(ensojob.md#spec)" in told[name]
    return count


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_is_there_with_its_bounds(kind: Kind) -> None:
    _, schema = loaded(crds()[f"{kind.page}s.yaml"])
    found = sections(PAGES[f"{kind.page}.md"])
    counted = [
        check_object(part, schema["properties"][part], found)
        for part in ("spec", "status")
        if part in schema["properties"]
    ]
    assert sum(counted) > len(counted)


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    for own, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {own}")
        elif not command.hidden:
            yield f"{name} {own}", command


def test_every_option_of_every_command_is_there() -> None:
    found = sections(PAGES["commands.md"])
    all_commands = dict(commands(app, "enso"))
    assert {"enso run", "enso scripts push"} <= all_commands.keys()
    for name, command in all_commands.items():
        section = found[name.replace(" ", "-")]
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert max(parameter.opts, key=len) in section
    assert "operating.md#settings" in found["enso-operator"]


def test_routes_reasons_events_and_metrics_are_there() -> None:
    for path in ("/list-jobs", "/add-job", "/get-job/{jobid}", "/execute-job", *PATHS):
        assert re.search(f"^## (GET|POST) {re.escape(path)}$", PAGES["http.md"], re.MULTILINE)
    reasons = [value for name, value in vars(Reason).items() if name.isupper()]
    told = rows(PAGES["events.md"])
    assert {*reasons, *(kind.__name__ for kind in RULES)} <= told.keys()
    exposed = re.findall(r"^# TYPE (enso_\w+)", Metrics().text()[0].decode(), re.MULTILINE)
    assert exposed == [*rows(PAGES["metrics.md"])]


class Untold:
    LOST = "Lost"


def test_a_reason_without_a_sentence_is_refused() -> None:
    with pytest.raises(TypeError, match="LOST = 'Lost' has no docstring"):
        list(described(Untold))


def test_the_first_page_leads_to_all_others() -> None:
    linked = set(re.findall(r"\]\((\w+\.md)\)", PAGES["README.md"]))
    assert linked == PAGES.keys() - {"README.md"}


def test_no_cell_of_a_table_is_split() -> None:
    for page in PAGES.values():
        for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            bars = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(bars) == 1


def test_what_is_committed_is_what_is_written() -> None:
    assert {path.name: path.read_text() for path in Path(FOLDER).iterdir()} == PAGES
