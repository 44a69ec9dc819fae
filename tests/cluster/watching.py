"""Operators behind a proxy whose watches have all begun: one is ready before that."""

from __future__ import annotations

from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, on, sent_by
from tests.support.operators import Operator, Operators

KOPF = sent_by("kopf")
WATCHES = (
    KOPF & on("watch", "ensojobs"),
    KOPF & on("watch", "ensoactions"),
    ~KOPF & on("watch", "ensojobs"),  # of those that have ended
)


def operator_that_watches(operators: Operators, proxy: FaultProxy, *flags: str) -> Operator:
    """Start an operator behind the proxy, and wait until it has made all calls of its start."""
    before = [proxy.count(watch) for watch in WATCHES]
    operator = operators.start(*flags, kubeconfig=proxy.kubeconfig)
    until(lambda: all(map(int.__gt__, map(proxy.count, WATCHES), before)))
    until(operator.is_ready)
    return operator
