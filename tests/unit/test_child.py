"""What child.py reports, called in this very process."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from job_execution_framework import child

FILE = "/folder/open.py"


def run(source: str, **parameters: object) -> dict[str, Any]:
    return child.run_source(source, FILE, "enso_script_test", parameters)


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules can be imported, and are forgotten after the test."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_importing_it_changes_nothing_but_itself() -> None:
    code = (
        "import builtins, os, sys, signal; before = dict(vars(builtins)), dict(vars(os));"
        "from job_execution_framework import child;"
        "assert before == (vars(builtins), vars(os)); assert 'enso' not in sys.modules;"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("returned", "output"),
    [
        ("None", None),
        ("{'a': (1, 2.5), 'b': [True, None, 'ü']}", {"a": [1, 2.5], "b": [True, None, "ü"]}),
        ("'x' * 4094", "x" * 4094),
        ("'\\ud800'", "\ud800"),
    ],
)
def test_a_result_is_what_json_makes_of_it(returned: str, output: object) -> None:
    assert run(f"def main(): return {returned}") == {"output": output}


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ("{1, 2}", "main returned set, which is no JSON"),
        ("float('nan')", "main returned float, which is no JSON"),
        ("Own()", "main returned Own, which is no JSON"),
        ("Evil(a=1)", "main returned Evil, which is no JSON"),
        ("[[]] if not loop.append(loop) else 0", "it succeeded"),
        ("'x' * 4095", "main returned 4097 bytes of JSON, at most 4096 are kept"),
        ("'ü' * 1000", "main returned 6002 bytes of JSON"),
    ],
)
def test_a_result_that_cannot_be_kept_is_refused(returned: str, why: str) -> None:
    source = f"""
class Own: pass
class Evil(dict):
    def items(self): raise SystemExit(0)
