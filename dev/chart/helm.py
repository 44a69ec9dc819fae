"""Asks helm about the chart, for check.py and tests: lint it, and render it with values files."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml
from dev.chart.generated import CHART
from dev.cluster import binaries

VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
"""Values files of chart-testing; each is one installation."""
KUBERNETES = "1.30.0"
"""The oldest supported Kubernetes: charts are rendered for it and checked by its schemas."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""As safe as the one in Python, and eight times as fast: tests render a hundred charts."""

Document = dict[str, Any]


class HelmSays(Exception):  # what it is, not that it is an error
    """Helm failed; the message is what helm printed."""


def helm(*arguments: str | Path) -> str:
    """Return what helm prints."""
    program = binaries.provide(("helm",))["helm"]
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        raise HelmSays(done.stdout + done.stderr)
    return done.stdout


def lint(values: Path) -> None:
    """Raise HelmSays where `helm lint` finds a mistake."""
    helm("lint", "--strict", "--quiet", "--kube-version", KUBERNETES, CHART, "--values", values)


def render(*arguments: str | Path, namespace: str = "enso", name: str = "shows") -> list[Document]:
    """Return what `helm install NAME` would create, hooks included."""
    place = ("--namespace", namespace, "--kube-version", KUBERNETES)
    text = helm("template", name, CHART, *place, *arguments)
    return [document for document in yaml.load_all(text, _LOADER) if document]
