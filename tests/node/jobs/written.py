"""Scripts that the tests of this folder write into jobs."""

from __future__ import annotations

from dev.node.images import PYTHON

from tests.support.resources import Document

PASSES = "def main(**given): pass"
UP = "import time\ndef main():\n    print('up', flush=True)\n"
SLEEPS = f"{UP}    time.sleep(120)\n"
IGNORES_SIGTERM = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEPS}"
SLEEPS_AT_FIRST = (
    f"import os\n{UP}    if os.uname().nodename.split('-')[-2] == '1': time.sleep(120)\n"
)
"""In the first run of its session, whose number is in the name of the Pod."""
CLEANS_UP = (
    "import time\n"
    "def main():\n"
    "    try:\n"
    "        print('up', flush=True)\n"
    "        time.sleep(120)\n"
    "    finally:\n"
    "        print('cleaned up', flush=True)\n"
)


def script(name: str, source: str = PASSES, **more: object) -> Document:
    return {"name": name, "source": source, **more}


def container(name: str, *command: str, image: str = PYTHON, **more: object) -> Document:
    """A container script; `more` is what its container has beside image and command."""
    return {"name": name, "container": {"image": image, "command": [*command], **more}}
