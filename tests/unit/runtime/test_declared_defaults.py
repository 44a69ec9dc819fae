"""A script gets the defaults that were declared for it; events show only what the job gave."""

from __future__ import annotations

from pathlib import Path

from job_execution_framework.domain.events import ScriptSucceeded
from job_execution_framework.domain.parameters import Parameter, Parameters
from job_execution_framework.domain.script import Script, Source
from tests.support.supervised import supervised

TAKES = Parameters(
    (Parameter("frames"), Parameter("shot", default="010"), Parameter("scale", default=None))
)


def test_defaults_are_given_where_the_job_gives_nothing(tmp_path: Path) -> None:
    work = Source("def main(**given): return given", parameters=TAKES)
    scripts = (Script("some", work, {"frames": 24, "shot": None}), Script("none", work))
    records, _ = supervised(tmp_path, *scripts)
    ended = [record for record in records if isinstance(record, ScriptSucceeded)]
    assert [record.output for record in ended] == [
        {"frames": 24, "shot": None, "scale": None},
        {"shot": "010", "scale": None},
    ]
    assert [record.parameters for record in ended] == [{"frames": 24, "shot": None}, {}]
