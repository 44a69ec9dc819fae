"""The page of all examples: each file with the first words of its comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dev.checkout import CHECKOUT, Failed
from dev.reference.markdown import table, text

EXAMPLES = CHECKOUT / "examples"
FOLDERS = {
    ".": ("On this machine, or in a cluster", "`enso run FILE`, or `kubectl apply -f FILE`."),
    "templates": ("Templates", "[Jobs with parameters](../templates.md)."),
    "library": ("A script library", "[Scripts in a cluster](../kubernetes.md#a-script-library)."),
    "cluster": ("In a cluster", "With the scripts of the library above; `make up` runs them."),
    "pods": ("Sessions in Pods", "[Images, machines, files, secrets](../pods.md)."),
    "actions": ("Actions", "[What people ask of a job that exists](../actions.md)."),
}
"""The title of each folder, and what is said of all that is in it."""


def examples_page() -> str:
    """Return the page."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield "# Examples\n\nThe comment of each file says more, and has the commands to try it.\n\n"
    found = {str(path.parent.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.yaml")}
    if unknown := sorted(found - FOLDERS.keys()):
        raise Failed(
            f"examples/{unknown[0]} has no title yet: write one in dev/reference/examples.py"
        )
    for folder, (title, about) in FOLDERS.items():
        yield f"## {title}\n\n{about}\n\n"
        files = sorted((EXAMPLES / folder).glob("*.yaml"))
        yield table(("file", "what it shows"), ([_link(path), text(shown(path))] for path in files))


def _link(path: Path) -> str:
    return f"[{path.stem}](../../{path.relative_to(CHECKOUT).as_posix()})"


def shown(path: Path) -> str:
    """Return the first paragraph of the comment at the top of a file."""
    said: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        words = line.removeprefix("#").strip()
        if not line.startswith("#") or not words:
            break
        said.append(words)
    if not said:
        raise Failed(f"{path.relative_to(CHECKOUT)} begins with no comment: say what it shows")
    return f"{' '.join(said).removesuffix(':').removesuffix('.')}."
