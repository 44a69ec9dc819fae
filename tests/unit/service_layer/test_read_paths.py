"""Which paths a session looks for before it begins, and how a plan carries them."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.parameters import Parameter, Parameters, Type
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.preflight import taken_by
from job_execution_framework.service_layer.read_paths import ReadPath, read_paths

TAKES = Parameters(
    (
        Parameter("scene", Type.PATH, access="read"),
        Parameter("cache", Type.PATH, access="write"),
        Parameter("log", Type.PATH),
        Parameter("setup", Type.PATH, access="read", default="/studio/setup.json"),
    )
)


def reads(*arguments: dict[str, object]) -> list[str]:
    scripts = [Script(f"s{i}", Source("")) for i in range(len(arguments))]
    given = [
        (Script(script.name, script.work, parameters), TAKES)
        for script, parameters in zip(scripts, arguments, strict=True)
    ]
    return [read.path for read in read_paths(given) if read.path != "/studio/setup.json"]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ({"scene": "/a"}, {"scene": "/b", "log": "/c"}, ["/a", "/b"]),
        ({"cache": "/a"}, {"scene": "/a"}, []),
        ({"cache": "/a/b.vdb"}, {"scene": "/a"}, []),
        ({"cache": "/a/"}, {"scene": "/a/x/../b.vdb"}, []),
        ({"cache": "/a"}, {"scene": "/ab"}, ["/ab"]),
        ({"scene": "/a", "cache": "/a"}, {"scene": "/a"}, ["/a"]),  # it reads it before
        ({"scene": "/a"}, {"cache": "/a"}, ["/a"]),
        ({"scene": Secret("/a")}, {"scene": None}, []),
        ({"scene": Path("/a")}, {}, ["/a"]),
    ],
)
def test_what_is_read_and_not_written_before(
    first: dict[str, object], second: dict[str, object], found: list[str]
) -> None:
    assert reads(first, second) == found


def test_a_plan_has_the_paths_of_the_scripts_that_it_starts() -> None:
    source = (
        "from pathlib import Path\nfrom typing import Annotated\n"
        "def main(scene: Annotated[Path, {'access': 'read'}] = '/default'): pass"
    )
    scripts = (
        Script("open", Source(source, "open.py"), {"scene": "/a"}),
        Script("save", Source(source, "save.py")),
    )
    job = Job("job", scripts)
    job.record(events.JobAdded(at=0))
    job.record(events.JobStarted(at=0))
    step = job.next(0)
    assert isinstance(step, Open)
    plan = Plan.of(job, step, ScriptLibrary([]), taken_by)
    assert plan.reads == (ReadPath("open", "scene", "/a"), ReadPath("save", "scene", "/default"))
    assert Plan.from_json(plan.to_json(), {}).reads == plan.reads
    assert Plan.of(job, step, ScriptLibrary([])).reads == ()
    assert "reads" not in Plan.of(job, step, ScriptLibrary([])).to_json()
