"""A release as docs/install.md describes it, where every Pod must be `restricted`."""

from __future__ import annotations

from tests.node.chart.forwarded import forwarded
from tests.node.chart.release import OPERATOR, Release, ReleaseDesk
from tests.support.operators import until
from tests.support.resources import library_script

FAILS = "def main(frames): raise ValueError(f'no frame {frames}')"
SAYS = "def main(path): print('opened', path)"


def test_a_release_runs_jobs_says_why_one_fails_and_passes_its_own_test(
    desk: ReleaseDesk, release: Release
) -> None:
    said = release.install()
    assert f"looks after EnsoJobs in {desk.namespace}" in said
    assert [is_ready(pod) for pod in release.operators()] == [True, True]

    desk.begin("good", {"name": "say", "source": SAYS, "args": {"path": "/shots/010"}})
    desk.begin("bad", {"name": "simulate", "source": FAILS, "args": {"frames": 48}})
    desk.ends("good")
    assert desk.columns("good") == ["good", "Succeeded", "1/1"]
    status = desk.ends("bad")
    assert desk.columns("bad") == ["bad", "Failed", "0/1", "simulate", "Exception"]
    card = "\n".join(status["why"])
    for told in ("ValueError: no frame 48", "frames=48", "simulate, line 1 in main", "enso-node"):
        assert told in card
    assert desk.kubectl("describe", "ensojob", "bad").count("ValueError: no frame 48") > 1

    said = release.test()
    assert "enso: it is Succeeded" in said
    assert f"in namespace {desk.namespace}" in said
    until(lambda: desk.names() == ["bad", "good"])  # it leaves nothing behind


def test_the_http_api_and_kubectl_see_the_same_jobs(desk: ReleaseDesk, release: Release) -> None:
    release.install("gateway.enabled=true", "replicas=1")
    desk.apply(library_script("open-scene", source=SAYS))
    with forwarded(release, f"{OPERATOR}-gateway") as http:
        assert http.get("/list-jobs").json() == []

        job = {"instructions": [["open_scene", {"path": "/shots/010"}]]}
        name = http.post("/add-job", json=job).json()["jobid"]
        assert desk.names() == [name]
        until(lambda: desk.state(name) == "Suspended")
        assert http.post("/execute-job", json={"jobid": name}).status_code == 202
        desk.ends(name)

        assert http.get("/list-jobs").json() == [{"jobid": name, "state": "Succeeded"}]
        assert http.get(f"/get-job/{name}").json()["state"] == "Succeeded"
    assert "opened /shots/010" in desk.output(desk.pods_of(name)[0]["metadata"]["name"])


def is_ready(pod: dict[str, object]) -> bool:
    status: dict[str, list[dict[str, object]]] = pod["status"]  # type: ignore[assignment]
    return all(one["ready"] for one in status["containerStatuses"])
