"""When a job in Pods has ended, however it ended, an operator asks for nothing more."""

from __future__ import annotations

import time

from tests.node.jobs.pod_namespace import PodNamespace
from tests.node.jobs.written import SLEEPS, container, script
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts

EATS = {"resources": {"limits": {"memory": "64Mi"}}}
NO_SECRET = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "nobody", "key": "token"}}}
NO_NODE = {"nodeSelector": {"gpu": "yes"}}
FOREIGN = ("kubectl", "kube-", "kubelet")
AFTERWARDS_SECONDS = 10


def houdini(**more: object) -> list[Document]:
    return [{"name": "houdini", **more}]


ENDS: dict[str, tuple[str, Document]] = {
    "good": ("", of_scripts(script("open"))),
    "raises": ("Exception", of_scripts(script("open", "def main(): 1 / 0"))),
    "exits": ("ExitCode", of_scripts(container("open", "false"))),
    "eats": (
        "OutOfMemory",
        of_scripts(script("open", "def main(): b'x' * (1 << 30)"), sessions=houdini(**EATS)),
    ),
    "no-image": (
        "ImagePullFailed",
        of_scripts(script("open"), sessions=houdini(image="Studio/HOUDINI::1")),
    ),
    "no-secret": ("ConfigError", of_scripts(script("open"), sessions=houdini(env=[NO_SECRET]))),
    "no-node": ("Unschedulable", of_scripts(script("open"), sessions=houdini(**NO_NODE))),
    "late": ("DeadlineExceeded", of_scripts(script("open", SLEEPS), activeDeadlineSeconds=4)),
    "evicted": ("SessionLost", of_scripts(script("open", SLEEPS))),
}
"""Jobs, and the reason for which each of them ends."""


def test_nothing_is_asked_for_ten_seconds_after_every_end(
    ns: PodNamespace, operators: Operators
) -> None:
    operator = operators.ready(
        "--grace-seconds=2",
        "--pull-patience-seconds=2",
        "--schedule-patience-seconds=2",
        "--resync-seconds=600",
    )
    for name, (_, document) in ENDS.items():
        ns.apply(document | {"metadata": {"name": name}})
    ns.runs("open", "evicted")
    ns.kubectl("delete", "pod", "-l", "enso.dev/job=evicted", "--force", "--grace-period=0")
    for name, (reason, _) in ENDS.items():
        ns.waits("Finished", name)
        assert (name, ns.get(name)["status"].get("reason", "")) == (name, reason)
    until(lambda: "enso_live_jobs 0.0" in operator.http_get("/metrics")[1])

    mark = ns.node.audit.mark()
    time.sleep(AFTERWARDS_SECONDS)  # this time is what is looked at
    asked = [call for call in ns.node.audit.since(mark) if call.namespace == ns.namespace]
    ours = [call for call in asked if not call.user_agent.startswith(FOREIGN)]
    assert [(call.verb, call.resource, call.name) for call in ours] == []
