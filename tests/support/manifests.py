"""Manifests in which tests make mistakes, and the messages about these."""

from __future__ import annotations

from pathlib import Path

import pytest

from enso_operator.manifests.load import ManifestError, load

HEAD = "apiVersion: enso.dev/v1alpha1\nkind: EnsoJob\nmetadata: {name: shot}\n"


def refusal(path: Path) -> str:
    """The message about a file's mistakes, without the file's name."""
    with pytest.raises(ManifestError) as error:
        load(path)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return "\n".join(line.removeprefix(f"{path}: ") for line in lines)


def spec(text: str) -> str:
    return f"{HEAD}spec:\n{text}"


def script(fields: str) -> str:
    return spec(f"  scripts: [{{name: save, source: x, {fields}}}]\n")