loop = []
def main(): return {returned}
"""
    if why == "it succeeded":
        source = "def main():\n    loop = []\n    loop.append(loop)\n    return loop"
        why = "main returned list, which is no JSON"
    answer = run(source)
    assert answer["refused"] == "BadResult"
    assert answer["message"].startswith(why)


@pytest.mark.parametrize(
    ("exits", "expected"),
    [
        ("sys.exit()", {"exit": 0, "message": ""}),
        ("sys.exit(0)", {"exit": 0, "message": ""}),
        ("sys.exit(3)", {"exit": 3, "message": ""}),
        ("sys.exit(-1)", {"exit": -1, "message": ""}),
        ("sys.exit(True)", {"exit": 1, "message": ""}),
        ("sys.exit('no licence')", {"exit": 1, "message": "no licence"}),
        ("sys.exit(2**40)", {"exit": 1, "message": str(2**40)}),
    ],
)
def test_an_exit_is_its_code(exits: str, expected: object) -> None:
    assert run(f"import sys\ndef main(): {exits}") == expected


@pytest.mark.parametrize(
    ("signature", "given", "sentence"),
    [
        (
            "path, frames=1",
            {"frame": 2, "path": ""},
            "takes path, frames=1; it does not take frame",
        ),
        ("path, frames=1", {}, "takes path, frames=1; it was not given path"),
        ("path", {"Path": 1}, "takes path; it was not given path; it does not take Path"),
        ("", {"a": 1}, "takes no parameters; it does not take a"),
        ("*, a: int, b=None", {}, "takes a, b=None; it was not given a"),
        ("a, **rest", {"b": 1}, "takes a, **rest; it was not given a"),
        ("*rest", {"rest": 1}, "takes *rest; it does not take rest"),
        ("a, /", {"a": 1}, "takes a; it was not given a; it does not take a"),
    ],
)
def test_parameters_are_checked_before_the_call(
    signature: str, given: dict[str, object], sentence: str
) -> None:
    answer = run(f"def main({signature}): raise AssertionError", **given)
    assert answer == {"refused": "BadParameters", "message": f"main of open.py {sentence}"}


def test_a_type_error_of_the_script_is_its_own() -> None:
    answer = run("def main(a):\n    return len(a)", a=5)
    assert (answer["error"], answer["frame"]) == (
        "TypeError",
        [FILE, 2, "main", "    return len(a)"],
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("x = 1", "open.py has no main: it needs `def main(...)`"),
        ("main = 5", "main of open.py is no function, but of type int"),
        ("async def main(): pass", "main of open.py is `async def`"),
        ("async def main(): yield", "main of open.py is `async def`"),
        ("def main(): yield", "main of open.py is a generator"),
        (
            "import functools\ndef f(): yield\n@functools.wraps(f)\ndef main(): return f()",
            "main of open.py is a generator",
        ),
    ],
)
def test_what_would_be_called_in_vain_is_refused(source: str, sentence: str) -> None:
    answer = run(source)
    assert answer["refused"] == "NoMain"
    assert answer["message"].startswith(sentence)


@pytest.mark.parametrize(
    ("source", "error", "message", "frame"),
    [
        (
            "def main():\n    raise ValueError('no')",
            "ValueError",
            "no",
            [FILE, 2, "main", "    raise ValueError('no')"],
        ),
        (
            "import json\ndef main():\n    inner()\ndef inner(): json.loads('{')",
            "json.decoder.JSONDecodeError",
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            [FILE, 4, "inner", "def inner(): json.loads('{')"],
        ),
        ("1/0", "ZeroDivisionError", "division by zero", [FILE, 1, "<module>", "1/0"]),
        (
            "class Own(BaseException): pass\ndef main(): raise Own",
            "Own",
            "",
            [FILE, 2, "main", "def main(): raise Own"],
        ),
        ("def main():\n    return (", "SyntaxError", None, [FILE, 2, "<module>", "    return ("]),
        ("\ufeffdef main(): 1/0", "ZeroDivisionError", "division by zero", None),
        ("x = '\x0c'\ndef main(): 1/0", "ZeroDivisionError", "division by zero", None),
    ],
)
def test_an_exception_is_told_with_its_place(
    source: str, error: str, message: str | None, frame: list[object] | None
) -> None:
    answer = run(source)
    assert answer["error"] == error
    if message is not None:
        assert answer["message"] == message
    if frame:
        assert [*answer["frame"][:3], answer["frame"][3].rstrip()] == frame
    assert answer["frame"][0] == FILE
    assert child.__file__ not in answer["traceback"]


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("Broken()", "<its text could not be had>"),
        ("ValueError('x' * 5_000_000)", "x" * 65536),
        ("ValueError('a\\ud800b')", "a\\ud800b"),
        ("Nameless()", ""),
        ("Closed()", ""),
    ],
)
def test_no_exception_is_too_odd_to_be_told(raised: str, message: str) -> None:
    source = f"""
class Broken(Exception):
    def __str__(self): raise SystemExit("from str")
class Nameless(Exception): __module__ = 5
class Meta(type):
    def __getattribute__(cls, name): raise KeyboardInterrupt
class Closed(Exception, metaclass=Meta): pass
def main(): raise {raised}
"""
    answer = run(source)
    assert answer["message"] == message
    assert answer["error"] == raised.partition("(")[0]
    assert answer["frame"][1:3] == [8, "main"]


def test_a_script_is_a_module_of_its_own() -> None:
    source = """
import dataclasses, pickle, sys
@dataclasses.dataclass
class Point: x: int
def main():
    assert sys.modules[__name__].Point is Point and __file__ == "/folder/open.py"
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
    return __name__
"""
    assert run(source) == {"output": "enso_script_test"}
    assert isinstance(sys.modules["enso_script_test"], types.ModuleType)


def test_scripts_share_a_dict_in_process_too() -> None:
    run("import enso\ndef main(): enso.shared['left'] = 1")
    assert run("from enso import shared\ndef main(): return shared.pop('left')") == {"output": 1}


def test_our_own_future_imports_are_not_the_scripts() -> None:
    source = "def main(a: int): return main.__annotations__['a'] is int"
    assert run(source, a=1) == {"output": True}


def test_a_patched_builtin_holds_for_its_script_only() -> None:
    source = """
