"""What Argo CD, Flux and kubectl make of every state of our kinds, on statuses of real runs.

The objects are kept in deploy/argocd, beside Argo CD's scripts. They are recorded here again, and
must be what they were; `RECORD=1 pytest …` keeps the new ones instead.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import yaml
from dev.argocd import CUSTOMIZATIONS
from dev.cluster.plane import Cluster

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.flux_program import Flux
from tests.cluster.recorded_states import JOBS, Recorder, what_matters
from tests.support.lua import loaded
from tests.support.operators import Operators
from tests.support.resources import Document

FLUX = {"Progressing": "InProgress", "Suspended": "InProgress", "Healthy": "Current"}
"""What Flux says where Argo CD says this; all else has failed."""


def kept() -> dict[tuple[str, str], Path]:
    """Return the files of recorded objects, by kind and state."""
    files = CUSTOMIZATIONS.glob("enso.dev/*/testdata/*.yaml")
    return {(path.parents[1].name, path.stem): path for path in files}


def health() -> dict[tuple[str, str], str]:
    """Return the health that Argo CD's script says, by kind and state."""
    return {
        (path.parent.name, Path(row["inputPath"]).stem): row["healthStatus"]["status"]
        for path in CUSTOMIZATIONS.glob("enso.dev/*/health_test.yaml")
        for row in loaded(path)["tests"]
    }


def test_every_state_is_as_it_is_kept(ns: ClusterNamespace, operators: Operators) -> None:
    recorded = of_any_run([*Recorder(ns, operators).record()], ns.namespace, operators.root)
    if os.environ.get("RECORD"):
        for (kind, name), document in recorded.items():
            keep(kind, name, document)
    assert {key: what_matters(document) for key, document in recorded.items()} == {
        key: what_matters(loaded(path)) for key, path in kept().items()
    }
    with ThreadPoolExecutor(4) as pool:
        waited = dict(zip(JOBS, pool.map(partial(is_waited_for, ns), JOBS), strict=True))
    is_over = {"Healthy", "Degraded"}
    assert waited == {name: health()["EnsoJob", name] in is_over for name in JOBS}


def is_waited_for(ns: ClusterNamespace, job: str) -> bool:
    """Whether `kubectl wait` takes the job for finished."""
    wait = ("wait", "--for=condition=Finished", f"ensojob/{job}", "--timeout=0s")
    try:
        ns.kubectl(*wait)
    except subprocess.CalledProcessError:
        return False
    return True


def of_any_run(
    documents: list[Document], namespace: str, root: Path
) -> dict[tuple[str, str], Document]:
    """Return them by kind and state, without what differs from run to run."""
    text = json.dumps(documents).replace(str(root), "/var/lib/enso").replace(namespace, "shows")
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        text = text.replace(document["metadata"]["uid"], str(uuid5(NAMESPACE_URL, name)))
    text = re.sub(r"(?:\b\d+\.\d s|\b\d+ ms|(?:(?<=, )|(?<=after ))\d+ s)\b", "5 ms", text)
    text = re.sub(r"(?<=starts at )[-0-9T:]+Z", "2026-11-29T21:12:15Z", text)
    return {(one["kind"], one["metadata"]["name"]): one for one in json.loads(text)}


def keep(kind: str, name: str, document: Document) -> None:
    document["metadata"].pop("managedFields", None)
    path = CUSTOMIZATIONS / "enso.dev" / kind / "testdata" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=10_000))


def test_flux_and_kstatus_say_the_same_as_argo_cd(crds: Cluster) -> None:
    files = kept()
    said = Flux(crds.kubeconfig).health([*map(loaded, files.values())])
    expected = [FLUX.get(health()[key], "Failed") for key in files]
    assert {
        key: (one["kstatus"], one["expressions"]) for key, one in zip(files, said, strict=True)
    } == {
        key: (health, "" if key[0] == "EnsoJobTemplate" else health)
        for key, health in zip(files, expected, strict=True)
    }
    told = {key: one["message"] for key, one in zip(files, said, strict=True)}
    assert told["EnsoJob", "failed"].startswith("bake failed: ValueError: no licence")
