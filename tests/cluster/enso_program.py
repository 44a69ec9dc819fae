"""`enso` as people start it: a process of its own, with the kubeconfig of a test's namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from enso_operator.kube.client import ApiObjects
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context
from tests.support.resources import Document

DEADLINE_SECONDS = 180


class Enso:
    """Starts `enso` in one namespace, whose context has it."""

    def __init__(self, ns: ClusterNamespace, folder: Path) -> None:
        self.ns = ns
        self.kubeconfig = of_context(ns.cluster, ns.namespace, folder)

    @contextmanager
    def started(
        self, *arguments: str, kubeconfig: Path | None = None
    ) -> Generator[subprocess.Popen[str]]:
        """Start it; it does not outlive the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "enso_operator", *arguments],
            env=os.environ | {"KUBECONFIG": str(kubeconfig or self.kubeconfig)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def __call__(self, *arguments: str, kubeconfig: Path | None = None) -> tuple[int, str, str]:
        """Run it to its end; return the exit code, standard output and standard error."""
        with self.started(*arguments, kubeconfig=kubeconfig) as process:
            said, wrong = process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, said, wrong

    def refusal(self, *arguments: str, kubeconfig: Path | None = None) -> str:
        """Run it; return the sentence on standard error with which it refuses."""
        code, said, wrong = self(*arguments, kubeconfig=kubeconfig)
        assert (code, said, wrong.count("\n")) == (2, "", 1), wrong
        return wrong.removeprefix("enso: ").rstrip("\n")


def with_status(objects: ApiObjects, document: Document, status: Document) -> dict[str, Any]:
    """Create an EnsoJob, and write the status that an operator would."""
    made: dict[str, Any] = objects.create(document)
    return set_status(objects, made, status)


def set_status(objects: ApiObjects, document: Document, status: Document) -> dict[str, Any]:
    """Write another status of an EnsoJob, as it was last read."""
    metadata = document["metadata"]
    return objects.patch_status(metadata["name"], metadata["resourceVersion"], status)
