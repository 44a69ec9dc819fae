"""`enso list`, `show` and `why` on a real API server, and what they say when it cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.enso_program import Enso, with_status
from tests.cluster.kubeconfigs import of_stranger
from tests.support.finished_jobs import copy
from tests.support.resources import of_scripts
from tests.support.statuses import FAILED_JOB

NAMES = ("open", "simulate", "publish", "notify")
LONGEST = "n" * 52


def job(name: str, **labels: str) -> dict[str, Any]:
    document = of_scripts(*({"name": script, "args": {"frames": 240}} for script in NAMES))
    return document | {"metadata": {"name": name, "labels": labels}}


@pytest.fixture
def enso(ns: ClusterNamespace, tmp_path: Path) -> Enso:
    return Enso(ns, tmp_path)


@pytest.fixture
def jobs(ns: ClusterNamespace) -> None:
    """Three jobs: one that failed, one that no operator has seen, one with the longest name."""
    with_status(ns.objects, job("publish-shot", shot="010"), FAILED_JOB)
    ns.objects.create(job("fresh"))
    with_status(ns.objects, job(LONGEST), FAILED_JOB)


@pytest.mark.usefixtures("jobs")
def test_jobs_are_listed_as_kubectl_does_in_every_form(enso: Enso, ns: ClusterNamespace) -> None:
    code, said, wrong = enso("list")
    assert (code, wrong) == (0, "")
    rows = {line.split()[0]: line.split()[1:-1] for line in said.splitlines()}
    of_kubectl = {
        line.split()[0]: line.split()[1:-1] for line in ns.kubectl("get", "ensojobs").splitlines()
    }
    for spared in ("ACTIVITY", "PROGRESS"):  # ours has no column in which nothing stands
        of_kubectl["NAME"].remove(spared)
    assert rows == of_kubectl | {"fresh": ["Waiting"]}
    assert "\x1b" not in said
    failed = {f"ensojob.enso.dev/{name}" for name in ("publish-shot", LONGEST)}
    assert {*enso("list", "-o", "name", "--failed")[1].split()} == failed
    wide = enso("list", "-o", "wide", "-A", "-l", "shot=010")[1].splitlines()
    assert wide[0].split()[-2:] == ["FINISHED", "POD"]
    ours = [line.split()[1:3] for line in wide if line.split()[0] == ns.namespace]
    assert ours == [["publish-shot", "Failed"]]
    for form, loads in (("json", json.loads), ("yaml", yaml.safe_load)):
        found: dict[str, Any] = loads(enso("list", "-o", form, "--reason", "OutOfMemory")[1])
        assert {item["metadata"]["name"] for item in found["items"]} == {"publish-shot", LONGEST}
        assert found["items"][0]["kind"] == "EnsoJob"
        assert found["items"][0]["status"]["why"] == FAILED_JOB["why"]
    assert "no jobs like these in namespace" in enso("list", "--reason", "Timeout")[2]


@pytest.mark.usefixtures("jobs")
def test_one_job_is_shown_and_explained(enso: Enso) -> None:
    code, said, _ = enso("show", "publish-shot")
    assert code == 0
    assert said.splitlines()[2:4] == ["Why:", f"  {FAILED_JOB['why'][0]}"]
    assert "simulate  frames=240" in said
    assert json.loads(enso("show", "fresh", "-o", "json")[1])["metadata"]["name"] == "fresh"
    assert enso("why", "publish-shot") == (0, "\n".join(FAILED_JOB["why"]) + "\n", "")
    code, said, _ = enso("why", "fresh")
    assert (code, said) == (
        1,
        "fresh has not failed, it is Waiting: no operator has looked at it yet\n",
    )


@pytest.mark.usefixtures("jobs")
def test_a_wrong_name_is_answered_with_those_like_it(enso: Enso, ns: ClusterNamespace) -> None:
    sentence = f"there is no job 'publish-sot' in namespace {ns.namespace}; did you mean "
    assert enso.refusal("show", "publish-sot") == f"{sentence}publish-shot?"
    elsewhere = enso.refusal("why", "shot", "-n", f"{ns.namespace}-other")
    assert elsewhere.endswith("-other, which has no jobs at all")
    assert "there is no job '../x'" in enso.refusal("why", "../x")


@pytest.mark.usefixtures("jobs")
def test_names_are_completed(
    enso: Enso, ns: ClusterNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_ENSO_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"enso show -n {ns.namespace} pub")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert enso()[1] == "plain,publish-shot\n"
    monkeypatch.setenv("COMP_WORDS", f"enso logs -n {ns.namespace} publish-shot --script si")
    monkeypatch.setenv("COMP_CWORD", "6")
    assert enso()[1] == "plain,simulate\n"
    monkeypatch.setenv("COMP_WORDS", f"enso resume -n {ns.namespace} fresh publish-shot --from no")
    monkeypatch.setenv("COMP_CWORD", "7")
    assert enso()[1] == "plain,notify\n"
    monkeypatch.setenv("COMP_WORDS", f"enso plan -n {ns.namespace} fre")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert enso()[1] == "plain,fresh\n"
    monkeypatch.setenv("COMP_WORDS", "enso plan ./sh")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert enso()[1] == "file,./sh\n"


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("shell", "where", "told"),
    [("zsh", "4", "plain\npublish-shot\n_\n"), ("fish", "pub", "plain,publish-shot\n")],
)
def test_other_shells_complete_names_too(
    enso: Enso,
    ns: ClusterNamespace,
    monkeypatch: pytest.MonkeyPatch,
    shell: str,
    where: str,
    told: str,
) -> None:
    monkeypatch.setenv("_ENSO_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", f"enso show -n {ns.namespace} pub")
    monkeypatch.setenv("COMP_CWORD", where)
    assert enso()[1] == told


def test_who_lacks_a_right_is_told_which(enso: Enso, ns: ClusterNamespace, tmp_path: Path) -> None:
    (tmp_path / "stranger").mkdir()
    kubeconfig = of_stranger(ns.cluster, ns.namespace, tmp_path / "stranger")
    sentence = enso.refusal("list", kubeconfig=kubeconfig)
    assert sentence.startswith("you lack a right in this cluster: ")
    assert (
        f'cannot list resource "ensojobs" in API group "enso.dev" in the namespace "{ns.namespace}"'
        in sentence
    )
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"][0]["user"]["token"] = "not.a.token"  # noqa: S105
    kubeconfig.write_text(yaml.safe_dump(config))
    assert "does not know you" in enso.refusal("list", kubeconfig=kubeconfig)


def test_no_cluster_and_no_ensojobs(enso: Enso, tmp_path: Path) -> None:
    config = yaml.safe_load(enso.kubeconfig.read_text())
    (cluster,) = config["clusters"]
    server = cluster["cluster"]["server"]
    away = tmp_path / "away"
    cluster["cluster"]["server"] = "https://127.0.0.1:1"
    away.write_text(yaml.safe_dump(config))
    assert enso.refusal("list", kubeconfig=away) == (
        "the API server at https://127.0.0.1:1 does not answer: Connection refused"
    )
    cluster["cluster"]["server"] = f"{server}/api/v1/none"
    away.write_text(yaml.safe_dump(config))
    assert "this cluster has no EnsoJobs: install them" in enso.refusal("list", kubeconfig=away)
    assert "there is no context 'x'" in enso.refusal("list", "--context", "x")


def test_a_list_of_many_is_fetched_in_parts(enso: Enso, ns: ClusterNamespace) -> None:
    document = with_status(ns.objects, job("many"), FAILED_JOB)
    copy(ns.objects.client, document, 510)
    mark = ns.cluster.audit.mark()
    code, said, _ = enso("list", "--failed", "--since", "2026-11-01")
    assert (code, len(said.splitlines())) == (0, 512)
    asked = [request for request in ns.requests(mark) if request.verb == "list"]
    assert ["limit=500" in request.path for request in asked] == [True, True]
    jobs = json.loads(ns.kubectl("get", "ensojobs", "-o", "json"))["items"]  # sorted by name
    newest_first = sorted(jobs, key=lambda job: job["metadata"]["creationTimestamp"], reverse=True)
    names = [job["metadata"]["name"] for job in newest_first]
    assert [line.split()[0] for line in said.splitlines()[1:]] == names


@pytest.mark.usefixtures("jobs")
def test_logs_say_where_they_are_when_there_is_no_pod(enso: Enso) -> None:
    assert "publish-shot has no Pods: what they wrote" in enso.refusal("logs", "publish-shot")
    assert "nothing of fresh has run yet; fresh: Waiting" in enso.refusal("logs", "fresh")
    sentence = "publish-shot has no script 'x'; it has: open, simulate, publish, notify"
    assert enso.refusal("logs", "publish-shot", "--script", "x") == sentence
    code, said, wrong = enso("logs", "-f", "publish-shot")  # it has ended, and so does this
    assert (code, said, wrong.count("\n")) == (1, "", 1)
