# What scripts leave behind has no types.
# pyright: basic
"""Calls a user's ``main`` and says how it went. One plain file, Python >= 3.7, nothing of ours.

Imported, it is the one way in which scripts are called: `run_source` and `run_function`. Run by a
session's interpreter (``hython child.py``, ``nuke -t child.py``) it asks the supervisor for one
script after the other. No descriptor of ours is open while a script runs: a script that closes
them all and opens its scene would get our words written into it.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import io
import json
import linecache
import os
import sys
import types

TYPE_CHECKING = False  # `typing` costs a start what nobody reads there
if TYPE_CHECKING:
    from typing import Any, Callable, NoReturn

_SAVED = dict(builtins.__dict__)
__builtins__ = dict(_SAVED)  # type: ignore[assignment]  # what follows keeps these, whatever a script does to builtins

LARGEST_OUTPUT_BYTES = 4096
LONGEST_MESSAGE = 65536
_OURS = os.path.abspath(__file__) if "__file__" in globals() else "child.py"
_STDLIB = os.path.dirname(os.__file__)


class _Refused(Exception):
    """A script that cannot be called: a reason and a sentence."""


def run_source(text: str, file: str, module: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call the ``main`` of a source; return a report, as service_layer/report.py describes it."""

    def find() -> Any:
        space = types.ModuleType(module)
        space.__file__ = file
        sys.modules[module] = space
        exec(compile(text, file, "exec", dont_inherit=True), space.__dict__)
        if not callable(space.__dict__.get("main")):
            raise _Refused("NoMain", "the script has no main: it needs `def main(...)`")
        return space.__dict__["main"]

    return _report(find, parameters, file, text.splitlines())


