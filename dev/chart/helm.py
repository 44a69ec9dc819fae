"""Asks helm about the chart, for check.py and tests: lint it, and render it with values files."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml
from dev.chart.generated import CHART
from dev.cluster import binaries

VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
"""As chart-testing has them: each is an installation of its own."""
KUBERNETES = "1.30.0"
"""The oldest that the chart is for: rendered for it, and checked against its schemas."""

Document = dict[str, Any]


class HelmSays(Exception):  # what it is, not that it is an error
    """Helm refuses; the message is its own."""


def helm(*arguments: str | Path) -> str:
    """Return what helm prints."""
    program = binaries.provide(("helm",))["helm"]
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise HelmSays(done.stdout + done.stderr)
    return done.stdout


def lint(values: Path) -> None:
    """Raise HelmSays where the chart is not as it should be."""
    helm("lint", "--strict", "--quiet", "--kube-version", KUBERNETES, CHART, "--values", values)


def render(*arguments: str | Path, namespace: str = "enso", name: str = "shows") -> list[Document]:
    """Return what `helm install NAME` would create, hooks included."""
    place = ("--namespace", namespace, "--kube-version", KUBERNETES)
    text = helm("template", name, CHART, *place, *arguments)
    return [document for document in yaml.safe_load_all(text) if document]
