"""The patch for Argo CD's own ConfigMap, made of the files in deploy/argocd: for manifests.py.

Those files lie as argo-cd keeps what it ships. An Argo CD that ships none of ours takes them from
its ConfigMap argocd-cm, where all files of a kind stand in two keys.

A third key is made of the CRDs. Where an object has a default of its CRD inside of a list, Argo CD
takes it for a difference to the manifest, and the application is OutOfSync for ever.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from dev.checkout import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "argocd"
CUSTOMIZATIONS = FOLDER / "resource_customizations"
PATCH = FOLDER / "argocd-cm.yaml"
_HEAD = """\
# Written by `make manifests` from resource_customizations/ and the CRDs. docs/gitops.md says how to
# use it.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
data:
"""


def patch(crds: Mapping[str, str]) -> dict[Path, str]:
    """Return the text of the patch, by its path."""
    return {PATCH: _HEAD + "".join((*_scripts(), *_ignored(crds)))}


def defaults_in_lists(crd: Mapping[str, Any]) -> list[str]:
    """Return as jq paths, innermost first, what an API server adds inside of lists of a spec."""
    (version,) = crd["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return [*_defaults(spec, ".spec", in_list=False)]


def _scripts() -> Iterator[str]:
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


def _ignored(crds: Mapping[str, str]) -> Iterator[str]:
    for text in crds.values():
        crd = yaml.safe_load(text)
        if paths := defaults_in_lists(crd):
            key = f"{crd['spec']['group']}_{crd['spec']['names']['kind']}"
            ignored = "jqPathExpressions:\n" + "".join(f"- {json.dumps(path)}\n" for path in paths)
            yield _block(f"resource.customizations.ignoreDifferences.{key}: |", ignored, "  ")


def _defaults(schema: Mapping[str, Any], path: str, *, in_list: bool) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield from _defaults(field, f"{path}.{name}", in_list=in_list)
    if "items" in schema:
        yield from _defaults(schema["items"], f"{path}[]?", in_list=True)
    if in_list and "default" in schema:
        # What is inside of an object is gone by then.
        value = {} if isinstance(schema["default"], dict) else schema["default"]
        yield f"{path} | select(. == {json.dumps(value)})"


def _block(key: str, text: str, indent: str) -> str:
    return f"{indent}{key}\n" + textwrap.indent(text, f"{indent}  ")
