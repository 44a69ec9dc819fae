"""Parameters from the signature of a `main`: hints, defaults and docstrings, read and never run."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from job_execution_framework.domain.parameters import ABSENT, Parameter, Parameters, Type
from job_execution_framework.domain.script import Source
from job_execution_framework.service_layer.main_function import read
from job_execution_framework.service_layer.signature import description_in, parameters_in

IMPORTS = """\
import annotated_types, os, pathlib, typing, typing as t
import collections.abc
from annotated_types import Ge, Gt, Interval, Le, Lt
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path, PurePath as P
from typing import Annotated, Any, Dict, List, Literal, Optional, Union
from pydantic import Field
from studio import Shot, int as studio_int
Quality = Literal["draft", "final"]
Frames: t.TypeAlias = "Annotated[int, Ge(1)]"
Twice = int
Twice = str
Loop = 'Loop'
class Level(Enum): LOW = 1
"""


def parameter(written: str, imports: str = IMPORTS) -> Parameter:
    found = parameters_in(read(Source(f"{imports}def main({written}): pass")))
    assert found is not None
    (one,) = found.listed
    return one


@pytest.mark.parametrize(
    ("hint", "fields"),
    [
        ("int", {"type": Type.INTEGER}),
        ("float", {"type": Type.NUMBER}),
        ("'str'", {"type": Type.STRING}),
        ("bool", {"type": Type.BOOLEAN}),
        ("Path", {"type": Type.PATH}),
        ("pathlib.Path", {"type": Type.PATH}),
        ("P", {"type": Type.PATH}),
        ("'os.PathLike[str]'", {"type": Type.PATH}),
        ("list", {"type": Type.LIST}),
        ("list[int]", {"type": Type.LIST}),
        ("tuple[int, ...]", {"type": Type.LIST}),
        ("List[Shot]", {"type": Type.LIST}),
        ("t.Sequence[str]", {"type": Type.LIST}),
        ("Sequence[str]", {"type": Type.LIST}),
        ("dict[str, int]", {"type": Type.OBJECT}),
        ("Dict", {"type": Type.OBJECT}),
        ("collections.abc.Mapping[str, Any]", {"type": Type.OBJECT}),
        ("int | None", {"type": Type.INTEGER, "nullable": True}),
        ("None | 'int'", {"type": Type.INTEGER, "nullable": True}),
        ("Optional[Path]", {"type": Type.PATH, "nullable": True}),
        ("t.Optional['int | float']", {"type": Type.NUMBER, "nullable": True}),
        ("Union[str, Path, None]", {"type": Type.PATH, "nullable": True}),
        ("int | str", {}),
        ("int | Shot", {}),
        ("Literal['a', 'b']", {"type": Type.STRING, "enum": ("a", "b")}),
        ("typing.Literal[1, 2]", {"type": Type.INTEGER, "enum": (1, 2)}),
        ("Literal['a', 1, None]", {"enum": ("a", 1), "nullable": True}),
        ("Literal[True]", {"type": Type.BOOLEAN, "enum": (True,)}),
        ("Literal['a'] | None", {"type": Type.STRING, "enum": ("a",), "nullable": True}),
        ("Literal[Level.LOW]", {}),
        ("Quality", {"type": Type.STRING, "enum": ("draft", "final")}),
        ("Frames | None", {"type": Type.INTEGER, "minimum": 1, "nullable": True}),
        (
            "Annotated[int, Ge(1), Le(-2 + 5)]",
            {"type": Type.INTEGER, "minimum": 1},
        ),
        ("Annotated[int, Gt(0), Lt(10)]", {"type": Type.INTEGER, "minimum": 1, "maximum": 9}),
        ("Annotated[float, Gt(0)]", {"type": Type.NUMBER}),
        (
            "Annotated[float, annotated_types.Interval(ge=0.5, le=2)]",
            {"type": Type.NUMBER, "minimum": 0.5, "maximum": 2},
        ),
        (
            "Annotated[str, Field(pattern='v[0-9]+', description='Its version.')]",
            {"type": Type.STRING, "pattern": "v[0-9]+", "description": "Its version."},
        ),
        (
            "Annotated[int, {'minimum': -1, 'maximum': 9}, 'How many.']",
            {"type": Type.INTEGER, "minimum": -1, "maximum": 9, "description": "How many."},
        ),
        ("Annotated[str, {'secret': True}]", {"type": Type.STRING, "secret": True}),
        ("Annotated[Path, {'access': 'read'}]", {"type": Type.PATH, "access": "read"}),
        ("Annotated[str, {'enum': ['a']}]", {"type": Type.STRING, "enum": ("a",)}),
        ("Annotated[int, {'minimum': 'x', 'access': 1, 2: 3}, Shot(1)]", {"type": Type.INTEGER}),
        *((hint, {}) for hint in ("Any", "object", "Shot", "studio_int", "Level", "Twice", "Loop")),
        *((hint, {}) for hint in ("unknown.int", "1", "'('", "f()", "'Shot' 'x'", "os.int", "...")),
    ],
)
def test_a_hint_is_what_it_says_or_nothing(hint: str, fields: dict[str, Any]) -> None:
    assert parameter(f"it: {hint}") == Parameter("it", required=True, **fields)


def test_a_name_is_what_the_source_makes_of_it() -> None:
    assert parameter("it: Path", "from studio import Path\n").type is None
    assert parameter("it: int", "class int: pass\n").type is None
    assert parameter("it: Optional[int]", "").type is None
    assert (
        parameter("it: Path", "if TYPE_CHECKING:\n    from pathlib import Path\n").type is Type.PATH
    )


def test_a_type_statement_is_followed_where_python_has_it() -> None:
    reading = read(Source("type Frames = int\ndef main(it: Frames): pass"))
    if sys.version_info < (3, 12):
        assert [*reading.problems]
    else:
        assert parameters_in(reading) == Parameters((Parameter("it", Type.INTEGER, required=True),))


@pytest.mark.parametrize(
    ("written", "default", "nullable"),
    [
        ("it=240", 240, False),
        ("it=-1.5", -1.5, False),
        ("it: Path = Path('/shots')", "/shots", False),
        ("it=(1, 2)", [1, 2], False),
        ("it: int = None", None, True),
        ("it={'a': [None]}", {"a": [None]}, False),
        ("it=os.getcwd()", ABSENT, False),
        ("it={1, 2}", ABSENT, False),
        ("it=1e999", ABSENT, False),
        ("it=b'x'", ABSENT, False),
    ],
)
def test_a_default_is_kept_where_it_is_json(written: str, default: object, nullable: bool) -> None:
    one = parameter(written)
    assert (one.required, one.default, one.nullable) == (False, default, nullable)


def test_the_kinds_of_parameters() -> None:
    takes = parameters_in(read(Source("def main(a=1, /, b=2, *rest, c, d=None, **more): pass")))
    assert takes is not None
    assert [(taken.name, taken.required) for taken in takes.listed] == [
        ("b", False),
        ("c", True),
        ("d", False),
    ]
    assert takes.takes_others
    assert takes.defaults == {"b": 2, "d": None}


GOOGLE = '''
"""Simulate the smoke
of a shot.

