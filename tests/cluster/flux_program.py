"""Flux's own packages as a program (dev/cluster/go/flux): what Flux would do and say."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from dev.checkout import CHECKOUT
from dev.cluster import binaries

from tests.support.resources import Document

EXPRESSIONS = CHECKOUT / "deploy" / "flux" / "health-checks.yaml"
PROGRAM = "enso-flux"


class FluxSays(Exception):  # what it is, not that it is an error
    """Flux failed; the message is what it says."""


@dataclass(frozen=True)
class Flux:
    """Applies as the kustomize-controller does, in one cluster."""

    kubeconfig: Path

    def apply(self, *documents: Document, force: bool = False, waits: bool = False) -> str:
        """Return what was done with each: created, configured or unchanged. Raises FluxSays."""
        forced = ["--force"] if force else []
        return self.says("apply", *forced, *([str(EXPRESSIONS)] if waits else []), of=documents)

    def health(self, documents: Sequence[Document]) -> list[Document]:
        """Return what kstatus, and the expressions in deploy/flux, say of each."""
        said: list[Document] = json.loads(self.says("health", str(EXPRESSIONS), of=documents))
        return said

    def says(self, *arguments: str, of: Sequence[Document]) -> str:
        found = binaries.local((PROGRAM,))
        if not found:
            sentence = f"{PROGRAM} not on this machine: `python -m dev node get` builds it"
            if os.environ.get("CI"):
                pytest.fail(sentence)
            pytest.skip(sentence)
        listed = {"apiVersion": "v1", "kind": "List", "items": [*of]}
        done = subprocess.run(
            [found[PROGRAM], *arguments],
            input=json.dumps(listed),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig)},
            timeout=120,
        )
        if done.returncode:
            raise FluxSays(done.stderr)
        return done.stdout
