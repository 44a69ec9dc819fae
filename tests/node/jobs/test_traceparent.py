"""Scripts in Pods find the ids of their spans, and these say in which Pod it was."""

from __future__ import annotations

from tests.node.jobs.pod_namespace import PodNamespace
from tests.node.jobs.written import container, script
from tests.support.collector import Collector
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import of_scripts

TELLS = "import os; print(os.environ['TRACEPARENT'])"


def test_a_session_and_a_container_tell_it(ns: PodNamespace, operators: Operators) -> None:
    with Collector() as collector:
        until(operators.start(environment=collector.environment).is_ready)
        own = script("own", f"def main():\n    {TELLS}")
        ns.apply(of_scripts(own, container("tell", "python3", "-c", TELLS)))
        ns.waits("Succeeded")
        until(lambda: len(collector.spans) == 5)
    assert collector.tree == [
        "job shot",
        "job shot > session main",
        "job shot > session main > script own",
        "job shot > session tell",
        "job shot > session tell > script tell",
    ]
    pods = {pod["metadata"]["labels"]["enso.dev/session"]: pod for pod in ns.pods()}
    for name, session in (("own", "main"), ("tell", "tell")):
        span, pod = collector.named(f"script {name}"), pods[session]["metadata"]["name"]
        assert span.attributes["k8s.pod.name"] == pod
        assert f"00-{span.trace}-{span.id}-01" in ns.output(pod)
