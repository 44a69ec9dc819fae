"""`enso serve --auth=kubernetes` behind a proxy that signs people in (docs/whose-rights.md)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context
from tests.cluster.users import READ, WRITE, user
from tests.support.serve_program import serving
from tests.support.signed_in import PAGE
from tests.support.signing_proxy import COOKIE, signing_proxy

HOST = "enso.studio.example"
JOB = {"instructions": [["example_script", {"arg1": "a", "arg2": "b"}]]}


@pytest.fixture
def browsers(ns: ClusterNamespace, tmp_path: Path) -> Generator[dict[str, httpx.Client]]:
    """Those of ann, who reads, of bob, who writes, and of one who has not signed in there."""
    tokens = {"ann": user(ns, "ann", *READ).token, "bob": user(ns, "bob", *WRITE).token}
    kubeconfig = of_context(ns.cluster, ns.namespace, tmp_path)
    arguments = ("--auth=kubernetes", "--trusted-proxy=127.0.0.0/8")
    with ExitStack() as stack:
        server = stack.enter_context(serving(kubeconfig, *arguments))
        port = stack.enter_context(signing_proxy(server.port, tokens))
        # The proxy of the test has no TLS: the addresses are those that a browser would know.
        yield {
            name: stack.enter_context(
                httpx.Client(
                    base_url=f"http://127.0.0.1:{port}",
                    headers=PAGE | {"Host": HOST, "Cookie": f"{COOKIE}={name}"},
                    trust_env=False,
                    timeout=60,
                )
            )
            for name in ("ann", "bob", "eve")
        }


def test_people_have_their_own_rights_and_no_other_sign_in(
    browsers: dict[str, httpx.Client], ns: ClusterNamespace
) -> None:
    own_page = {"Origin": f"https://{HOST}"}
    assert browsers["eve"].get("/").headers["location"].startswith("https://login.example.com/")

    added = browsers["bob"].post("/add-job", json=JOB, headers=own_page)
    assert added.status_code == 201, added.text
    jobid = added.json()["jobid"]
    page = browsers["ann"].get("/")
    assert page.status_code == 200
    assert jobid in page.text
    assert f"system:serviceaccount:{ns.namespace}:ann" in page.text
    assert "/sign-out" not in page.text  # the proxy has its own
    assert page.headers["set-cookie"].startswith("__Host-enso-form=")

    refused = browsers["ann"].post("/add-job", json=JOB, headers=own_page)
    assert refused.status_code == 403
    assert "cannot create resource" in refused.text


def test_a_page_of_another_site_cannot_use_the_cookie_of_the_proxy(
    browsers: dict[str, httpx.Client], ns: ClusterNamespace
) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": f"http://{HOST}"},
    ):
        refused = browsers["bob"].post("/add-job", json=JOB, headers=headers)
        assert refused.status_code == 403
        assert "a page of another site" in refused.text
    assert ns.names() == []
