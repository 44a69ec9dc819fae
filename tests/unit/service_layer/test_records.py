"""Records and plans as they are written: what an older release wrote stays readable.

The golden files are what release 1 of the format writes. Where a test of them fails, an older
session's records or plans would be read wrongly: add to the format, never change it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.errors import InvalidJob, ScriptNotFound, Unreadable
from job_execution_framework.domain.final import JobEnd
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.row import Attempt, Row, ScriptState
from job_execution_framework.domain.script import (
    Container,
    Function,
    LibraryScript,
    Script,
    Session,
    Source,
)
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.plan import LARGEST_BYTES, Plan
from job_execution_framework.service_layer.records import (
    End,
    Record,
    from_line,
    from_log,
    only_events,
    to_line,
)
from tests.support.jobs import make

GOLDEN = Path(__file__).parents[2] / "golden"
CAUSE = Cause(
    reason="Exception",
    message="no 🎬 file\nin /a",
    error="studio.SceneError",
    at=Frame("/lib/open.py", 12, "main", "scene.open(path)"),
    exit_code=3,
    signal="SIGSEGV",
    said=("reading …", "\\x1b[31mred"),
    said_lines=18204,
)


def about(kind: type[events.ScriptEvent], seq: int, **more: object) -> events.Event:
    parameters: dict[str, object] = {
        "path": "/shots/010/ä.hip",
        "frames": [1, 2.5, None, True, {"x": {}}],
    }
    script = {"script": "do", "number": 2, "of": 4, "attempt": 3}
    return make(kind, at=1.5, origin="s1-1", seq=seq, **script, parameters=parameters, **more)


RECORDS: list[Record] = [
    events.JobAdded(at=0, origin="coordinator", seq=1, scripts=("open", "do")),
    events.JobStarted(at=1790000000.25, origin="coordinator", seq=2),
    events.JobSuspended(at=2, origin="coordinator", seq=3),
    events.JobUnsuspended(at=3, origin="coordinator", seq=4),
    events.JobResumed(
        at=4,
        origin="coordinator",
        seq=5,
        from_script="do",
        changed=("do.args",),
        action_id="7",
        by="ann",
        why="new cache",
    ),
    events.JobSucceeded(at=5, origin="coordinator", seq=6),
    events.JobFailed(at=6, origin="coordinator", seq=7, cause=CAUSE, script="do"),
    events.JobFailed(at=6, origin="coordinator", seq=8, cause=Cause("DeadlineExceeded")),
    events.JobCancelled(at=7, origin="coordinator", seq=9, by="ann", why="wrong shot"),
    events.SessionOpened(
        at=8, origin="coordinator", seq=10, run="s1-1", session="s1", uid="u", scripts=("do",)
    ),
    events.SessionEnded(at=9, origin="coordinator", seq=11, run="s1-1"),
    events.SessionEnded(at=9, origin="coordinator", seq=12, run="s1-1", cause=CAUSE),
    events.InterpreterLost(at=10, origin="s1-1", seq=1),
    about(events.ScriptStarted, 2),
    about(events.ScriptSucceeded, 3, seconds=0.25, output={"n": [1, None, "é"]}),
    about(events.ScriptFailed, 4, cause=CAUSE, seconds=41),
    about(events.ScriptInterrupted, 5, cause=Cause("SessionLost", "gone")),
    about(events.ScriptRetrying, 6, after_seconds=30),
    about(events.ScriptSkipped, 7, by="ann", why="done by hand"),
    events.JobPaused(at=11, origin="coordinator", seq=13, after="do", by="ann", action_id="7"),
    events.JobUnpaused(at=12, origin="coordinator", seq=14, changed=("do.args.n",), by="ann"),
    about(events.ScriptRetryForced, 8, by="ann", why="the licence is back"),
    about(events.SkipRequested, 9, by="ann"),
    End(),
    End("OSError: our disk is full"),
]
FINALLY_RECORDS: list[Record] = [
    events.FinallyCancelled(at=13, origin="coordinator", seq=15, by="ann", why="too slow"),
    about(events.ScriptStarted, 10, is_final=True),
]
"""Records of finally scripts, which came later."""


class EmptyLibrary:
    """Has nothing, and says so in words that never change."""

    def find(self, name: str) -> Source | Function:
        raise ScriptNotFound(f"there is no script {name!r}")


def full_plan() -> Plan:
    """Return a plan that has something of everything."""
    scripts = (
        Script("open", Source("def main(): 'é'", "open.py"), {"path": "/a"}, "dcc", setup=True),
        Script("do", LibraryScript("do_it"), {"n": [1, {"x": None}]}, "dcc", checkpoint=True),
        Script(
            "save",
            Function("studio:save"),
            {"to": "/b", "token": Secret("canary"), "retry": 2},
            "dcc",
            retries=Retries(2, 30),
            timeout_seconds=60,
        ),
        Script("notify", Container("curl", ("curl",), ("-f",)), {"not": "ours"}),
    )
    dcc = Session("dcc", ("rez-env", "houdini", "--", "hython"), 120, 1)
    job = Job("publish", scripts, (dcc,))
    failed = Attempt(2, ScriptState.FAILED, 1, 2, 1, CAUSE)
    job.rows["open"] = Row(Attempt(1, ScriptState.SUCCEEDED, 1, 2, 1), (), True, True)
    job.rows["do"] = Row(failed, (Attempt(1, ScriptState.INTERRUPTED),), failures=1)
    return Plan.of(job, Open("dcc-2", "dcc", ("open", "do", "save")), EmptyLibrary())


def test_every_kind_of_record_is_written_as_it_always_was() -> None:
    written = b"".join(to_line(record) for record in RECORDS)
    assert written == (GOLDEN / "records.v1.jsonl").read_bytes()


def test_every_kind_of_record_is_read_as_it_was_meant() -> None:
    read = from_log((GOLDEN / "records.v1.jsonl").read_bytes())
    assert read == RECORDS
    assert [*map(str, read)] == [*map(str, RECORDS)]
    assert len(only_events(read)) == len(RECORDS) - 2


def test_no_kind_of_event_is_missing_above() -> None:
    kinds = [
        k for k in vars(events).values() if isinstance(k, type) and issubclass(k, events.Event)
    ]
    concrete = {kind for kind in kinds if not kind.__subclasses__()}
    assert {type(record) for record in RECORDS + FINALLY_RECORDS} == concrete | {End}


def test_records_of_finally_scripts_are_written_as_they_always_were() -> None:
    golden = (GOLDEN / "finally.v1.jsonl").read_bytes()
    assert b"".join(to_line(record) for record in FINALLY_RECORDS) == golden
    assert from_log(golden) == FINALLY_RECORDS


def test_a_plan_tells_finally_scripts_how_the_job_ended() -> None:
    end = JobEnd("Failed", "do", "Exception")
    assert Plan.from_json(replace(full_plan(), end=end).to_json(), full_plan().secrets()).end == end


def test_a_plan_is_written_as_it_always_was() -> None:
    assert full_plan().to_json() + "\n" == (GOLDEN / "plan.v1.json").read_text("utf-8")


def test_a_plan_is_read_as_it_was_meant() -> None:
    plan = full_plan()
    read = Plan.from_json((GOLDEN / "plan.v1.json").read_text("utf-8"), plan.secrets())
    assert read == plan
    assert read.job().next(100) == plan.job().next(100)


def test_a_plan_whose_secrets_are_plain_texts_is_written_and_read_as_ever() -> None:
    text, plan = (GOLDEN / "plan-of-a-pod.v1.json").read_text("utf-8"), full_plan()
    assert plan.to_json(texts=True) + "\n" == text
    assert Plan.from_json(text, {"ENSO_SECRET_2_0": "canary"}) == plan


def test_a_plan_holds_no_secret_and_nothing_of_other_sessions() -> None:
    text = full_plan().to_json()
    assert "canary" not in text
    assert '"ours"' not in text
    assert full_plan().secrets() == {"ENSO_SECRET_2_0": '"canary"'}


def test_a_plan_has_the_source_of_a_script_that_does_not_run_again_and_not_what_it_was_given() -> (
    None
):
    plan = full_plan()
    again = Plan.of(plan.job(), Open("dcc-3", "dcc", ("save",)), EmptyLibrary())
    assert again.scripts[0].work == plan.scripts[0].work
    assert [dict(script.parameters) for script in again.scripts[:2]] == [{}, {}]


def edited(line: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(line), **changes}).encode()


def test_fields_of_a_newer_release_are_ignored() -> None:
    for record in RECORDS:
        line = to_line(record)
        assert from_line(edited(line, later={"a": 1})) == record
    failed = to_line(RECORDS[6])
    assert (
        from_line(edited(failed, cause={**json.loads(failed)["cause"], "later": 1})) == RECORDS[6]
    )
    document = json.loads(full_plan().to_json()) | {"later": [1]}
    assert Plan.from_json(json.dumps(document), full_plan().secrets()) == full_plan()


def test_what_had_to_be_killed_survives() -> None:
    for record in (
        End(killed=("process 4711: sleep 60", "thread upload")),
        events.SessionEnded(at=1, origin="coordinator", seq=1, run="s1-1", killed=("a thread",)),
    ):
        assert from_line(to_line(record)) == record


def test_a_line_that_is_cut_off_at_the_end_of_a_log_was_never_written() -> None:
    log = (GOLDEN / "records.v1.jsonl").read_bytes()
    for cut in range(len(log)):
        read = from_log(log[:cut])
        assert read == RECORDS[: log[:cut].count(b"\n")]


STARTED = to_line(RECORDS[13])


@pytest.mark.parametrize(
    "line",
    [
        *[b"", b"\n", b"hello", b"\xff\xfe", b"{", b"[]", b"null", b"1", b'"x"', b"{}", b"\0"],
        *[b"[" * 100_000, b'{"v":1}', b'{"v":1,"type":"Nothing"}', b'{"type":"JobStarted","at":1}'],
        *[b'{"v":1,"type":["JobStarted"],"at":1}', b'{"v":1,"type":{},"at":1}', STARTED[:-20]],
        *[b'{"v":1,"type":"Event","at":1}', b'{"v":1,"type":"JobEvent","at":1}'],
        STARTED.replace(b"ScriptStarted", b"ScriptEvent"),
        STARTED.replace(b"ScriptStarted", b"COORDINATOR"),
        *[edited(STARTED, v=version) for version in (0, 2, "1", None, [1], 1e999)],
        *[edited(STARTED, at=at) for at in ("now", None, [1], True, 10**400)],
        *[edited(STARTED, seq=seq) for seq in ("1", 1.5, None, True)],
        *[edited(STARTED, script=script) for script in (1, None, ["do"])],
        *[edited(STARTED, parameters=parameters) for parameters in (1, [1], "x", None)],
        b'{"v":1,"type":"ScriptFailed","at":1,"script":"a","number":1,"of":1,"attempt":1}',
        edited(to_line(RECORDS[15]), cause="it broke"),
        edited(to_line(RECORDS[15]), cause={}),
        edited(to_line(RECORDS[15]), cause={"reason": "X", "at": [1]}),
        edited(to_line(RECORDS[15]), cause={"reason": "X", "said": "abc"}),
        edited(to_line(RECORDS[9]), scripts="do"),
        edited(to_line(RECORDS[9]), scripts=[1]),
        edited(to_line(RECORDS[-2]), broken=1),
    ],
    ids=lambda line: repr(line[:60]),
)
def test_what_is_no_record_is_unreadable(line: bytes) -> None:
    with pytest.raises(Unreadable):
        from_line(line)


NO_PLANS: list[dict[str, object]] = [
    {"v": 2},
    {"v": None},
    {"run": None},
    {"job_id": 1},
    {"rows": [1]},
    {"rows": {"open": {"latest": {"state": "Odd"}}}},
    {"lease": "open"},
    {"scripts": [{"name": "open"}]},
    {"session": 1},
    {"secrets": [1]},
    {"secrets": {"save": [1]}},
    {"secrets": {"save": {"token": "ELSEWHERE"}}},
    {"deep_secrets": [1]},
    {"deep_secrets": [["save", ["token", "deep"], "ENSO_SECRET_2_0"]]},
    {"deep_secrets": [["do", ["n", 7, "deep"], "ENSO_SECRET_2_0"]]},
    {"secret_environment": "TOKEN"},
]


@pytest.mark.parametrize("changes", NO_PLANS, ids=str)
def test_what_is_no_plan_is_unreadable(changes: dict[str, object]) -> None:
    text = json.dumps({**json.loads(full_plan().to_json()), **changes})
    with pytest.raises(Unreadable):
        Plan.from_json(text, full_plan().secrets())


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"v":1}', "[" * 100_000])
def test_garbage_is_no_plan(text: str) -> None:
    with pytest.raises(Unreadable):
        Plan.from_json(text, {})


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"x", [Secret("a"), {1}]])
def test_a_parameter_that_is_no_json_is_refused_with_its_name(value: object) -> None:
    job = Job("job", (Script("do", Source(""), {"cache": value}),))
    plan = Plan.of(job, Open("main-1", "main", ("do",)), EmptyLibrary())
    with pytest.raises(InvalidJob, match="script 'do': parameter 'cache' cannot be sent"):
        plan.to_json()


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"canary"])
def test_a_secret_that_is_no_json_is_refused_without_its_value(value: object) -> None:
    job = Job("job", (Script("do", Source(""), {"cache": [Secret(value)]}),))
    plan = Plan.of(job, Open("main-1", "main", ("do",)), EmptyLibrary())
    with pytest.raises(InvalidJob, match="script 'do': the secret in parameter 'cache'") as error:
        plan.secrets()
    assert "canary" not in str(error.value)


def test_a_plan_that_is_too_large_is_refused() -> None:
    job = Job("job", (Script("do", Source("x" * LARGEST_BYTES)),))
    plan = Plan.of(job, Open("main-1", "main", ("do",)), EmptyLibrary())
    with pytest.raises(InvalidJob, match="use smaller sources"):
        plan.to_json()


@pytest.mark.parametrize("text", ["\ud800", "\0", "\r\n", "\u2028", "\x1b[0m", "é" * 9, "🎬"])
def test_any_text_survives(text: str) -> None:
    record = events.JobCancelled(at=1, origin="coordinator", seq=1, by=text, why=text)
    line = to_line(record)
    assert line.count(b"\n") == 1
    assert from_line(line) == record
    assert len(str(record).splitlines()) == 1, "print(event) is one line"


@pytest.mark.parametrize("at", [-1e300, 1e300, float("inf"), 1e18, -1])
def test_any_time_can_be_printed(at: float) -> None:
    record = from_line(to_line(events.JobStarted(at=at)))
    assert "JobStarted" in str(record)