More prose: with a colon.

Args:
    frames (int, optional): How many frames,
        from the first.

        They are cached.
    quality: draft or final
    **more: passed on

Returns:
    frames: not this
"""
'''
NUMPY = '''
"""Simulate the smoke of a shot.

Parameters
----------
frames : int, default: 3
    How many frames,
    from the first. They are cached.
quality
    draft or final

Returns
-------
more
    Not this.
"""
'''
SPHINX = '''
"""
Simulate the smoke of a shot.

:param int frames: How many frames,
    from the first. They are cached.
:type frames: int
:param quality: draft or final
:returns: frames: nothing
"""
'''


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_docstrings_describe_the_script_and_its_parameters(docstring: str) -> None:
    body = "\n".join(f"    {line}" for line in docstring.strip().splitlines())
    reading = read(Source(f"def main(frames=1, quality='', other=None):\n{body}\n"))
    takes = parameters_in(reading)
    assert takes is not None
    assert [taken.description for taken in takes.listed] == [
        "How many frames, from the first. They are cached.",
        "draft or final",
        "",
    ]
    assert description_in(reading) == "Simulate the smoke of a shot."


def test_a_module_may_describe_the_script() -> None:
    assert description_in(read(Source("'''Open it.'''\ndef main(): pass"))) == "Open it."
    assert description_in(read(Source("def main(): pass"))) == ""
    assert description_in(read(Source("def main():\n    ''':param a: b'''"))) == ""


def test_of_a_main_that_is_not_certain_nothing_is_known() -> None:
    assert parameters_in(read(Source("@click.command\ndef main(a: int): pass"))) is None
    assert parameters_in(read(Source("def main(:"))) is None


def test_a_hint_that_leads_nowhere_ends() -> None:
    deep = "Optional[" * 500 + "int" + "]" * 500
    assert parameter(f"it: '{deep}'").type is None
    assert parameter("it: " + " | ".join(["int"] * 50)).type in (None, Type.INTEGER)
