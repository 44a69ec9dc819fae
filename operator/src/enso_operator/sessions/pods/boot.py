"""The folders of a session Pod, and how its session begins."""

from __future__ import annotations

from pathlib import PurePosixPath

ROOT = PurePosixPath("/enso")
"""Enso's own folder in the Pod; a session may mount nothing there."""
RUNTIME = ROOT / "runtime"
"""Where the records container puts the runtime. The session can only read it."""
ARCHIVE = RUNTIME / "runtime.zip"
"""The runtime, from which Python imports. It has this name once it is completely copied."""
RUN = ROOT / "run"
"""The session run's own folder, on the node's disk: its marker survives a restart."""
HOME = ROOT / "home"
PLAN_FILE = ROOT / "plan" / "plan.json"
CONTROL_FILE = ROOT / "control" / "control"
PREFIX = "enso: "
"""Prefix of the messages of BOOT, which tells them from the output of others."""
PATIENCE_SECONDS = 60
"""How long the runtime may take to appear."""

BOOT = f"""\
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
if sys.version_info < (3, 10):
    sys.exit("{PREFIX}the image's python3 is %d.%d, and enso needs 3.10" % sys.version_info[:2])
end = time.monotonic() + {PATIENCE_SECONDS}
while not os.path.exists({str(ARCHIVE)!r}):
    if time.monotonic() > end:
        sys.exit("{PREFIX}the records container brought no runtime within {PATIENCE_SECONDS} s")
    time.sleep(0.005)
sys.path.append({str(ARCHIVE)!r})
from job_execution_framework.runtime.supervisor import main
sys.exit(main(*sys.argv[1:]))
"""
"""The session's first program, for `python3 -c`; it must also parse in old Pythons."""
