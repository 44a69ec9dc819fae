# What scripts leave behind has no types.
# pyright: basic
"""What the interpreter of a session runs, as in ``hython worker.py``: one script after the other.

`interpreter` starts it and sends it the scripts. For Python >= 3.7 on Linux; of this package it has
only the child.py beside it, which calls the scripts. No connection to the supervisor is open while
a script runs: a script that closes all descriptors and then opens a file would get our messages
written into that file.

Scripts of a session share its process on purpose: its memory, what modules hold, ``sys.modules``
and ``enso.shared``, open files, threads, exit handlers. Before each script the rest is as it was
when the session began: standard streams and descriptors 0 to 2; builtins, ``sys.path``,
``sys.argv`` and the other names in ``sys``; environment, working directory, umask, locale and time
zone; handlers of signals, those that are blocked, and timers; filters of warnings; the limit of
recursion, trace and profile functions, the garbage collector's settings, the sockets' default
timeout and ``faulthandler``; and what scripts replaced in the modules that we use ourselves.
"""

from __future__ import annotations

import _locale
import _socket as socket  # the plain one: libraries patch the other
import array
import faulthandler
import fcntl
import gc
import json
import os
import sys
import types
import warnings
from _thread import _local, get_ident
from contextlib import suppress
from functools import partial
from time import tzset

TYPE_CHECKING = False  # importing `typing` would slow each start down
if TYPE_CHECKING:
    import signal
    from typing import Any, Callable

    from job_execution_framework import child
else:
    import _signal as signal  # the plain one: the other makes an enum of each number

_HERE = os.path.dirname(os.path.abspath((lambda: 0).__code__.co_filename))
"""The folder of this file; a host program may run it without a __file__."""


def _load(name: str) -> types.ModuleType:
    """Return a file beside this one as a module of a name that no script imports by chance."""
    module, path = types.ModuleType(f"_enso_{name}"), os.path.join(_HERE, f"{name}.py")
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec", dont_inherit=True), vars(module))
    return module


if not TYPE_CHECKING:
    child = _load("child")
child.shield(globals(), "array", "faulthandler", "fcntl", "gc", "json", "os", "signal", "socket")


