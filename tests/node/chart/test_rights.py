"""Nobody of a release has a right that is not used, or asks for what is not granted."""

from __future__ import annotations

import pytest
from dev.cluster.audit import Request
from dev.node.images import PYTHON

from enso_operator.sessions.pods.names import GATE, JOB_LABEL, JOB_UID_LABEL, pod_name
from tests.cluster.action_client import apply_failing_job, resume_with
from tests.node.chart.forwarded import forwarded
from tests.node.chart.release import OPERATOR, WAITS, Release, ReleaseNamespace
from tests.node.chart.rights import asked, granted, quota, requests_of
from tests.node.jobs.pod_namespace import Document
from tests.node.pods import pod
from tests.support.eventually import until
from tests.support.resources import library_script
from tests.support.templates import run, template

PASSES, FAILS, SLEEPS = (
    "def main(**_): pass",
    "def main(): raise ValueError",
    "import time\ndef main(): time.sleep(600)",
)
SECRET = {"name": "token", "secretKeyRef": {"name": "tracker", "key": "token"}}
IN_VAIN = {"image": PYTHON, "command": ["sleep", "600"]}


def of(source: str) -> Document:
    return {"name": "only", "source": source}


@pytest.fixture
def mark(ns: ReleaseNamespace) -> int:
    """The place in the audit log at which the test begins."""
    return ns.node.audit.mark()


def test_the_operator_uses_each_of_its_rights_and_asks_for_no_other(
    ns: ReleaseNamespace, release: Release, mark: int
) -> None:
    release.install("sessions.graceSeconds=1", "resyncSeconds=1")
    apply_failing_job(ns)
    resume_with(ns, 1)
    full_namespace(ns, release)
    resume_with(ns, 2)  # the operator that came next reads what the one before has stored
    late = late_pod(ns)
    a_job_of_every_kind(ns)
    missing_volume(ns, release, mark)
    taken_name(ns)
    run_of_a_template(ns)
    until(lambda: late not in ns.kubectl("get", "pods", "-o", "name").split())
    ns.begin("last", of(PASSES))
    assert ns.ends("last")["scripts"][0]["state"] == "Succeeded"

    ns.waits("Succeeded", "c")
    requests = requests_of(release, OPERATOR, mark)
    # A quota refuses as a missing right does.
    by_quota = [
        request for request in requests if (request.resource, request.verb) == ("pods", "create")
    ]
    # Nothing is asked of these: admission wants them of whoever blocks a deletion or sets an owner.
    for_admission = {("ensojobs/finalizers", "update"), ("ensoactions", "delete")}
    assert asked(requests) | for_admission == granted(release, OPERATOR)
    assert [
        request for request in requests if is_refused(request) and request not in by_quota
    ] == []
    elsewhere = {request.namespace for request in requests if request.resource} - {ns.namespace}
    assert elsewhere == {release.namespace}
    leases = {
        request.name
        for request in requests
        if request.resource == "leases" and request.verb != "create"
    }
    assert leases == {OPERATOR}


def test_the_http_api_and_the_releases_own_test_use_all_of_theirs(
    ns: ReleaseNamespace, release: Release, mark: int
) -> None:
    release.install("gateway.enabled=true", "gateway.auth=none", "replicas=1")
    with forwarded(release, f"{OPERATOR}-gateway") as http:
        ns.apply(library_script("open-scene", source="def main(frames): 1 / frames"))
        wanted: Document = {"instructions": [["open_scene", {"frames": 0}]]}
        name = http.post("/add-job", json=wanted).json()["jobid"]
        http.post("/execute-job", json={"jobid": name})
        ns.ends(name)
        assert len(http.get("/list-jobs").json()) == 1
        changes = [{"name": "open-scene", "args": {"frames": 1}}]
        resumed = http.post("/resume-job", json={"jobid": name, "scripts": changes})
        assert resumed.status_code == 200
        ns.waits("Succeeded", name)
        assert http.get(f"/get-job/{name}").json()["scripts"][0]["parameters"] == {"frames": 1}
        for page in (f"/jobs/{name}", f"/jobs/{name}/scripts/open-scene/attempts/2/output"):
            assert http.get(page).status_code == 200
        with http.stream("GET", "/live") as stream:  # a watch, once somebody looks
            assert stream.status_code == 200
            watched = ("ensojobs", "watch")
            until(lambda: watched in asked(requests_of(release, f"{OPERATOR}-gateway", mark)))
        ns.apply(template({"name": "only", "source": PASSES, "args": {"a": "$(params.shot)"}}))
        of_template: Document = {"template": "publish", "params": {"shot": "010"}}
        name = http.post("/add-job", json=of_template).json()["jobid"]
        http.post("/execute-job", json={"jobid": name})
        ns.waits("Succeeded", name)
        refused = http.post("/add-job", json=of_template | {"template": "publihs"})
        assert refused.json()["error"].endswith("did you mean publish?")
        of_no_script: Document = {"instructions": [["comes_later", {}]]}
        early = http.post("/add-job", json=of_no_script)
        assert "jobid" in early.json()
    release.test()

    # The roles of the test went with it.
    of_test = {("ensojobs", verb) for verb in ("create", "get", "delete")}
    for account, rights in (
        (f"{OPERATOR}-gateway", granted(release, f"{OPERATOR}-gateway")),
        (f"{OPERATOR}-test", of_test),
    ):
        requests = requests_of(release, account, mark)
        # Kubernetes lets everybody ask what they may do.
        assert asked(requests) - {("selfsubjectaccessreviews", "create")} == rights
        assert [request for request in requests if is_refused(request)] == []


