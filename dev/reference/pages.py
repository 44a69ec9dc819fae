"""The generated reference, docs/reference: a page for each kind, and for all that has a name.

`manifests.py` writes it. Each page comes from what the program itself goes by: the CRDs, the parser
of the command line, the routes, the domain, the metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dev.checkout import CHECKOUT
from dev.reference.commands import commands_page
from dev.reference.events import events_page
from dev.reference.examples import examples_page
from dev.reference.kinds import KINDS, kind_page
from dev.reference.metrics import metrics_page
from dev.reference.routes import routes_page

FOLDER = CHECKOUT / "docs" / "reference"
NOTE = "<!-- Written by `make manifests` from dev/reference: change what it says there. -->\n\n"
OTHERS = {
    "commands.md": ("every command of `enso` with its options", commands_page),
    "http.md": ("every route of the HTTP API, its body and its answers", routes_page),
    "events.md": ("states, reasons, and Kubernetes Events", events_page),
    "metrics.md": ("what `/metrics` counts and times", metrics_page),
    "examples.md": ("every example, and what it shows", examples_page),
}


def pages(crds: Mapping[str, str]) -> dict[Path, str]:
    """Return the text of each page."""
    made = {f"{kind.page}.md": kind_page(kind, crds) for kind in KINDS}
    made |= {name: page() for name, (_, page) in OTHERS.items()}
    made["README.md"] = _index()
    return {FOLDER / name: f"{NOTE}{text.strip()}\n" for name, text in made.items()}


def _index() -> str:
    links = [
        *(f"- [{kind.name}]({kind.page}.md): {kind.about}" for kind in KINDS),
        *(
            f"- [{name.removesuffix('.md').capitalize()}]({name}): {about}"
            for name, (about, _) in OTHERS.items()
        ),
    ]
    return (
        "# Reference\n\nEvery field, command, route, reason and metric, as the program itself has "
        "it.\n\n" + "\n".join(links)
    )
