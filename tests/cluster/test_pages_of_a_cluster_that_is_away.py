"""A page of jobs of a cluster says so when the API server is away, though nothing changes."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.browser import Visit, browser, visit
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.fault_proxy import FaultProxy, on
from tests.support.resources import of_scripts
from tests.support.serve_program import serving

__all__ = ["browser", "visit"]  # fixtures: pytest finds them here


def test_it_says_so_until_the_api_server_is_back(visit: Visit, ns: ClusterNamespace) -> None:
    ns.objects.create(of_scripts({}) | {"metadata": {"name": "shot"}})
    with (
        FaultProxy(ns.cluster.kubeconfig) as proxy,
        serving(proxy.kubeconfig, "--namespace", ns.namespace) as server,
    ):
        address = f"http://localhost:{server.port}"
        windows = [visit(address) for _ in range(2)]
        windows[1].go("/jobs/shot")
        for window in windows:
            window.sees("shot")
        until(lambda: proxy.count(on("watch", "ensojobs")))

        proxy.away()
        for window in windows:
            window.sees("No news since", "API server")

        proxy.back()
        for window in windows:
            trouble = window.page.locator("#trouble")
            expect(trouble).to_be_empty(timeout=DEADLINE_SECONDS * 1000)
