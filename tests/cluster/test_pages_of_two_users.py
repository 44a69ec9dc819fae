"""Two people in front of browsers, over a real API server: each sees and does what they may."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
import yaml
from dev.checkout import CHECKOUT

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context
from tests.cluster.users import READ, WRITE, user
from tests.support.browser import Visit, browser, visit
from tests.support.operators import Operators
from tests.support.serve_program import Server, serving
from tests.support.visitor import Visitor

__all__ = ["browser", "visit"]  # fixtures: pytest finds them here
BROKEN = yaml.safe_load((CHECKOUT / "examples" / "publish-shot-broken.yaml").read_text("utf-8"))
JOB = str(BROKEN["metadata"]["name"])
ACT = "ensoactions.enso.dev=get,list,create"
SEE = "ensoactions.enso.dev=get,list"
CHANGES = "controllerrevisions.apps=get"


@pytest.fixture
def server(ns: ClusterNamespace, tmp_path: Path) -> Generator[Server]:
    with serving(of_context(ns.cluster, ns.namespace, tmp_path), "--auth=kubernetes") as server:
        yield server


def signed_in(visit: Visit, server: Server, token: str) -> Visitor:
    visitor = visit(f"http://localhost:{server.port}")
    visitor.sees("Sign in", "kubectl create token")
    visitor.fills("Token of the cluster", token)
    visitor.presses("Sign in")
    return visitor


def test_one_reads_and_another_one_mends(
    visit: Visit, server: Server, ns: ClusterNamespace, operators: Operators
) -> None:
    operators.start()
    ns.apply(BROKEN)
    ns.waits("Finished", JOB)
    reader = user(ns, "ann", *READ, CHANGES, SEE)
    artist = user(ns, "bob", *WRITE, CHANGES, ACT)

    ann = signed_in(visit, server, reader.token)
    ann.follows(JOB)
    ann.sees(reader.name, "simulate failed", "needs at least 2 substeps, not 1")
    assert ann.page.get_by_role("button", name="Resume").get_attribute("aria-disabled") == "true"
    ann.page.get_by_text("Why are some grey?").click()
    ann.sees("create ensoactions")

    bob = signed_in(visit, server, artist.token)
    bob.follows(JOB)
    bob.presses("Resume…")
    bob.fills("substeps", "4")
    bob.presses("Resume")
    bob.sees("Succeeded", artist.name)

    ann.sees("Succeeded", "3 of 3 scripts done", artist.name)  # without a click of hers


def test_who_signs_out_sees_nothing_any_more(
    visit: Visit, server: Server, ns: ClusterNamespace
) -> None:
    ns.apply(BROKEN)
    ann = signed_in(visit, server, user(ns, "ann", *READ).token)
    ann.sees(JOB)
    assert ann.violations() == []

    ann.presses("Sign out")
    ann.sees("Token of the cluster")
    ann.go(f"/jobs/{JOB}")
    ann.sees("Token of the cluster")
    assert ann.violations() == []
    ann.errors.clear()  # the browser's own, of the answer's status


def test_a_token_that_is_none_is_refused_in_a_sentence(visit: Visit, server: Server) -> None:
    nobody = signed_in(visit, server, "not-a-token-of-this-cluster")

    nobody.sees("does not accept this token")
    assert "not-a-token" not in nobody.page.content()
    nobody.errors.clear()  # the browser's own, of the answer's status
