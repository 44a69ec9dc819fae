"""An API server that is reached by a proxy only, as HTTPS_PROXY says."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.story import Story
from tests.support.connect_proxy import connect_proxy
from tests.support.operators import Operators

NOBODY = "127.0.0.1:1"
"""An address that can only be reached through the proxy."""


def of_nobody(kubeconfig: Path, folder: Path) -> tuple[Path, int]:
    """Write a kubeconfig with an unreachable server; return it, and the real server's port."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    (cluster,) = config["clusters"]
    port = urlsplit(str(cluster["cluster"]["server"])).port
    cluster["cluster"]["server"] = f"https://{NOBODY}"
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    assert port
    return file, port


def test_the_operator_watches_by_the_proxy(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    kubeconfig, port = of_nobody(operators.kubeconfig, tmp_path)
    with connect_proxy(port) as proxy:
        environment = {"HTTPS_PROXY": proxy.url, "NO_PROXY": "elsewhere.example"}
        operators.start(kubeconfig=kubeconfig, environment=environment)
        story = Story(ns, "shot", tmp_path / "note")
        story.begin()
        story.ends_well()
        for operator in operators.started:
            operator.kill()
    assert {line.split()[1] for line in proxy.request_lines} == {NOBODY}
