"""An operator that comes beside jobs that wait, and say so, has nothing to tell or to write."""

from __future__ import annotations

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.test_waiting_for_a_quota import create, operators, refused, set_quota, waiting
from tests.support.eventually import until
from tests.support.operators import Operators

__all__ = ["operators"]
ROUNDS = 5
"""Refusals until an operator has asked for ten seconds or so."""


def told(ns: ClusterNamespace, mark: int) -> int:
    """Return how many Events were asked for since then."""
    return sum(
        request.verb == "create" and request.resource == "events" for request in ns.requests(mark)
    )


def test_jobs_that_wait_for_a_quota_are_told_of_once(
    ns: ClusterNamespace, operators: Operators
) -> None:
    set_quota(ns, pods="0")
    first = operators.ready()
    create(ns, "early")
    create(ns, "late")
    until(lambda: waiting(ns) == 2)
    for name in ("early", "late"):
        assert [reason for reason, _ in ns.job_events(name)].count("NotGoingOn") == 1
    first.kill()
    mark = ns.cluster.audit.mark()
    operators.ready()
    until(lambda: refused(ns, mark) >= ROUNDS)
    assert (told(ns, mark), ns.writes(mark), waiting(ns)) == (0, [], 2)
