# The objects of scripts have no types.
# pyright: basic
"""Calls a script's ``main`` and reports how it went. One plain file for Python >= 3.7.

All scripts are called by it: in the user's own process by `service_layer.in_process`, and in a
session by worker.py, beside which this file is copied. So it imports nothing of this package.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import json
import linecache
import os
import re
import sys
import traceback
import types

TYPE_CHECKING = False  # importing `typing` would slow each start down
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

LARGEST_OUTPUT_BYTES = 4096
LARGEST_EXIT_CODE = 2**31
LONGEST_TEXT = 65536
"""Characters of a text in a report; longer texts are cut."""
LONGEST_LINE = 1000
"""Characters of a line or a name in a report; longer ones are cut."""
MOST_ROOTS, MOST_LEVELS = 4, 32
_NAMELESS = ("builtins", "__main__", "enso_script")
_STDLIB = os.path.dirname(os.__file__)
ENSO = types.ModuleType("enso", "What the scripts of a session share.")
vars(ENSO)["shared"] = {}
vars(ENSO)["job"] = types.SimpleNamespace(state="", failed_script="", reason="")
COPIES: list[tuple[types.ModuleType, types.ModuleType]] = []
"""Pairs of a module as scripts see it and the private copy that we use."""


def shield(space: dict[str, Any], *names: str) -> None:
    """Give a file of ours its own builtins and modules, which scripts cannot replace."""
    builtin = vars(builtins).items()
    space.update({name: value for name, value in builtin if not name.startswith("_")})
    for name in names:
        copy = types.ModuleType(name)
        copy.__dict__.update(vars(space[name]))
        COPIES.append((space[name], copy))
        space[name] = copy


shield(globals(), "importlib", "inspect", "json", "linecache", "os", "re", "traceback")
_OURS = shield.__code__.co_filename  # a host program may run us without a __file__


def progress(percent: Any, message: Any = None) -> None:
    """Print how far the script is, from 0 to 100, and what it does now: ``enso.progress``.

    It prints lines of Open Job Description, which whoever runs the script reads from its output.
    """
    try:
        number = float(percent)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(percent, (str, bytes, bool)) or not 0 <= number < float("inf"):
        given = _text(repr(percent), 80)
        raise ValueError(f"enso.progress takes a number from 0 to 100, but got {given}")
    if not (message is None or isinstance(message, str)):
        kind = _name(type(message))
        raise TypeError(f"enso.progress takes a text as its message, but got one of type {kind}")
    lines = f"openjd_progress: {min(number, 100.0):g}\n"
    if message is not None:
        lines = f"openjd_status: {' '.join(_text(message).split())}\n{lines}"
    stream = sys.__stdout__ or sys.stdout  # a script may send its own output elsewhere meanwhile
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(lines.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except (AttributeError, OSError, ValueError):
        pass  # it is closed: the script goes on


vars(ENSO)["progress"] = progress


class _Refused(Exception):
    """A script that cannot be called, or a result that cannot be kept: a reason and a sentence."""


def show_end(end: dict[str, str]) -> None:
    """Let scripts find out in ``enso.job`` how the end of their job was decided."""
    vars(ENSO)["job"] = types.SimpleNamespace(**end)


def run_source(text: str, file: str, module: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call the ``main`` of a source; return a report, as service_layer/report.py describes it."""
    name = os.path.basename(file).replace("enso_script_", "", 1)

    def find() -> Any:
        space = types.ModuleType(module)
        space.__file__, sys.modules[module] = file, space
        exec(compile(text.lstrip("\ufeff"), file, "exec", dont_inherit=True), vars(space))
        if "main" not in vars(space):
            raise _Refused("NoMain", f"{name} has no main: it needs `def main(...)`")
        return vars(space)["main"]

    return _report(find, f"main of {name}", parameters, file, text.split("\n"))


