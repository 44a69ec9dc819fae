"""What a session imports before its first script: each module delays the start of each session."""

import subprocess
import sys
from pathlib import Path

import job_execution_framework

ASKED_OF_JOBS = "job_execution_framework.domain.actions", "job_execution_framework.domain.changes"
"""What people ask of a job is for its coordinator to decide."""
FROM_PYTHON = "datetime", "difflib", "logging"
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import job_execution_framework.runtime.session
print(*sys.modules)
"""


def test_a_session_imports_nothing_that_only_others_need() -> None:
    place = Path(job_execution_framework.__file__).parent.parent
    told = subprocess.run(  # as in a Pod: isolated, and without what is installed
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(place)],
        capture_output=True,
        check=True,
        text=True,
    )
    imported = told.stdout.split()
    assert "job_execution_framework.domain.job" in imported
    assert not {*ASKED_OF_JOBS, *FROM_PYTHON} & {*imported}
