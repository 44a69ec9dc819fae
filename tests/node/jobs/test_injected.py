"""Containers that others put into a session's Pod: a vault's comes first, a mesh's stays."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from functools import partial

import pytest
from dev.node.images import PYTHON

from tests.node.jobs.one_job import House, OneJob, while_there
from tests.node.jobs.written import SLEEPS, script
from tests.support.eventually import until
from tests.support.pods import session_pod
from tests.support.resources import Document, of_scripts

POLICIES = "admissionregistration.k8s.io/v1"
SECURITY = "securityContext: Object.spec.{of}.securityContext{{allowPrivilegeEscalation: false, \
capabilities: Object.spec.{of}.securityContext.capabilities{{drop: ['ALL']}}}}"
FIRST = """[JSONPatch{{op: "add", path: "/spec/initContainers/0", value: {container}}}]"""
BESIDE = """[JSONPatch{{op: "add", path: "/spec/containers/-", value: {container}}}]"""
REFUSED = "open('/dev/termination-log', 'w').write('no route to vault'); print('tried'); exit(3)"
STAYS = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); "
    "print('still here', flush=True); time.sleep(600)"
)


def injected(name: str, of: str, code: str, image: str = PYTHON) -> str:
    """Return a container as an expression of a policy."""
    given = f'name: "{name}", image: "{image}", imagePullPolicy: "Never"'
    command = f'command: ["python3", "-c", "{code}"]'
    return f"Object.spec.{of}{{{given}, {command}, {SECURITY.format(of=of)}}}"


INJECTED = {
    "refused": FIRST.format(container=injected("vault", "initContainers", REFUSED)),
    "hangs": FIRST.format(container=injected("vault", "initContainers", STAYS)),
    "no-image": FIRST.format(container=injected("vault", "initContainers", "", "localhost/no:1")),
    "proxy": BESIDE.format(container=injected("proxy", "containers", STAYS)),
}
"""What is put into Pods, by their label `inject`."""


@pytest.fixture(scope="module")
def flags() -> Sequence[str]:
    return ("--grace-seconds=2", "--pull-patience-seconds=8")


@pytest.fixture(scope="module", autouse=True)
def injecting(house: House) -> Generator[None]:
    """Have somebody else's containers put into the Pods of this file's namespace."""
    ns = house.ns
    with ExitStack() as policies:
        for label, expression in INJECTED.items():
            for document in policy(f"{ns.namespace}-{label}", ns.namespace, label, expression):
                policies.enter_context(while_there(ns, document))
        for label in INJECTED:
            until(partial(is_injected, house, label))
        yield


def policy(name: str, namespace: str, label: str, expression: str) -> list[Document]:
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    constraints = {
        "resourceRules": [pods | {"resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": {"inject": label}},
    }
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}
    spec = {
        "matchConstraints": constraints,
        "mutations": [mutation],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
    }
    kind, metadata = "MutatingAdmissionPolicy", {"name": name}
    return [
        {"apiVersion": POLICIES, "kind": kind, "metadata": metadata, "spec": spec},
        {
            "apiVersion": POLICIES,
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "spec": {"policyName": name},
        },
    ]


def is_injected(house: House, label: str) -> bool:
    """Whether the API server would put the container into a Pod with the label."""
    document = session_pod(
        of_scripts(script("open"))
        | {"metadata": {"name": "none", "namespace": house.ns.namespace, "uid": "none"}}
    )
    document["metadata"]["labels"]["inject"] = label
    create = "create", "--dry-run=server", "-o", "yaml", "-f", "-"
    made = house.ns.kubectl(*create, stdin=json.dumps(document))
    return "name: vault" in made or "name: proxy" in made


def test_an_init_container_that_fails_is_named_with_its_log_and_retried_after_a_pause(
    job: OneJob,
) -> None:
    again = {"policy": "Retry", "limit": 1, "backoffSeconds": 1}
    sessions = [{"name": "houdini", "onInterrupted": again}]
    job.run(script("open"), sessions=sessions, labels={"inject": "refused"})
    told = job.fails()
    assert told.reason == "InitContainer"
    assert "its init container vault ended with exit code 3: no route to vault" in told.line
    last = job.pods()[-1]["metadata"]["name"]
    assert len(job.pods()) == 2
    assert f"kubectl logs -n {job.namespace} {last} -c vault" in told.why
    assert job.kubectl("logs", last, "-c", "vault") == "tried\n"


def test_an_init_container_that_hangs_or_has_no_image_is_why_the_job_waits(job: OneJob) -> None:
    missing = job.another("missing")
    job.run(script("open"), labels={"inject": "hangs"})
    missing.run(script("open"), labels={"inject": "no-image"})
    job.says_that("its init container vault has not ended")
    told = job.fails()
    assert told.reason == "InitContainer"
    pod = job.pod()["metadata"]["name"]
    assert f"kubectl logs -n {job.namespace} {pod} -c vault" in told.why
    assert job.kubectl("logs", pod, "-c", "vault") == "still here\n"
    told = missing.fails()
    assert told.reason == "ImagePullFailed"
    assert "its init container vault: localhost/no:1: " in told.line


def test_a_proxy_that_never_ends_keeps_no_pod_up(job: OneJob) -> None:
    sessions = [{"name": "houdini"}, {"name": "nuke"}]
    scripts = script("open", session="houdini"), script("comp", SLEEPS, session="nuke")
    job.run(*scripts, sessions=sessions, labels={"inject": "proxy"})
    job.runs("comp")

    def first() -> Document:
        return job.pods()[0]

    until(lambda: first()["status"]["phase"] == "Failed")
    assert first()["status"]["reason"] == "DeadlineExceeded"
    name = first()["metadata"]["name"]
    assert "--- open, attempt 1" in job.output(name)
    assert job.kubectl("logs", name, "-c", "proxy") == "still here\n"
    assert job.rows() == [("open", "Succeeded", 1), ("comp", "Running", 1)]
    job.kubectl("delete", "ensojob", job.name)