class _Worker:
    """Runs one script after the other for the supervisor, and restores what they changed."""

    def __init__(self, address: str) -> None:
        self.address, self.pid, self.libc = f"\0{address}", os.getpid(), _libc()
        if self.libc:
            self.libc.prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG: end with the supervisor
        if sys.path and os.path.abspath(sys.path[0]) == _HERE:  # where Python puts what it runs
            del sys.path[0]
        sys.modules["enso"] = child.ENSO
        self.modules, self.entries, self.argv = dict(sys.modules), list(sys.path), list(sys.argv)
        self.environ, self.environment = os.environ, dict(os.environ)
        self.streams = [sys.stdin, sys.stdout, sys.stderr]
        self.filters: Any = warnings.filters
        self.warned = list(self.filters)
        self.names = dict(vars(sys))
        self.settings = [(read, change, read()) for read, change in _settings()]
        handlers = [(number, signal.getsignal(number)) for number in range(1, signal.NSIG)]
        # None stands for a handler that a host program installed without Python.
        self.handlers = [(number, handler) for number, handler in handlers if handler is not None]
        self.crash, self.stopping = -1, False
        self.masks = _local()
        os.register_at_fork(
            before=self.before_fork,
            after_in_parent=self.after_fork,
            after_in_child=self.after_fork_in_child,
        )

    def run(self) -> None:
        """Run scripts until the supervisor has no more, or SIGTERM comes."""
        report: dict[str, Any] = {"ready": True}
        while not self.stopping:
            work = self.talk(report)
            self.restore()
            if "end" in work:
                return self.end(work["end"])
            report = self.call(work)
        sys.exit(143)

    def end(self, seconds: float) -> None:
        """Let the interpreter exit; after `seconds`, write what keeps it from exiting."""
        waits_for = {get_ident(): ""}  # exit handlers run in this thread
        with suppress(Exception):  # a script may have replaced `threading` by anything
            threads = sys.modules["threading"].enumerate() if "threading" in sys.modules else []
            names = {thread.ident: thread.name for thread in threads if not thread.daemon}
            waits_for = {**names, **waits_for}
        for number, name in waits_for.items():
            line = f"waits for {number:#x} {name}".replace("\n", " ")[: child.LONGEST_LINE]
            os.write(self.crash, f"{line}\n".encode("utf-8", "backslashreplace"))
        faulthandler.dump_traceback_later(seconds, file=self.crash)

    def call(self, work: dict[str, Any]) -> dict[str, Any]:
        """Call one script."""
        os.environ.update(work["environment"])
        sys.path += work["path"]
        if "job" in work:
            child.show_end(work["job"])
        if work["timeout"]:  # shows where it hangs, even if it holds the GIL
            faulthandler.dump_traceback_later(work["timeout"], file=self.crash)
        if work["dump_on"]:  # sent when it has been silent for too long
            faulthandler.register(work["dump_on"], file=self.crash)
        if "function" in work:
            report = child.run_function(work["function"], work["parameters"])
        else:
            report = child.run_source(
                work["text"], work["file"], work["module"], work["parameters"]
            )
        if os.getpid() != self.pid:  # a forked copy must not report for the script
            os._exit(int("output" not in report and report.get("exit") != 0))
        faulthandler.cancel_dump_traceback_later()
        for stream in (sys.stdout, sys.stderr, *self.streams[1:]):
            with suppress(BaseException):  # closed, or replaced by anything
                stream.flush()
        if self.libc:
            self.libc.fflush(None)  # what the host program has buffered
        return report

    def talk(self, report: dict[str, Any]) -> dict[str, Any]:
        """Connect, report, wait for work, install the descriptors that came with it, disconnect."""
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(None)  # a script may have set one for all sockets
        link.connect(self.address)
        link.sendall(json.dumps(report).encode() + b"\n")
        data, fresh = b"", array.array("i")
        while not data.endswith(b"\n"):
            chunk, ancillary, _, _ = link.recvmsg(65536, socket.CMSG_SPACE(4 * fresh.itemsize))
            if not chunk:
                os._exit(111)  # the supervisor is gone
            data += chunk
            for _, _, packed in ancillary:
                fresh.frombytes(packed)
        link.close()
        for number in (0, 1, 2):  # received in rising order: none overwrites a later one
            os.dup2(fresh[number], number)
        # The crash file gets a high number, which files that scripts open are unlikely to get.
        try:
            if self.crash < 0:
                self.crash = fcntl.fcntl(fresh[3], fcntl.F_DUPFD_CLOEXEC, 200)
            else:
                os.dup2(fresh[3], self.crash, inheritable=False)
        except OSError:  # fewer descriptors are allowed now
            self.crash = fresh[3]
        for number in fresh:
            if number > 2 and number != self.crash:  # noqa: PLR2004  # standard error
                os.close(number)
        work: dict[str, Any] = json.loads(data.decode())
        return work

    def restore(self) -> None:
        """Restore what a script may have changed: the next one starts as the first one did."""
        faulthandler.enable(self.crash)
        sys.__dict__.update(self.names)
        sys.__dict__.pop("tracebacklimit", None)
        for name, module in self.modules.items():
            sys.modules.setdefault(name, module)
        sys.path[:], sys.argv[:] = self.entries, self.argv
        for original, copy in child.COPIES:
            vars(original).update(vars(copy))
        if warnings.filters is not self.filters or self.filters != self.warned:
            warnings.filters = self.filters
            warnings.resetwarnings()
            self.filters[:] = self.warned
        self.restore_environment()
        for read, change, value in self.settings:
            _put_back(read, change, value)
        # ValueError: a host program runs us in a thread, without handlers: SIGTERM ends it at once.
        with suppress(ValueError):
            for number, handler in self.handlers:
                if signal.getsignal(number) != handler:
                    signal.signal(number, handler)
            signal.signal(signal.SIGTERM, self.stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        self.restore_streams()

    def restore_environment(self) -> None:
        """Restore the environment, and the time zone that is in it."""
        for name in set(self.environ) - set(self.environment):
            del self.environ[name]
        for name, value in self.environment.items():
            if self.environ.get(name) != value:
                self.environ[name] = value
        tzset()

    def restore_streams(self) -> None:
        """Restore the standard streams, also before the first script: a host may have its own."""
        for number, stream in enumerate(self.streams):
            if stream is None or getattr(stream, "closed", False):
                mode = "w" if number else "r"
                self.streams[number] = open(  # noqa: SIM115  # used until the process ends
                    number, mode, 1, "utf-8", "backslashreplace", closefd=False
                )
        for stream in self.streams[1:]:
            getattr(stream, "reconfigure", dict)(line_buffering=True, errors="backslashreplace")
        sys.stdin, sys.stdout, sys.stderr = self.streams

    def stop(self, *_: object) -> None:
        """Handle SIGTERM: raise SystemExit, so that every ``finally:`` of the script runs."""
        self.stopping = True
        raise SystemExit(143)

    def before_fork(self) -> None:
        """Hold SIGTERM back: Python forgets one that a forked process gets before it is ready.

        Whoever waits for that process, as multiprocessing does at the end of a pool, would hang.
        """
        self.masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

    def after_fork(self) -> None:
        """Take SIGTERM again."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self.masks.before)

    def after_fork_in_child(self) -> None:
        """Have SIGTERM end the forked process as it would without us."""
        if signal.getsignal(signal.SIGTERM) == self.stop:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.after_fork()


def _settings() -> list[tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """Return for each setting of the process how it is read and how it is changed."""
    timers = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
    everything, none = _locale.LC_ALL, None
    return [
        (os.getcwd, os.chdir),
        (_umask, os.umask),
        (partial(_locale.setlocale, everything, none), partial(_locale.setlocale, everything)),
        (sys.getrecursionlimit, sys.setrecursionlimit),
        (sys.getswitchinterval, sys.setswitchinterval),
        (sys.gettrace, sys.settrace),
        (sys.getprofile, sys.setprofile),
        (gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
        (gc.get_threshold, lambda numbers: gc.set_threshold(*numbers)),
        (socket.getdefaulttimeout, socket.setdefaulttimeout),
        (
            partial(signal.pthread_sigmask, signal.SIG_BLOCK, ()),
            partial(signal.pthread_sigmask, signal.SIG_SETMASK),
        ),
        *((partial(signal.getitimer, n), partial(_set_timer, n)) for n in timers),
    ]


def _put_back(read: Callable[[], Any], change: Callable[[Any], Any], value: Any) -> None:
    try:
        is_so = read() == value
    except OSError:  # the folder that is the current one is gone
        is_so = False
    if not is_so:
        with suppress(OSError):
            change(value)


def _umask() -> int:
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _set_timer(which: int, when: tuple[float, float]) -> None:
    signal.setitimer(which, *when)


def _libc() -> Any:
    """Return the C library, where this Python can call it."""
    try:
        import ctypes  # noqa: PLC0415  # not every Python was built with it
    except ImportError:
        return None
    return ctypes.CDLL(None)


if __name__ == "__main__":  # guarded: multiprocessing's "spawn" imports this file again
    _Worker(os.environ.pop("ENSO_SOCKET")).run()
