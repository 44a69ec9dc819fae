"""A release as docs/install.md describes it, where every Pod must be `restricted`."""

from __future__ import annotations

from tests.node.chart.forwarded import forwarded
from tests.node.chart.release import OPERATOR, Release, ReleaseNamespace
from tests.support.eventually import until
from tests.support.resources import library_script

FAILS = "def main(frames): raise ValueError(f'no frame {frames}')"
SAYS = "def main(path): print('opened', path)"


def test_a_release_runs_jobs_says_why_one_fails_and_passes_its_own_test(
    ns: ReleaseNamespace, release: Release
) -> None:
    said = release.install()
    assert f"looks after EnsoJobs in {ns.namespace}" in said
    assert [is_ready(pod) for pod in release.operators()] == [True, True]

    ns.begin("good", {"name": "say", "source": SAYS, "args": {"path": "/shots/010"}})
    ns.begin("bad", {"name": "simulate", "source": FAILS, "args": {"frames": 48}})
    ns.ends("good")
    assert ns.columns("good") == ["good", "Succeeded", "1/1"]
    status = ns.ends("bad")
    assert ns.columns("bad") == ["bad", "Failed", "0/1", "simulate", "Exception"]
    card = "\n".join(status["why"])
    for told in ("ValueError: no frame 48", "frames=48", "simulate, line 1 in main", "enso-node"):
        assert told in card
    assert ns.kubectl("describe", "ensojob", "bad").count("ValueError: no frame 48") > 1

    said = release.test()
    assert "enso: it is Succeeded" in said
    assert f"in namespace {ns.namespace}" in said
    until(lambda: ns.names() == ["bad", "good"])  # it leaves nothing behind


def test_the_http_api_and_kubectl_see_the_same_jobs(ns: ReleaseNamespace, release: Release) -> None:
    release.install("gateway.enabled=true", "replicas=1")
    ns.apply(library_script("open-scene", source=SAYS))
    ns.kubectl("create", "serviceaccount", "ann")
    rights = ("--verb=get,list,create,patch", "--resource=ensojobs.enso.dev")
    ns.kubectl("create", "role", "ann", *rights)
    whom = f"--serviceaccount={ns.namespace}:ann"
    ns.kubectl("create", "rolebinding", "ann", "--role=ann", whom)
    with forwarded(release, f"{OPERATOR}-gateway") as http:
        asked = http.get("/list-jobs")  # its Pod has no token of its own that could answer
        assert (asked.status_code, "kubectl create token" in asked.text) == (401, True)
        http.headers["Authorization"] = f"Bearer {ns.kubectl('create', 'token', 'ann').strip()}"
        until(lambda: http.get("/list-jobs").status_code == 200)  # the API server knows her rights
        assert http.get("/list-jobs").json() == []

        job = {"instructions": [["open_scene", {"path": "/shots/010"}]]}
        name = http.post("/add-job", json=job).json()["jobid"]
        assert ns.names() == [name]
        until(lambda: ns.state(name) == "Suspended")
        assert http.post("/execute-job", json={"jobid": name}).status_code == 202
        ns.ends(name)

        assert http.get("/list-jobs").json() == [{"jobid": name, "state": "Succeeded"}]
        assert http.get(f"/get-job/{name}").json()["state"] == "Succeeded"
    assert "opened /shots/010" in ns.output(ns.pods_of(name)[0]["metadata"]["name"])


def is_ready(pod: dict[str, object]) -> bool:
    status: dict[str, list[dict[str, object]]] = pod["status"]  # type: ignore[assignment]
    return all(container["ready"] for container in status["containerStatuses"])