def full_namespace(ns: ReleaseNamespace, release: Release) -> None:
    """A job that waits for room; the operator that comes next finds the plan of the one before."""
    ns.apply(quota(0))
    until(lambda: ns.kubectl("get", "quota", "few", "-o", "jsonpath={.status.hard.pods}") == "0")
    mark = ns.node.audit.mark()
    ns.begin("waits", of(PASSES))
    until(lambda: ("pods", "create") in asked(requests_of(release, OPERATOR, mark)))
    leader = release.leading()["metadata"]["name"]
    release.hands_over(lambda: release.kubectl("delete", "pod", leader, "--wait=false"))
    until(lambda: ("configmaps", "get") in asked(requests_of(release, OPERATOR, mark)))
    ns.kubectl("delete", "quota", "few")
    ns.ends("waits")


def a_job_of_every_kind(ns: ReleaseNamespace) -> None:
    """Jobs that succeed, fail, are cancelled, are suspended, or go."""
    ns.kubectl("create", "secret", "generic", "tracker", "--from-literal=token=canary")
    ns.apply(library_script("open-scene", source=PASSES))
    library = {"name": "only", "scriptRef": {"name": "open_scene"}, "argsFrom": [SECRET]}
    ns.begin("expires", library, ttlSecondsAfterFinished=1)
    ns.begin("fails", of(FAILS))
    ns.begin("unknown", {"name": "only", "scriptRef": {"name": "opn_scene"}})
    ns.begin("in-vain", {"name": "only", "container": IN_VAIN, "timeoutSeconds": 1})
    ns.begin("late", of(SLEEPS), activeDeadlineSeconds=1)
    ns.begin("paused", of(WAITS), {"name": "then", "source": PASSES})
    ns.begin("deleted", of(SLEEPS))
    for name in ("deleted", "paused"):
        ns.runs("only", name)
    ns.kubectl("delete", "ensojob", "deleted")
    ns.patch("paused", suspend=True)
    ns.let_go("paused")
    until(lambda: ns.state("paused") == "Suspended")
    for name in ("fails", "unknown", "in-vain", "late"):
        ns.ends(name)
    until(lambda: not {"expires", "deleted"} & {*ns.names()})


def run_of_a_template(ns: ReleaseNamespace) -> None:
    """A run that is there before its template."""
    ns.apply(run("templated", shot="010"))
    until(lambda: ns.get("templated").get("status", {}).get("reason") == "TemplateNotFound")
    ns.apply(template({"name": "only", "source": PASSES, "args": {"a": "$(params.shot)"}}))
    assert ns.ends("templated")["template"] == {"name": "publish", "generation": 1}


def missing_volume(ns: ReleaseNamespace, release: Release, mark: int) -> None:
    """A job whose Pod does not begin, for a reason that only the Pod's Events tell."""
    session = {
        "name": "main",
        "volumes": [{"name": "keys", "secret": {"secretName": "nobody-made-it"}}],
        "volumeMounts": [{"name": "keys", "mountPath": "/keys"}],
    }
    ns.begin("no-keys", of(PASSES), sessions=[session])
    until(lambda: ("events", "list") in asked(requests_of(release, OPERATOR, mark)))
    ns.kubectl("delete", "ensojob", "no-keys")


def late_pod(ns: ReleaseNamespace) -> str:
    """A Pod of a job that has ended, as an operator makes it that slept meanwhile."""
    document = pod("late", "pass", schedulingGates=[{"name": GATE}])
    uid = ns.get("waits")["metadata"]["uid"]
    document["metadata"]["labels"] = {JOB_LABEL: "waits", JOB_UID_LABEL: uid}
    ns.apply(document)
    return "pod/late"


def taken_name(ns: ReleaseNamespace) -> None:
    """A job whose Pod's name somebody else has taken."""
    ns.begin("taken", of(PASSES), suspend=True)
    name = pod_name("taken", "main-1", ns.get("taken")["metadata"]["uid"])
    ns.apply(pod(name, "pass"))
    ns.patch("taken", suspend=False)
    assert "is there already" in "\n".join(ns.ends("taken")["why"])


def is_refused(request: Request) -> bool:
    return request.code in (401, 403)