import builtins
builtins.len = builtins.isinstance = builtins.tuple = lambda *_: "patched"
def main(): return len([])
"""
    assert run(source) == {"output": "patched"}
    assert len([]) == 0


def test_a_function_is_called_by_its_reference(studio: Path) -> None:
    (studio / "pipe").mkdir()
    (studio / "pipe" / "__init__.py").write_text("")
    (studio / "pipe" / "tools.py").write_text(
        "class Tool:\n    @staticmethod\n    def make(n):\n        return n / 0\n"
        "def double(n): return 2 * n\nnumber = 5\n"
    )
    assert child.run_function("pipe.tools:double", {"n": 4}) == {"output": 8}
    answer = child.run_function("pipe.tools:Tool.make", {"n": 4})
    assert answer["frame"] == [str(studio / "pipe/tools.py"), 4, "make", "        return n / 0\n"]
    answer = child.run_function("pipe.tools:double", {})
    assert answer["message"] == "pipe.tools:double takes n; it was not given n"
    answer = child.run_function("pipe.tools:number", {})
    assert answer["refused"] == "NoMain"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("nowhere.tools:main", "there is no module 'nowhere'"),
        ("pipe2.nothing:main", "there is no module 'pipe2.nothing'"),
        ("pipe2:main.deeper", "pipe2 has no 'main'"),
        ("pipe2", "'pipe2' names no function: write package.module:function"),
        ("pipe2:", "'pipe2:' names no function: write package.module:function"),
        (".pipe2:main", "'.pipe2:main' names no function: write package.module:function"),
    ],
)
def test_a_function_that_is_not_there(studio: Path, reference: str, sentence: str) -> None:
    (studio / "pipe2").mkdir()
    (studio / "pipe2" / "__init__.py").write_text("")
    assert child.run_function(reference, {}) == {"refused": "ScriptNotFound", "message": sentence}


@pytest.mark.parametrize(
    ("text", "error", "line", "function"),
    [
        ("import not_there_at_all", "ModuleNotFoundError", 1, "<module>"),
        ("\nraise OSError('no licence')", "OSError", 2, "<module>"),
        ("\ndef main(:", "SyntaxError", 2, "<module>"),
        ("import json\ndef main():\n    json.loads('')", "json.decoder.JSONDecodeError", 3, "main"),
    ],
)
def test_a_function_whose_module_breaks(
    studio: Path, text: str, error: str, line: int, function: str
) -> None:
    (studio / "broken.py").write_text(text)
    answer = child.run_function("broken:main", {})
    assert answer["error"] == error
    assert answer["frame"][:3] == [str(studio / "broken.py"), line, function]


def test_a_built_in_function_without_a_signature_is_called() -> None:
    assert child.run_function("builtins:dict", {"a": 1}) == {"output": {"a": 1}}


@pytest.mark.parametrize(
    ("imports", "hint", "kind"),
    [
        ("from pathlib import Path", "Path", "PosixPath"),
        ("import pathlib", "pathlib.Path", "PosixPath"),
        ("from pathlib import Path; from typing import Optional", "Optional[Path]", "PosixPath"),
        ("from pathlib import Path", "'Path | None'", "PosixPath"),
        ("from pathlib import Path", "'Annotated[Path, {1: 2}]'", "PosixPath"),
        ("TYPE_CHECKING = 1", "'Path'", "PosixPath"),
        ("from pathlib import Path as P; Scene = P", "'Scene | None'", "PosixPath"),
        ("from pathlib import Path; Scene = 'Path'", "'Scene'", "str"),
        ("from pathlib import Path; from typing import Union", "Union[str, Path]", "str"),
        ("from pathlib import Path", "'str | Path'", "str"),
        ("class Path: pass", "'Path'", "str"),
        ("import pathlib", "'studio.Path'", "str"),
        ("import pathlib", "str", "str"),
    ],
)
def test_a_text_becomes_a_path_where_main_asks_for_one(imports: str, hint: str, kind: str) -> None:
    source = f"{imports}\ndef main(it: {hint}, *rest, **more): return type(it).__name__"
    assert run(source, it="/shots/010.hip", other="/x") == {"output": kind}


def test_what_is_no_text_stays_as_it_is() -> None:
    source = "from pathlib import Path\ndef main(it: Path = None, **more): return repr([it, more])"
    assert run(source, it=None, a="/x") == {"output": "[None, {'a': '/x'}]"}
    assert run(source, it=3) == {"output": "[3, {}]"}
