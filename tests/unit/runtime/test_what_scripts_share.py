"""What one script leaves to the next one of its session, and what it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from tests.support.scripts import Scripts

RESET = {
    "SIGCHLD ignored": (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "subprocess.run(['sh', '-c', 'exit 3']).returncode",
    ),
    "SIGPIPE by default": (
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)",
        "str(signal.getsignal(signal.SIGPIPE))",
    ),
    "SIGINT handled": (
        "signal.signal(signal.SIGINT, print)",
        "signal.getsignal(signal.SIGINT) is signal.default_int_handler",
    ),
    "signals blocked": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])",
        "sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))",
    ),
    "a timer": (
        "signal.setitimer(signal.ITIMER_PROF, 1000)",
        "signal.getitimer(signal.ITIMER_PROF)[0]",
    ),
    "the umask": ("os.umask(0o777)", "(m := os.umask(0o22), os.umask(m))[0]"),
    "the directory": ("os.chdir('/')", "os.getcwd()"),
    "a directory that is gone": (
        "d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)",
        "os.getcwd()",
    ),
    "the environment": (
        "os.environ.update(LEFT='1', PATH='/nowhere'); del os.environ['HOME']",
        "sorted((k, v) for k, v in os.environ.items() if not k.startswith('ENSO_'))",
    ),
    "the time zone": ("os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()", "time.timezone"),
    "the locale": (
        "locale.setlocale(locale.LC_ALL, 'C')",
        "locale.setlocale(locale.LC_ALL)",
    ),
    "argv": ("sys.argv[:] = ['publish', '--force']", "len(sys.argv)"),
    "another argv": ("sys.argv = ['publish', '--force']", "len(sys.argv)"),
    "the path": ("sys.path.insert(0, 'left/behind')", "'left/behind' in sys.path"),
    "warnings as errors": (
        "warnings.simplefilter('error')",
        "[str(one) for one in warnings.filters]",
    ),
    "a catch of warnings that is never left": (
        "warnings.catch_warnings().__enter__(); warnings.simplefilter('error')",
        "[str(one) for one in warnings.filters]",
    ),
    "the recursion limit": ("sys.setrecursionlimit(10**6)", "sys.getrecursionlimit()"),
    "the switch interval": ("sys.setswitchinterval(1)", "sys.getswitchinterval()"),
    "a trace": ("sys.settrace(lambda *_: None)", "str(sys.gettrace())"),
    "a profile": ("sys.setprofile(lambda *_: None)", "str(sys.getprofile())"),
    "an excepthook": ("sys.excepthook = print", "sys.excepthook is sys.__excepthook__"),
    "the limit of tracebacks": ("sys.tracebacklimit = 0", "hasattr(sys, 'tracebacklimit')"),
    "bytecode": ("sys.dont_write_bytecode = 'left'", "sys.dont_write_bytecode"),
    "no garbage collection": ("gc.disable()", "gc.isenabled()"),
    "seldom garbage collection": ("gc.set_threshold(10**6)", "gc.get_threshold()"),
    "the sockets' timeout": ("socket.setdefaulttimeout(1)", "socket.getdefaulttimeout()"),
    "faulthandler": ("faulthandler.disable()", "faulthandler.is_enabled()"),
    "the output's buffering": (
        "sys.stdout.reconfigure(line_buffering=False, errors='strict')",
        "(sys.stdout.line_buffering, sys.stdout.errors)",
    ),
    "a builtin": ("import builtins; builtins.len = None", "str(len)"),
    "a function of json": ("import json; json.dumps = None", "__import__('json').dumps([1])"),
}
"""A change that a script makes, and an expression with which the next one would see it."""
IMPORTS = (
    "import faulthandler, gc, locale, os, signal, socket, subprocess, sys, tempfile, time, warnings"
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    """One session for all: each case is also what the others leave behind."""
    folder = tmp_path_factory.mktemp("session")
    runner = ChildRunner(Launcher(folder), [sys.executable], 60, 1)
    yield Scripts(runner, folder)
    runner.close()


@pytest.mark.parametrize(("does", "look"), RESET.values(), ids=RESET)
def test_it_does_not_reach_the_next_script(session: Scripts, does: str, look: str) -> None:
    looks = f"{IMPORTS}\ndef main(): return repr({look})"
    before = session.run(looks, "look").output
    changed = session.run(f"{IMPORTS}\ndef main():\n    {does}\n    return repr({look})")
    assert changed.cause or changed.output != before, "what this does cannot be seen"
    assert session.run(looks, "look").output == before


def test_scripts_share_their_process_on_purpose(session: Scripts) -> None:
    session.run(
        "import atexit, enso, json, logging, random, sys, threading, types\n"
        "def main():\n"
        "    enso.shared['scene'] = open('/dev/null')\n"
        "    json.studio = 'set'\n"
        "    sys.modules['made'] = types.ModuleType('made')\n"
        "    logging.getLogger('studio').setLevel(7)\n"
        "    threading.Thread(target=threading.Event().wait, name='left', daemon=True).start()\n",
        "leave",
    )
    result = session.run(
        "import enso, json, logging, made, threading\n"
        "def main():\n"
        "    assert not enso.shared['scene'].closed and json.studio == 'set'\n"
        "    assert logging.getLogger('studio').level == 7\n"
        "    return 'left' in [thread.name for thread in threading.enumerate()]\n",
        "find",
    )
    assert result.output is True, result.cause
