"""What is certain of a source before it runs, and what is left to the session."""

from __future__ import annotations

import itertools
import warnings

import pytest

from job_execution_framework import child
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.service_layer.preflight import problems_of


def found(text: str, **arguments: object) -> list[str]:
    work = Source(text)
    problems = problems_of(Script("it", work, arguments), work)
    return [f"{problem.line or problem.argument or '-'}: {problem.why}" for problem in problems]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("def main(:\n    pass", 1, "invalid syntax"),
        ("def main():\n    x = (1,\n", 2, "'(' was never closed"),
        ("def main():\npass", 2, "expected an indented block"),
        ("def main(): pass\nreturn 1", 2, "'return' outside function"),
        ("def main(a, a): pass", 1, "duplicate argument 'a'"),
        ("def main():\n    x = 'a", 2, "unterminated string literal"),
        ("def main(): pass\0", 1, "null bytes"),
        ("def main(): '\ud800'", 1, "surrogates not allowed"),
    ],
)
def test_what_does_not_compile_is_told_with_its_line(text: str, line: int, why: str) -> None:
    (said,) = found(text)
    assert said.startswith(f"{line}: does not compile: ")
    assert why in said


@pytest.mark.parametrize(
    ("main", "arguments", "said"),
    [
        ("main(disk)", {}, ["disk: is missing: it takes any value"]),
        (
            "main(a: str, *, b: bool)",
            {"a": 1},
            [
                "b: is missing: it takes true or false",
                (
                    "a: is 1, an integer, but takes a string: put it in quotes, as YAML reads an "
                    "unquoted 010 as 8"
                ),
            ],
        ),
        ("main()", {"a": 1}, ["a: is nothing that it takes: it takes no arguments"]),
        (
            "main(disk, frames=1)",
            {"dsk": 1},
            [
                "disk: is missing: it takes any value",
                "dsk: is nothing that it takes: did you mean 'disk'?",
            ],
        ),
        (
            "main(a, /)",
            {"a": 1},
            [
                (
                    "1: has a main that needs 'a' by its place, but arguments are given by name: "
                    "remove the `/`"
                )
            ],
        ),
        ("main(a=1, /)", {"a": 1}, ["a: is nothing that it takes: it takes no arguments"]),
        ("main(a, **more)", {"b": 1}, ["a: is missing: it takes any value"]),
    ],
)
def test_arguments_that_do_not_fit(
    main: str, arguments: dict[str, object], said: list[str]
) -> None:
    assert found(f"def {main}:\n    pass", **arguments) == said


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        ("main()", {}),
        ("main(a, b=1)", {"a": 1}),
        ("main(a, b=1)", {"b": 1, "a": 1}),
        ("main(*args, a, b=2)", {"a": 1}),
        ("main(**all)", {"a": 1}),
        ("main(a=1, /, **all)", {"a": 1}),
        ("main(a: 'Scene', *, b: list[int] = [])", {"a": 1}),
    ],
)
def test_arguments_that_fit(main: str, arguments: dict[str, object]) -> None:
    assert found(f"def {main}:\n    pass", **arguments) == []


UNSURE = [
    "main = wrapped",
    "@decorated\ndef main(a): pass",
    "if new:\n    def main(a): pass\nelse:\n    def main(): pass",
    "def main(a): pass\ndef main(): pass",
    "def main(a): pass\nmain = wrapped(main)",
    "def main(a): pass\nfrom studio import main",
    "def main(a): pass\nimport studio.publish as main",
    "def main(a): pass\nfrom studio import *",
    "def main(a): pass\nglobals()['main'] = print",
    "def main(a): pass\nexec('def main(): pass')",
    "def main(a): pass\ndef other():\n    global main\n    main = print",
    "def main(a): pass\nimport sys\nsys.modules[__name__].main = print",
    "def main(a): pass\nimport functools\nfunctools.update_wrapper(main, print)",
    "def main(a): pass\nmain.__signature__ = None",
    "def main(a): pass\nfor main in (): pass",
    "def main(a): pass\nif (main := print): pass",
    "def main(a): pass\ntry: pass\nexcept OSError as main: pass",
    "def main(a): pass\ndel main",
    "def main(a): pass\nclass main: pass",
    "async def other(): pass\ndef main(a): return main(a)\nmain(1)",
    "def main(a): pass\nmain.__defaults__ = (1,)",
    "def main(a): pass\nregister(main)",
    "def main(a): pass\nimport studio\nstudio.register('main')",
    "import sys\nif not sys.argv: sys.exit()\ndef main(a): pass",
    "def stop(): raise SystemExit\nstop()\ndef main(a): pass",
    "import sys\nsys._getframe().f_globals['m' 'ain'] = print\ndef main(a): pass",
    "__name__ = '__main__'\nif __name__ == '__main__':\n    main = print",
    "def main(a, b=exit(0)): pass",
    "from studio.publish import main",
    "from studio.publish import *",
    "print('nothing')",
]


