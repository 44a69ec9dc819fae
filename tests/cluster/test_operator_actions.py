"""What becomes of EnsoActions on a real API server: done or refused, once and in order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from tests.cluster.action_client import ActionClient, five_scripts, list_of
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.watching import operator_that_watches
from tests.support.eventually import until
from tests.support.fault_proxy import FaultProxy, on
from tests.support.finished_jobs import copy
from tests.support.operators import Operators
from tests.support.resources import action, of_scripts

NEEDS_FOUR = """
def main(substeps, mode=""):
    if substeps < 4:
        raise ValueError(f"{substeps} substeps are too few")
"""


MOST_WRITES = 5
"""Of a job's status from its resume on, where it ends within a second: resumed, opened, ended."""


@pytest.fixture
def actions(ns: ClusterNamespace) -> ActionClient:
    return ActionClient(ns)


def test_a_failed_job_is_resumed_and_tells_the_story(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(five_scripts(note))
    operators.ready()
    ns.waits("Finished")
    assert ns.columns() == ["shot", "Failed", "2/5", "do", "Exception"]
    Path(f"{note}-mended").touch()
    actions.create("resume", why="the licence server is back")
    ns.waits("Succeeded")
    assert actions.result() == (
        "True",
        "Done",
        "resumed; it goes on at 'do' after open has run again",
    )
    assert note.read_text().split() == ["open", "bake", "do", "open", "do", "save", "publish"]
    assert ns.columns() == ["shot", "Succeeded", "5/5"]
    reasons = [reason for reason, _ in ns.job_events()]
    assert reasons.count("JobResumed") == 1
    assert reasons.index("JobFailed") < reasons.index("JobResumed") < reasons.index("JobSucceeded")
    assert "the licence server is back" in dict(ns.job_events())["JobResumed"]
    (owner,) = actions.get()["metadata"]["ownerReferences"]
    assert owner["uid"] == ns.get()["metadata"]["uid"]
    assert "blockOwnerDeletion" not in owner


def test_what_is_asked_while_the_operator_is_away_is_done_when_it_is_back(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(five_scripts(note))
    operator = operators.ready()
    ns.waits("Finished")
    operator.stop()
    Path(f"{note}-mended").touch()
    actions.create("resume", "first")
    actions.create("cancel", "not-any-more", jobUID="of-another-one")
    actions.create("pause", "of-nothing", job="no-such-job")
    operators.start()
    ns.waits("Succeeded")
    until(lambda: all(result[0] for result in actions.results().values()))
    assert actions.result("first")[1] == "Done"
    assert actions.result("not-any-more")[1] == "AnotherJob"
    assert actions.result("of-nothing")[1] == "JobNotFound"
    assert note.read_text().split().count("do") == 2


@pytest.mark.timeout(400)
def test_pairs_of_one_second_are_done_in_the_order_of_their_creation(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient
) -> None:
    """The names sort the other way round, and somebody labels what waits, before and meanwhile."""
    ns.apply(of_scripts({"source": "def main(): pass"}, suspend=True))
    operator = operators.ready()
    until(lambda: ns.state() == "Suspended")
    operator.stop()
    pairs = [(f"{99 - pair:02}-2-pause", f"{99 - pair:02}-1-resume") for pair in range(60)]
    with ThreadPoolExecutor(8) as pool:
        labelling = pool.submit(actions.label_each, [pair[0] for pair in pairs[::9]])
        for _ in pool.map(actions.create_pair, pairs):
            pass
        labelling.result()
    names, seconds = zip(*actions.in_order(), strict=True)
    assert (len(names), len(set(seconds)) <= 30) == (120, True), "many were created in one second"

    operator = operators.start()
    until(lambda: actions.result(names[0])[0])
    actions.label_each(names[100::5])
    until(lambda: all(result[0] for result in actions.results().values()), 300)
    expected = dict(expected_reasons(names))
    assert {name: result[1] for name, result in actions.results().items()} == expected
    done = [name for name in names if expected[name] == "Done"]
    ledger = [acted.partition("/")[2] for acted in ns.get()["status"]["ledger"]["actions"]]
    assert ledger == done[-64:]
    assert ns.state() == "Suspended"
    assert operator.process.is_alive()


def expected_reasons(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what comes of pauses and resumes of a suspended job that are done in this order."""
    is_paused = False
    for name in names:
        is_pause = name.endswith("pause")
        yield name, "NotPossible" if is_pause == is_paused else "Done"
        is_paused = is_pause


@pytest.mark.timeout(600)
def test_a_hundred_failed_jobs_are_resumed_at_once(
    ns: ClusterNamespace,
    client: ApiClient,
    operators: Operators,
    actions: ActionClient,
    tmp_path: Path,
) -> None:
    """One has run; the others are copies of it, as many have run in test_operator_at_scale.py."""
    mended = tmp_path / "mended"
    source = f"import os\ndef main(): assert os.path.exists({str(mended)!r})"
    ns.apply(of_scripts({"source": source}))
    operator = operators.ready()
    ns.waits("Finished")
    operator.stop()
    copy(client, ns.get(), 99)
    operators.ready()
    mended.touch()
    names = ["shot", *(f"shot-{number}" for number in range(99))]
    ns.create(list_of([action("resume", name, job=name) for name in names]))
    until(lambda: ns.states() == {"Succeeded": 100}, 400)
    until(lambda: {told[1] for told in actions.results().values()} == {"Done"})


def test_an_action_costs_three_writes_and_nothing_afterwards(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(five_scripts(note))
    operators.ready("--resync-seconds=600")
    ns.waits("Finished")
    Path(f"{note}-mended").touch()
    mark = ns.cluster.audit.mark()
    actions.create("pause", "refused")
    actions.create("resume")
    ns.waits("Succeeded")
    until(lambda: actions.result()[0])
    requests = ns.requests(mark)
    written = Counter(f"{seen.verb} {seen.resource}" for seen in requests if seen.is_write)
    assert written["patch ensoactions/status"] == 2
    assert written["patch ensoactions"] == 2
    assert written["patch ensojobs/status"] <= MOST_WRITES + seconds_since_its_resume(ns)
    assert [seen for seen in requests if seen.resource == "controllerrevisions"] == []

    mark = ns.cluster.audit.mark()
    change = {"from": "save", "scripts": [{"name": "publish", "timeoutSeconds": 60}]}
    actions.create("resume", "changed", resume=change)
    until(lambda: actions.result("changed")[0])
    until(lambda: ns.state() == "Succeeded")
    ns.waits("Finished")
    until(lambda: not operators.supervisors())
    requests = ns.requests(mark)
    written = Counter(f"{seen.verb} {seen.resource}" for seen in requests if seen.is_write)
    assert written["create controllerrevisions"] == 1
    assert written["patch ensoactions/status"] == written["patch ensoactions"] == 1
    assert written["patch ensojobs/status"] <= MOST_WRITES + seconds_since_its_resume(ns)

    clock = of_scripts({"source": "import time\ndef main(): time.sleep(5)"})
    ns.apply(clock | {"metadata": {"name": "clock"}})
    until(lambda: "ScriptStarted" in dict(ns.job_events("clock")))
    mark = ns.cluster.audit.mark()
    ns.waits("Succeeded", "clock")
    asked = [seen for seen in ns.requests(mark) if seen.verb != "watch"]
    assert [seen for seen in asked if seen.name.startswith("shot")] == []
    assert [seen for seen in asked if seen.resource in ("ensoactions", "controllerrevisions")] == []


def seconds_since_its_resume(ns: ClusterNamespace) -> int:
    """Return how long the job took to its end; its progress is written once a second."""
    status = ns.get()["status"]
    times = (status["ledger"]["resumeTime"], status["completionTime"])
    resumed, ended = map(datetime.fromisoformat, times)
    return int((ended - resumed).total_seconds())


def test_applied_twice_reverted_and_created_again_it_acts_once(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    """As `kubectl apply`, a second field manager, Flux with pruning and `replace --force` do."""
    note = tmp_path / "note"
    ns.apply(five_scripts(note))
    operators.ready()
    ns.waits("Finished")
    manifest = action("resume")
    ns.apply(manifest)
    until(lambda: actions.result()[0])
    ns.apply(manifest)
    ns.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(manifest))
    assert actions.result()[1] == "Done"
    until(lambda: ns.state() == "Failed")
    for _ in range(2):
        ns.kubectl("delete", "ensoaction", "again")
        ns.apply(manifest)
        until(lambda: actions.result()[0])
        assert actions.result()[1] == "NameUsed"
    ns.kubectl("replace", "--force", "-f", "-", stdin=json.dumps(manifest))
    until(lambda: actions.result()[0])
    assert actions.result() == (
        "False",
        "NameUsed",
        "an action again was done on job shot before: give it a new name",
    )
    assert ns.get()["status"]["ledger"]["resumes"] == 1


def test_a_watch_that_shows_nothing_does_not_lead_it_astray(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    """The job was deleted and created again, and one action withdrawn, while the watch slept."""
    note = tmp_path / "note"
    ns.apply(five_scripts(note))
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        operator = operators.start("--resync-seconds=1", kubeconfig=proxy.kubeconfig)
        ns.waits("Finished")
        proxy.silence()
        actions.create("resume", "withdrawn")
        ns.kubectl("delete", "ensoaction", "withdrawn")
        actions.create("resume", "of-the-first", jobUID=str(ns.get()["metadata"]["uid"]))
        ns.kubectl("delete", "ensojob", "shot")
        ns.apply(five_scripts(note))
        proxy.heal()
        proxy.cut()
        until(lambda: ns.state() == "Failed")
        until(lambda: actions.result("of-the-first")[0])
        assert actions.result("of-the-first")[1] == "AnotherJob"
        assert ns.get()["status"]["ledger"].get("resumes", 0) == 0
        assert operator.process.is_alive()


def test_a_wrong_argument_is_changed_and_each_attempt_tells_its_own(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    Path(f"{note}-mended").touch()
    job = five_scripts(note)
    job["spec"]["scripts"][3] |= {"source": NEEDS_FOUR, "args": {"substeps": 1, "mode": "fast"}}
    ns.apply(job)
    operators.ready("--allow-code-changes")
    until(lambda: ns.state() == "Failed")
    for substeps in (2, 3):
        change = {"name": "save", "args": {"substeps": substeps}}
        actions.create("resume", f"with-{substeps}", resume={"scripts": [change]})
        until(partial(actions.has_result, f"with-{substeps}"))
        until(lambda: ns.state() == "Failed")
    last = [
        {"name": "save", "args": {"substeps": 4}, "unsetArgs": ["mode"]},
        {"name": "publish", "source": "def main(note, name): open(note, 'a').write('changed')"},
    ]
    actions.create("resume", "with-4", resume={"scripts": last})
    ns.waits("Succeeded")
    assert note.read_text().split()[-1] == "changed"
    outcomes = ("ScriptFailed", "ScriptSucceeded")
    told = [message for reason, message in ns.job_events() if reason in outcomes]
    assert [message.partition("args ")[2] for message in told if "save" in message] == [
        "mode=fast substeps=1",
        "mode=fast substeps=2",
        "mode=fast substeps=3",
        "substeps=4",
    ]
    revisions = ns.kubectl("get", "controllerrevisions", "--no-headers").splitlines()
    assert len(revisions) == 3
    resumed = [message for reason, message in ns.job_events() if reason == "JobResumed"]
    assert "save.args.substeps" in resumed[0]
    assert "publish.source" in resumed[-1]
    spec = ns.get()["spec"]["scripts"][3]["args"]
    assert spec == {"substeps": 1, "mode": "fast"}


def test_of_two_sessions_the_one_that_is_done_is_not_opened_again(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    job = five_scripts(note)
    job["spec"]["sessions"] = [{"name": "first"}, {"name": "second"}]
    for position, script in enumerate(job["spec"]["scripts"]):
        script["session"] = "first" if position < 2 else "second"
    ns.apply(job)
    operators.ready()
    until(lambda: ns.state() == "Failed")
    actions.create("resume", "after", resume={"from": "save"})
    until(partial(actions.has_result, "after"))
    gap = "'do' before it is not done; resume from 'do', or skip it"
    why = f"job shot cannot go on at 'save', because {gap}"
    assert actions.result("after")[1:] == ("NotPossible", why)
    Path(f"{note}-mended").touch()
    actions.create("resume", "on")
    ns.waits("Succeeded")
    assert note.read_text().split() == ["open", "bake", "do", "do", "save", "publish"]
    actions.create("resume", "before", resume={"from": "bake"})
    until(partial(actions.has_result, "before"))
    ns.waits("Succeeded")
    again = ["open", "bake", "do", "save", "publish"]
    assert note.read_text().split()[6:] == again


def test_a_watch_of_actions_that_falls_silent_is_told_and_made_good(
    ns: ClusterNamespace, operators: Operators, actions: ActionClient, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    ns.apply(five_scripts(note))
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        operator = operator_that_watches(operators, proxy, "--resync-seconds=1")
        until(lambda: ns.state() == "Failed")
        Path(f"{note}-mended").touch()
        of_actions = on("watch", "ensoactions")
        proxy.silence(of_actions)
        actions.create("resume")
        until(lambda: operator.http_get("/healthz")[0] == 503)
        assert "the watch has not shown" in operator.http_get("/healthz")[1]
        assert actions.result() == ("", "", "")
        proxy.heal()
        proxy.cut(of_actions)
        ns.waits("Succeeded")
        until(lambda: operator.http_get("/healthz")[0] == 200)