def run_function(reference: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call the function that ``package.module:function`` names; return a report."""
    module, _, path = reference.partition(":")

    def find() -> Any:
        if not all(part.isidentifier() for part in f"{module}.{path}".split(".")):
            sentence = f"{reference!r} names no function: write package.module:function"
            raise _Refused("ScriptNotFound", sentence)
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                raise  # something that the module itself imports
            raise _Refused("ScriptNotFound", f"there is no module {error.name!r}") from None
        for part in path.split("."):
            if not hasattr(found, part):
                raise _Refused("ScriptNotFound", f"{module} has no {part!r}")
            found = getattr(found, part)
        return found

    return _report(find, reference, parameters, "", [])


def _report(
    find: Callable[[], Any], name: str, parameters: dict[str, Any], file: str, lines: list[str]
) -> dict[str, Any]:
    """Find what to call, check that it takes the parameters, call it, and report how it went."""
    before = dict(vars(builtins))
    sys.modules.setdefault("enso", ENSO)
    try:
        main = find()
        patched = dict(vars(builtins))  # by the script; our own code needs the original ones
        builtins.__dict__.update(before)
        _check(main, name, parameters)
        arguments = _with_paths(main, parameters)
        file = file or _file_of(main)
        builtins.__dict__.update(patched)
        output = main(**arguments)
        builtins.__dict__.update(before)
        return {"output": _output(output)}
    except BaseException as error:
        builtins.__dict__.update(before)
        return _failure(error, file, lines)


def _check(main: Any, name: str, parameters: dict[str, Any]) -> None:
    """Refuse a ``main`` that cannot be called with these parameters, before it has any effect."""
    if not callable(main):
        raise _Refused("NoMain", f"{name} is no function, but of type {_name(type(main))}")
    plain = inspect.unwrap(main)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        raise _Refused("NoMain", f"{name} is `async def`: use `def`, with asyncio.run inside it")
    if inspect.isgeneratorfunction(plain):
        raise _Refused("NoMain", f"{name} is a generator: without its `yield` it would run")
    try:
        signature = inspect.signature(main)
    except (TypeError, ValueError):
        return  # a built-in without a signature: the call will show
    try:
        signature.bind(**parameters)
    except TypeError:
        raise _Refused("BadParameters", _mismatch(name, signature, parameters)) from None


def _with_paths(main: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters, with a Path for each text whose hint says so: JSON has only texts."""
    try:
        takes = inspect.signature(main).parameters
    except (TypeError, ValueError):
        return parameters
    names = getattr(inspect.unwrap(main), "__globals__", {})
    paths = [
        name
        for name, value in parameters.items()
        if isinstance(value, str) and name in takes and _is_path(takes[name].annotation, names)
    ]
    return {**parameters, **{name: _path_type()(parameters[name]) for name in paths}}


def _is_path(hint: Any, names: dict[str, Any]) -> bool:
    """Whether a hint is Path, also an optional or annotated one, and takes no plain text."""
    if not isinstance(hint, str):
        parts = getattr(hint, "__args__", (hint,))
        return "pathlib" in sys.modules and _path_type() in parts and str not in parts
    # With `from __future__ import annotations` every hint is a text; a word may be an alias.
    words = {word: names.get(word) for word in re.findall(r"[\w.]+", hint)}
    return "str" not in words and any(
        word in ("Path", "pathlib.Path")
        if known is None
        else not isinstance(known, str) and _is_path(known, names)
        for word, known in words.items()
    )


def _path_type() -> Any:
    return importlib.import_module("pathlib").Path  # not imported above: most scripts need none


def _mismatch(name: str, signature: inspect.Signature, parameters: dict[str, Any]) -> str:
    """Return a sentence: what main takes, what it was not given, and what it does not take."""
    takes = list(signature.parameters.values())
    named = {
        parameter.name
        for parameter in takes
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    missing = [
        parameter.name
        for parameter in takes
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in named & set(parameters)
    ]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes)
    unknown = [name for name in parameters if not takes_any and name not in named]
    listed = ", ".join(
        _text(parameter.replace(annotation=parameter.empty), LONGEST_LINE) for parameter in takes
    )
    sentence = f"{name} takes {listed or 'no parameters'}"
    if missing:
        sentence += f"; it was not given {', '.join(missing)}"
    if unknown:
        sentence += f"; it does not take {', '.join(unknown)}"
    return sentence


def _output(output: Any) -> Any:
    """Return the output as JSON would give it back; refuse what is not JSON, or too large."""
    try:
        text = json.dumps(output, allow_nan=False)
        value = json.loads(text)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may contain objects of the script, which may raise anything
        what = f"{_name(type(output))}, which is no JSON ({_text(error, LONGEST_LINE)})"
        sentence = f"main returned {what}: return nothing, or plain values"
        raise _Refused("BadResult", sentence) from None
    if len(text) > LARGEST_OUTPUT_BYTES:
        sizes = f"{len(text)} bytes of JSON, at most {LARGEST_OUTPUT_BYTES} are kept"
        raise _Refused("BadResult", f"main returned {sizes}: write it to a file")
    return value


def _failure(error: BaseException, file: str, lines: list[str]) -> dict[str, Any]:
    """Return the report of what was raised."""
    if isinstance(error, _Refused):
        return {"refused": error.args[0], "message": error.args[1][:LONGEST_TEXT]}
    if isinstance(error, SystemExit):
        code = error.code
        if code is None or (isinstance(code, int) and abs(code) < LARGEST_EXIT_CODE):
            return {"exit": int(code or 0), "message": ""}
        return {"exit": 1, "message": _text(code)}
    how, roots = _roots(error)
    errors = [*(roots if how == "caused by" else []), error]
    frames = (_frame(candidate, file, lines) for candidate in errors)
    report: dict[str, Any] = {
        "error": _name(type(error)),
        "message": _text(error),
        "frame": next((frame for frame in frames if frame), None),
        "traceback": _traceback(error),
        "roots": [[_name(type(root)), _text(root)] for root in roots],
        "how": how,
    }
    if isinstance(error, KeyboardInterrupt):
        report["interrupt"] = True
    return report


def _roots(error: BaseException) -> tuple[str, list[BaseException]]:
    """Return the original exceptions behind this one, and the words that link them to it."""
    try:
        found = zip(range(MOST_ROOTS), _innermost(error))
        roots = [root for _, root in found if root is not error]
        if roots or error.__context__ is None or error.__suppress_context__:
            return "caused by", roots
        return "while handling", [next(_innermost(error.__context__))]
    except Exception:  # an exception of a script's own may be anything
        return "", []


def _innermost(error: BaseException, levels: int = MOST_LEVELS) -> Iterator[BaseException]:
    """Yield the leaves of an exception group, or the last in a chain of causes."""
    members = getattr(error, "exceptions", None)
    causes = members if isinstance(members, tuple) and members else (error.__cause__,)
    real = [cause for cause in causes if isinstance(cause, BaseException) and not _is_text(cause)]
    if not real or not levels:
        yield error
        return
    for cause in real:
        yield from _innermost(cause, levels - 1)


def _is_text(error: BaseException) -> bool:
    """Whether the exception only holds a traceback as text, as process pools add as a cause."""
    return _name(type(error)).endswith("RemoteTraceback")


def _name(kind: type) -> str:
    """Return a type's name as a traceback shows it, whatever its metaclass makes of it."""
    try:
        module = type.__dict__["__module__"].__get__(kind)
    except AttributeError:  # the class was made where there was no module
        module = "builtins"
    name = type.__dict__["__qualname__"].__get__(kind)
    if not isinstance(module, str) or module.startswith(_NAMELESS):
        return _text(name, LONGEST_LINE)
    return _text(f"{module}.{name}", LONGEST_LINE)


def _text(value: Any, limit: int = LONGEST_TEXT) -> str:
    """Return ``str(value)``, bounded and encodable, even where str itself fails."""
    try:
        return str(value)[:limit].encode("utf-8", "backslashreplace").decode()
    except BaseException:  # a script's __str__ may raise anything
        return "<its text could not be had>"


def _file_of(main: Any) -> str:
    return str(getattr(getattr(inspect.unwrap(main), "__code__", None), "co_filename", ""))


def _frame(error: BaseException, file: str, lines: list[str]) -> list[Any] | None:
    """Return file, line, function and text of the innermost frame of the user's own code."""
    own = other = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        name, function = frame.f_code.co_filename, frame.f_code.co_name
        if name == file:
            own = (name, line, function)
        elif not _is_foreign(name):
            other = (name, line, function)
    if own is None and isinstance(error, SyntaxError) and error.filename and error.lineno:
        return [error.filename, error.lineno, "<module>", _text(error.text or "", LONGEST_LINE)]
    found = own or other
    if found is None:
        return None
    name, line, function = found
    known = name == file and 0 < line <= len(lines)
    text = lines[line - 1] if known else linecache.getline(name, line)
    return [name, line, function, _text(text, LONGEST_LINE)]


def _is_foreign(file: str) -> bool:
    """Whether a file is this one or one of Python's, where users have made no mistake."""
    is_python = file.startswith(("<frozen", _STDLIB)) and "-packages" not in file
    return is_python or file == _OURS


def _traceback(error: BaseException) -> str:
    """Return what Python would print, without our own frames."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename == _OURS:
        step = step.tb_next
    try:
        return _text("".join(traceback.format_exception(type(error), error, step)))
    except BaseException:  # it calls methods of the script's objects
        return ""
