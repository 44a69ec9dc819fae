"""A proxy before a real API server that numbers every call, and breaks chosen ones.

Tests kill, cut and contradict an operator with it at every single call that it makes:

    with FaultProxy(cluster.kubeconfig) as proxy:
        operator = start(proxy.kubeconfig)
        proxy.add(number(7, writes()), after(lambda: os.kill(operator.pid, signal.SIGKILL)))
        …
    assert proxy.count(writes()) == 12

Every program that reads a kubeconfig can use it: kubectl, the Python client, kopf. Connections that
are upgraded (`kubectl exec`, `port-forward`) are not supported. One proxy per program
keeps programs apart; one per run starts the numbers afresh, and it starts in milliseconds.

A client may send a call again by itself when its connection is dropped: Go and urllib3 do so with
GET, and urllib3 with PUT and DELETE too. That is a call of its own, with its own number.
"""

from tests.support.fault_proxy.calls import Call
from tests.support.fault_proxy.faults import (
    after,
    answer,
    answer_nonetheless,
    before,
    hold,
    meanwhile,
)
from tests.support.fault_proxy.proxy import FaultProxy
from tests.support.fault_proxy.rules import (
    Filter,
    Rule,
    anything,
    every,
    number,
    on,
    randomly,
    sent_by,
    watches,
    writes,
)

__all__ = [
    "Call",
    "FaultProxy",
    "Filter",
    "Rule",
    "after",
    "answer",
    "answer_nonetheless",
    "anything",
    "before",
    "every",
    "hold",
    "meanwhile",
    "number",
    "on",
    "randomly",
    "sent_by",
    "watches",
    "writes",
]
