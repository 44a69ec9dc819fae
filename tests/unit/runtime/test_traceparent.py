"""Each attempt finds its place in the trace of its job in its environment."""

from __future__ import annotations

from pathlib import Path

from job_execution_framework.domain import trace_context
from job_execution_framework.domain.events import ScriptFailed, ScriptSucceeded
from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Source
from tests.support.supervised import supervised

JOB = f"00-{'4b' * 16}-{'00f0' * 4}-01"
TELLS = Source("import os\ndef main(): return os.environ.get('TRACEPARENT')")
FAILS_ONCE = Source(
    "import os\ndef main():\n"
    "    found = os.environ['TRACEPARENT']\n"
    "    os.environ['TRACEPARENT'] = 'spoilt'\n"
    "    if os.environ['ENSO_ATTEMPT'] == '1': raise ValueError(found)\n"
    "    return found\n"
)


def test_each_attempt_has_its_own(tmp_path: Path) -> None:
    scripts = Script("fails-once", FAILS_ONCE, retries=Retries(1)), Script("tells", TELLS)
    records, _ = supervised(tmp_path, *scripts, traceparent=JOB)
    (failed,) = (record for record in records if isinstance(record, ScriptFailed))
    told = [record.output for record in records if isinstance(record, ScriptSucceeded)]
    expected = [("fails-once", 1), ("fails-once", 2), ("tells", 1)]
    assert [failed.cause.message, *told] == [
        trace_context.of_attempt(JOB, script, attempt) for script, attempt in expected
    ]


def test_a_job_without_a_trace_leaves_the_environment_as_it_is(tmp_path: Path) -> None:
    records, _ = supervised(tmp_path, Script("tells", TELLS), TRACEPARENT="of-somebody-else")
    assert [record.output for record in records if isinstance(record, ScriptSucceeded)] == [
        "of-somebody-else"
    ]
