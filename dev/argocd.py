"""The patch for Argo CD's own ConfigMap, made of the files in deploy/argocd: for manifests.py.

Those files lie as argo-cd keeps what it ships. An Argo CD that ships none of ours takes them from
its ConfigMap argocd-cm, where all files of a kind stand in two keys.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from dev.checkout import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "argocd"
CUSTOMIZATIONS = FOLDER / "resource_customizations"
PATCH = FOLDER / "argocd-cm.yaml"
_HEAD = """\
# Written by `make manifests` from resource_customizations/. docs/gitops.md says how to use it.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
data:
"""


def patch() -> dict[Path, str]:
    """Return the text of the patch, by its path."""
    return {PATCH: _HEAD + "".join(_lines())}


def _lines() -> Iterator[str]:
    for health in sorted(CUSTOMIZATIONS.glob("*/*/health.lua")):
        kind = health.parent
        key = f"{kind.parent.name}_{kind.name}"
        yield _block(f"resource.customizations.health.{key}: |", health.read_text(), "  ")
        discovery = kind / "actions" / "discovery.lua"
        if discovery.exists():
            actions = "".join(_actions(discovery))
            yield _block(f"resource.customizations.actions.{key}: |", actions, "  ")


def _actions(discovery: Path) -> Iterator[str]:
    yield _block("discovery.lua: |", discovery.read_text(), "")
    yield "definitions:\n"
    for action in sorted(discovery.parent.glob("*/action.lua")):
        yield f"- name: {action.parent.name}\n"
        yield _block("action.lua: |", action.read_text(), "  ")


def _block(key: str, text: str, indent: str) -> str:
    return f"{indent}{key}\n" + textwrap.indent(text, f"{indent}  ")