@pytest.mark.parametrize("text", UNSURE)
def test_of_what_is_not_certain_nothing_is_said(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffdef main(): pass",
        "from pymel.core import *\ndef main(a): pass",
        "x = '\\d'\ndef main(a): pass",
        "def main(a): pass\nif __name__ == '__main__':\n    main(1)",
    ],
)
def test_what_scripts_often_have_is_read_as_the_session_does(text: str) -> None:
    assert [problem.partition(":")[0] for problem in found(text, b=1)] in ([], ["b"], ["a", "b"])
    assert found(text, **({"a": 1} if "(a)" in text else {})) == []


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("\nasync def main(): pass", {"a": 1}, "2: has an `async def main`: use `def`, with"),
        ("async def main(): yield", {}, "1: has an `async def main`: use `def`, with"),
        ("def main():\n    if a: x = yield", {"a": 1}, "1: has a main that is a generator"),
        ("def main():\n    yield from ()", {}, "1: has a main that is a generator"),
        ("def Main(): print()", {}, "1: has no main: it needs `def main(...)`"),
        ("import os\nx = 1\nif __name__ == '__main__':\n    os.run()", {}, "1: has no main"),
        ("", {}, "1: has no main"),
        ("def main(a):\n    import sys\n    sys.exit(main)", {"a": 1}, ""),
        ("def main():\n    def rows(): yield\n    return lambda: (yield)", {}, ""),
    ],
)
def test_what_nobody_can_call(text: str, arguments: dict[str, object], said: str) -> None:
    problems = found(text, **arguments)
    assert len(problems) == bool(said)
    assert "".join(problems).startswith(said)


CERTAIN = [
    "",
    "import functools\ndef free(f): return functools.wraps(f)(lambda **k: 1)\n",
    "from os.path import *\n",
    "async ",
]
BEFORE = [
    *CERTAIN,
    "def free(f): return lambda **k: 1\n@free\n",
    "if True:\n    ",
    "import sys\nif not sys.argv[99:]: sys.exit(0)\n",
    "exit = 1\n",
]
MAINS = [
    f"def main({takes}): {body}\n"
    for takes in ("", "a", "a, b=1", "*, a", "a=1, /", "a, *b", "b=2, **c", "a, /, **b")
    for body in ("return 1", "yield 1", "return exit()")
] + ["main = dict\n", "def run(): return 1\n", "class main:\n    def __init__(self, a): pass\n"]
AFTER = [
    "",
    "if __name__ == '__main__':\n    exit(main())\n",
    "main = dict\n",
    "main()\n",
    "main.__kwdefaults__ = {'a': 1}\n",
    "main.__signature__ = __import__('inspect').signature(lambda **k: 1)\n",
    "globals().update({'ma' + 'in': dict})\n",
    "def main(**k): return 2\n",
    "def late():\n    global main\n    main = dict\nlate()\n",
    "raise SystemExit(0)\n",
]
GIVEN: list[dict[str, object]] = [{}, {"a": 1}, {"b": 1}, {"a": 1, "b": 2, "c": 3}]


@pytest.mark.parametrize("before", BEFORE)
def test_nothing_is_refused_that_would_succeed(before: str) -> None:
    """Each combination is run, too, by what runs scripts everywhere."""
    refused = 0
    for main, after, given in itertools.product(MAINS, AFTER, GIVEN):
        text = before + main + after
        if found(text, **given):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = child.run_source(text, "<script>", "enso_script_it", given)
            fails = answer.get("refused") in ("NoMain", "BadParameters")
            assert fails or answer.get("error") in ("SyntaxError", "IndentationError"), text
            refused += fails
    assert refused or before not in CERTAIN


def test_a_pattern_that_is_not_taken_is_told_with_the_line_of_main() -> None:
    main = "\ndef main(a: Annotated[str, {'pattern': '(a+)+'}]): pass"
    (said,) = found(f"from typing import Annotated{main}", a="b")
    assert said.startswith("2: has a pattern for 'a' that has the quantifier + on a group")


def test_nothing_is_run_or_imported(capsys: pytest.CaptureFixture[str]) -> None:
    assert found("import no_such_module\nprint('ran')\ndef main(): pass") == []
    assert capsys.readouterr().out == ""


def test_what_only_this_python_cannot_read_is_not_certain() -> None:
    assert found(f"def main(): return {'(' * 150}{')' * 150}") == []
    assert found(f"x = {'-' * 100_000}1\ndef main(): pass") == []
