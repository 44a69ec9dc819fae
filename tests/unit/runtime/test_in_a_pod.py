"""A supervisor as a Pod has it: its control is another file, and it keeps a summary."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.cause import Cause, Reason
from job_execution_framework.domain.control import CANCEL
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.row import ScriptState
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime import session, summary
from job_execution_framework.runtime.journal import Journal
from job_execution_framework.service_layer import controls, services
from job_execution_framework.service_layer.observations import Outcome
from job_execution_framework.service_layer.record_line import JOURNAL, LONGEST_BYTES
from job_execution_framework.service_layer.records import End
from job_execution_framework.service_layer.runner import Result
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.jobs import plan_of
from tests.support.sessions import OneScriptRunner

EMPTY: Mapping[str, str | None] = {}
PATIENT = (
    "import time\n"
    "def main():\n"
    "    try:\n"
    "        print('up', flush=True)\n"
    "        time.sleep(60)\n"
    "    finally: print('clean', flush=True)\n"
)


class Pod:
    def __init__(
        self, root: Path, *scripts: Script, environment: Mapping[str, str | None] = EMPTY
    ) -> None:
        self.run, self.control, self.summary = root / "run", root / "control", root / "summary"
        self.run.mkdir()
        self.control.write_text("")
        plan = replace(plan_of(*scripts), secret_environment=tuple(environment))
        file = root / "plan.json"
        file.write_text(plan.to_json(texts=True))
        texts = {name: str(secret.reveal()) for name, _, _, secret in plan.secret_variables()}
        texts |= {name: value for name, value in environment.items() if value is not None}
        self.output = root / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "job_execution_framework.runtime", str(file)),
                    *(str(self.run), str(self.control), "5", str(self.summary)),
                ],
                stdout=output,
                stderr=output,
                env={**os.environ, **texts},
            )

    def says(self, text: str) -> None:
        until(lambda: text in self.output.read_text())

    def ends(self) -> list[str]:
        """Wait for its end; return what it recorded."""
        self.process.wait(DEADLINE_SECONDS)
        records = Journal(self.run / JOURNAL).read()
        return [
            record.broken if isinstance(record, End) else type(record).__name__
            for record in records
        ]


def test_a_pod_that_is_taken_away_leaves_its_script_in_doubt_after_its_clean_up(
    tmp_path: Path,
) -> None:
    pod = Pod(tmp_path, Script("open", Source(PATIENT)), Script("save", Source(PATIENT)))
    pod.says("up")
    pod.process.send_signal(signal.SIGTERM)
    start, end = pod.ends()
    assert start == "ScriptStarted"
    assert "taken away" in end
    assert "clean" in pod.output.read_text()
    assert summary.read(pod.summary.read_text(), ["open", "save"]) == (
        (Outcome("open", 1, ScriptState.RUNNING),),
        False,
    )


def test_a_cancel_is_an_outcome(tmp_path: Path) -> None:
    pod = Pod(tmp_path, Script("open", Source(PATIENT)))
    pod.says("up")
    pod.control.write_text(controls.to_json(CANCEL))
    assert pod.ends() == ["ScriptStarted", "ScriptFailed", "InterpreterLost", ""]
    assert summary.read(pod.summary.read_text(), ["open"]) == (
        (Outcome("open", 1, ScriptState.FAILED, "Cancelled"),),
        True,
    )


def test_no_record_is_longer_than_one_may_be(tmp_path: Path) -> None:
    many = {f"n{i}": ["🎬" * 256] * 3 for i in range(32)}  # each is four bytes
    pod = Pod(tmp_path, Script("open", Source("def main(**many): pass"), many))
    assert pod.ends() == ["ScriptStarted", "ScriptSucceeded", ""]
    lines = (pod.run / JOURNAL).read_bytes().splitlines()
    assert max(map(len, lines)) <= LONGEST_BYTES


def test_a_secret_is_text_and_no_script_finds_it_in_its_environment(tmp_path: Path) -> None:
    looks = (
        "import os\n"
        "def main(token):\n"
        "    assert token == '123', type(token)\n"
        "    assert not [name for name in os.environ if name.startswith('ENSO_SECRET')]\n"
    )
    pod = Pod(tmp_path, Script("open", Source(looks), {"token": Secret("123")}))
    assert pod.ends() == ["ScriptStarted", "ScriptSucceeded", ""], pod.output.read_text()


def test_what_a_failure_tells_of_a_secret_of_its_environment_is_hidden(tmp_path: Path) -> None:
    tells = "import os\ndef main(): raise OSError('no licence at ' + os.environ['LICENCES'])"
    environment = {"LICENCES": "canary@studio", "GONE": None}
    pod = Pod(tmp_path, Script("open", Source(tells)), environment=environment)
    pod.ends()
    failed = Journal(pod.run / JOURNAL).read()[1]
    assert isinstance(failed, events.ScriptFailed)
    assert str(failed.cause) == "OSError: no licence at ***"
    assert "canary" not in pod.output.read_text()
    assert "canary" not in (tmp_path / "plan.json").read_text()


def test_records_become_thin_before_a_node_would_cut_their_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "THINNING_BYTES", -1)
    parameters = {"note": "n" * 200}
    said = tuple("s" * 300 for _ in range(5))
    fails = Result(cause=Cause(Reason.EXCEPTION, "m" * 900, error="ValueError", said=said))
    plan = plan_of(Script("open", Source("x"), parameters, retries=Retries(9)))
    uow = session.SummarizingUnitOfWork(plan, Journal(tmp_path / "journal"), tmp_path / "summary")
    for _ in range(10):
        services.execute(plan.job_id, job_uow=uow, runner=OneScriptRunner(lambda _s, _a: fails))
    records = [record for record in uow.journal.read() if isinstance(record, events.ScriptEvent)]
    assert [*map(type, records[-2:])] == [events.ScriptStarted, events.ScriptFailed]
    assert records[-1].attempt == 10
    assert (tmp_path / "journal").stat().st_size < 10 * 1024