def run_function(reference: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call the function that ``package.module:function`` names; return a report."""

    def find() -> Any:
        module, _, name = reference.partition(":")
        try:
            found = importlib.import_module(module)
        except ImportError as error:
            missing = getattr(error, "name", None) or "?"
            if module == missing or module.startswith(missing + "."):
                raise _Refused("ScriptNotFound", f"there is no module {missing!r}") from None
            raise
        for part in name.split("."):
            if not hasattr(found, part):
                raise _Refused("ScriptNotFound", f"{module} has no {part!r}")
            found = getattr(found, part)
        if not callable(found):
            raise _Refused("NoMain", f"{reference} is no function")
        return found

    return _report(find, parameters, None, [])


def _report(
    find: Callable[[], Any], parameters: dict[str, Any], file: str | None, lines: list[str]
) -> dict[str, Any]:
    """Find what to call, check that it can be called so, call it, and say how it went."""
    try:
        main = find()
        if file is None:
            file = getattr(getattr(inspect.unwrap(main), "__code__", None), "co_filename", None)
        _check(main, parameters)
        output, error = main(**parameters), None
    except BaseException as raised:  # a script may raise anything
        output, error = None, raised
    _put_right()
    if error is None:
        return _output(output)
    if isinstance(error, _Refused):
        return {"refused": error.args[0], "message": error.args[1]}
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return {"exit": int(error.code or 0), "message": ""}
        return {"exit": 1, "message": _text(error.code)}
    frame = _frame(error, file, lines)
    return {"error": _name(type(error)), "message": _text(error), "frame": frame}


def _put_right() -> None:
    """Give builtins back what a script replaced, before anything of ours needs it."""
    if __name__ == "__main__":
        builtins.__dict__.update(_SAVED)


def _check(main: Any, parameters: dict[str, Any]) -> None:
    """Refuse what would be called in vain, before it has any effect."""
    plain = inspect.unwrap(main)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        sentence = "main is `async def`: write `def main(...)` and call asyncio.run inside it"
        raise _Refused("NoMain", sentence)
    if inspect.isgeneratorfunction(plain):
        raise _Refused("NoMain", "main is a generator: without its `yield` it would run")
    try:
        signature = inspect.signature(main)
    except (TypeError, ValueError):
        return  # built in, without a signature: calling it will tell
    try:
        signature.bind(**parameters)
    except TypeError:
        raise _Refused("BadParameters", _mismatch(signature, parameters)) from None


def _mismatch(signature: inspect.Signature, parameters: dict[str, Any]) -> str:
    """Say what main takes, what it was not given, and what it does not take."""
    takes = [one for one in signature.parameters.values() if one.kind is not one.VAR_POSITIONAL]
    named = [one for one in takes if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    any_name = any(one.kind is one.VAR_KEYWORD for one in takes)
    missing = [
        one.name
        for one in takes
        if one.kind is not one.VAR_KEYWORD
        and one.default is one.empty
        and (one.name not in parameters or one not in named)
    ]
    names = {one.name for one in named}
    unknown = [] if any_name else [name for name in parameters if name not in names]
    parts = ["main takes %s" % (", ".join(map(str, takes)) or "no parameters")]
    if missing:
        parts.append("it was not given {}".format(", ".join(missing)))
    if unknown:
        parts.append("it does not take {}".format(", ".join(unknown)))
    return "; ".join(parts)


def _output(output: Any) -> dict[str, Any]:
    try:
        text = json.dumps(output, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        sentence = "main returned %s, which is no JSON (%s): return nothing, or plain values"
        return {"refused": "BadResult", "message": sentence % (_name(type(output)), _text(error))}
    if len(text.encode()) > LARGEST_OUTPUT_BYTES:
        sentence = "main returned %d bytes of JSON, at most %d are kept: write it to a file"
        return {"refused": "BadResult", "message": sentence % (len(text), LARGEST_OUTPUT_BYTES)}
    return {"output": json.loads(text)}


def _name(kind: type) -> str:
    """Return a type's name as a traceback shows it."""
    if kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith("enso_script"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(value: Any) -> str:
    """Return ``str(value)``, bounded and encodable, even where str itself fails."""
    try:
        return str(value)[:LONGEST_MESSAGE].encode("utf-8", "backslashreplace").decode()
    except BaseException:  # a script's __str__ may raise anything
        return "<its text could not be had>"


def _frame(error: BaseException, file: str | None, lines: list[str]) -> list[Any] | None:
    """Return file, line, function and text of the innermost frame of the user's own code."""
    if isinstance(error, SyntaxError) and error.filename and error.filename == file:
        return [file, error.lineno or 0, "<module>", _text(error.text or "")]
    own = other = None
    traceback = error.__traceback__
    while traceback is not None:
        code, line = traceback.tb_frame.f_code, traceback.tb_lineno
        name = code.co_filename
        if name == file:
            own = (name, line, code.co_name)
        elif name != _report.__code__.co_filename and not name.startswith((_STDLIB, "<frozen")):
            other = (name, line, code.co_name)
        traceback = traceback.tb_next
    found = own or other
    if found is None:
        return None
    name, line, function = found
    inside = name == file and 0 < line <= len(lines)
    return [
        name,
        line,
        function,
        _text(lines[line - 1] if inside else linecache.getline(name, line)),
    ]


class _Worker:
    """Runs one script after the other for the supervisor, and puts right what they changed."""

    def __init__(self) -> None:
        # What is used later is kept here: a script may clear sys.modules.
        import array  # noqa: PLC0415  # only a session needs these
        import ctypes  # noqa: PLC0415
        import faulthandler  # noqa: PLC0415
        import fcntl  # noqa: PLC0415
        import signal  # noqa: PLC0415
        import socket  # noqa: PLC0415

        self.array, self.faulthandler, self.fcntl = array.array, faulthandler, fcntl
        self.signal, self.socket = signal, socket
        self.os, self.open, self.pid = os, open, os.getpid()
        self.sys: Any = sys
        self.libc = ctypes.CDLL(None)
        self.libc.prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG: nobody watches, nobody runs
        self.address = "\0" + os.environ.pop("ENSO_SOCKET")  # an abstract address
        self.crash_file = os.environ.pop("ENSO_CRASH")
        self.crash = -1
        ours = os.path.dirname(os.path.abspath(self.crash_file))
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != ours]
        shared = types.ModuleType("enso", "What the scripts of a session share.")
        shared.shared = {}  # type: ignore[attr-defined]  # a module takes any attribute
        sys.modules["enso"] = shared
        self.modules = dict(sys.modules)
        self.environment, self.directory = dict(os.environ), os.getcwd()
        self.path, self.recursion = list(sys.path), sys.getrecursionlimit()
        self.streams = (sys.stdin, sys.stdout, sys.stderr)
        for stream in self.streams[1:]:
            if isinstance(stream, io.TextIOWrapper) and hasattr(stream, "reconfigure"):
                stream.reconfigure(line_buffering=True)  # a killed script's last lines are there

    def run(self) -> None:
        """Work until the supervisor has no more."""
        message: dict[str, Any] = {"ready": True}
        while True:
            self.restore()
            work = self.talk(message)
            if not work:
                return
            message = self.call(work)

    def call(self, work: dict[str, Any]) -> dict[str, Any]:
        """Call one script."""
        self.os.environ.update(work["environment"])
        self.watch(work["timeout"])
        if "function" in work:
            report = run_function(work["function"], work["parameters"])
        else:
            report = run_source(work["text"], work["file"], work["module"], work["parameters"])
        if self.os.getpid() != self.pid:
            self.os._exit(0)  # a forked copy must not speak for the script
        self.faulthandler.cancel_dump_traceback_later()
        return report

    def watch(self, timeout: float | None) -> None:
        """Have a crash or a hang say where, in a file of its own, far from a script's numbers."""
        if self.crash < 0 or not self.is_crash_file(self.crash):
            file = self.os.open(self.crash_file, self.os.O_WRONLY | self.os.O_APPEND)
            self.crash = self.fcntl.fcntl(file, self.fcntl.F_DUPFD_CLOEXEC, 900)
            self.os.close(file)
        self.faulthandler.enable(self.crash)
        if timeout:
            self.faulthandler.dump_traceback_later(timeout, file=self.crash)

    def is_crash_file(self, number: int) -> bool:
        """Whether that descriptor is still what it was: scripts close and open as they like."""
        try:
            return self.os.path.samestat(self.os.fstat(number), self.os.stat(self.crash_file))
        except OSError:
            return False

    def restore(self) -> None:
        """Put right what a script may have left: the next one starts as the first one did."""
        for name, module in self.modules.items():
            self.sys.modules.setdefault(name, module)
        if dict(self.os.environ) != self.environment:
            self.os.environ.clear()
            self.os.environ.update(self.environment)
        self.os.chdir(self.directory)
        self.sys.path[:] = self.path
        self.sys.setrecursionlimit(self.recursion)
        self.signal.setitimer(self.signal.ITIMER_REAL, 0)
        self.signal.signal(self.signal.SIGTERM, self.stop)

    def stop(self, *_: object) -> NoReturn:
        """End as a terminated process does, through every ``finally:``."""
        raise SystemExit(143)

    def talk(self, message: dict[str, Any]) -> dict[str, Any]:
        """Report, wait for work, take descriptors 0 to 2 anew, hang up."""
        self.flush()
        connection = self.connect()
        connection.sendall(json.dumps(message).encode() + b"\n")
        data, files = b"", self.array("i")
        while not data.endswith(b"\n"):
            chunk, ancillary, _, _ = connection.recvmsg(65536, 64)
            if not chunk:
                self.os._exit(111)  # the supervisor is gone
            data += chunk
            for _, _, packed in ancillary:
                files.frombytes(packed[: len(packed) - len(packed) % files.itemsize])
        for number, file in enumerate(files):
            self.os.dup2(file, number, inheritable=True)
        for file in files:
            if file >= len(files):
                self.os.close(file)
        connection.close()
        self.reopen()
        work: dict[str, Any] = json.loads(data.decode())
        return work

    def connect(self) -> Any:
        """Connect on a descriptor above those that will be replaced: 0 to 2 may be closed."""
        plain = self.socket.socket(self.socket.AF_UNIX, self.socket.SOCK_STREAM)
        number = self.fcntl.fcntl(plain.fileno(), self.fcntl.F_DUPFD_CLOEXEC, 10)
        plain.close()
        high = self.socket.socket(self.socket.AF_UNIX, self.socket.SOCK_STREAM, 0, number)
        high.connect(self.address)
        return high

    def flush(self) -> None:
        """Send on what Python and the host program still hold of the script's output."""
        for stream in (self.sys.stdout, self.sys.stderr, *self.streams[1:]):
            try:
                stream.flush()
            except BaseException as error:  # closed, replaced by anything, or somebody's own
                self.unflushed = error
        self.libc.fflush(None)

    def reopen(self) -> None:
        """Give a script working standard streams, whatever the one before did to them."""
        fresh = []
        for number, stream in enumerate(self.streams):
            if stream is not None and not stream.closed:
                fresh.append(stream)
            elif number:
                fresh.append(self.open(number, "w", 1, "utf-8", "backslashreplace", closefd=False))
            else:
                fresh.append(self.open(number, closefd=False))
        self.streams = tuple(fresh)  # type: ignore[assignment]
        self.sys.stdin, self.sys.stdout, self.sys.stderr = fresh


if __name__ == "__main__":  # guarded: multiprocessing's "spawn" imports this file again
    _Worker().run()
