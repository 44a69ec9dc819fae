"""Starts the interpreter of a session before the supervisor has loaded what it needs by itself.

Both take about as long, so each goes on while the other does. No script starts by it: that one is
recorded first, as always. Where it may be that no script is going to start, no interpreter does
either, as it may take a licence.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.runtime.processes import orphans
from job_execution_framework.service_layer import bounded_json, plan_head


def head_start(plan_file: Path, directory: Path, control_file: Path) -> Launcher | None:
    """Return what has started the interpreter; None where the whole plan decides about that.

    It takes the secrets of scripts out of our environment, which is the interpreter's.
    """
    with suppress(OSError, AttributeError, LookupError, TypeError, ValueError):
        if control_file.exists() and control_file.stat().st_size:
            return None  # somebody wants it to pause, or to be cancelled
        plan = bounded_json.loads(plan_file.read_text("utf-8"))
        if plan.get("reads"):
            return None  # paths that are looked for first
        argv, secrets = plan_head.interpreter(plan), [*plan_head.secrets(plan)]
        launcher = Launcher(directory)
        for _, _, variable in secrets:
            os.environ.pop(variable, None)
        orphans.adopt()
        launcher.start_ahead(argv)
        return launcher
    return None  # whoever reads the whole plan says what is wrong
