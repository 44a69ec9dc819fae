"""The cause of a failure names the first exception of a chain or group, and its line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Cause
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret
from job_execution_framework.runtime.child_runner import ChildRunner
from job_execution_framework.runtime.launcher import Launcher
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.runner import Runner

LOADS = """
class PublishError(Exception): pass

def load(path):
    raise OSError(f"{path}: no such file")

"""
FROM = f"""{LOADS}
def main():
    try: load("/a.abc")
    except OSError as error: raise PublishError("shot 010") from error
"""
TWICE = f"""{LOADS}
def opened():
    try: load("/a.abc")
    except OSError as error: raise KeyError("scene") from error

def main():
    try: opened()
    except KeyError as error: raise PublishError("shot 010") from error
"""
HANDLING = FROM.replace(" from error", "")
NOT_FROM = FROM.replace(" from error", " from None")
GROUP = f"""{LOADS}
class Group(Exception):  # as ExceptionGroup, and what older Pythons have instead
    def __init__(self, text, exceptions):
        super().__init__(text)
        self.exceptions = tuple(exceptions)

def caught(path):
    try: load(path)
    except OSError as error: return error

def main():
    inner = Group("two", [caught("/b"), caught("/c")])
    raise Group("farm", [caught("/a"), inner, *map(caught, MORE)])
"""
POOL = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import math

def main():
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        pool.submit(math.sqrt, -1).result()
"""
CYCLE = f"""{LOADS}
def main():
    one, other = OSError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    raise one
"""
HOSTILE = """
class Odd(Exception):
    @property
    def exceptions(self): raise ValueError

def main(): raise Odd("all the same")
"""


@pytest.fixture(params=["in process", "child"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    if request.param == "in process":
        yield InProcessRunner()
    else:
        child = ChildRunner(Launcher(tmp_path), [sys.executable], 60, 1)
        yield child
        child.close()


def fails(runner: Runner, source: str, **parameters: object) -> Cause:
    cause = runner.run(Script("script", Source(source, "script.py"), parameters), 1).cause
    assert cause
    return cause


@pytest.mark.parametrize("source", [FROM, TWICE], ids=["once", "twice"])
def test_the_cause_of_causes_is_named_with_its_place(runner: Runner, source: str) -> None:
    cause = fails(runner, source)
    assert str(cause) == "PublishError: shot 010; caused by OSError: /a.abc: no such file"
    assert str(cause.at) == 'line 5 in load: raise OSError(f"{path}: no such file")'


def test_what_was_handled_when_it_was_raised_is_named(runner: Runner) -> None:
    cause = fails(runner, HANDLING)
    assert str(cause) == "PublishError: shot 010; while handling OSError: /a.abc: no such file"
    assert str(cause.at).startswith("line 10 in main: except OSError"), "there it failed"
    cause = fails(runner, NOT_FROM)
    assert str(cause) == "PublishError: shot 010"


@pytest.mark.parametrize(("more", "others"), [([], ""), (["/d"], "; and others")])
def test_the_leaves_of_a_group_are_named(runner: Runner, more: list[str], others: str) -> None:
    cause = fails(runner, GROUP.replace("MORE", repr(more)))
    leaves = "; ".join(f"OSError: {path}: no such file" for path in ("/a", "/b", "/c"))
    assert cause.error == "Group"
    assert (cause.message, cause.root) == ("farm", f"caused by {leaves}{others}")
    assert str(cause.at).startswith("line 5 in load")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older Pythons have no groups")
def test_the_leaf_of_a_real_group_is_named(runner: Runner) -> None:
    source = FROM.replace('raise PublishError("shot 010") from error', "raise GROUP from None")
    source = source.replace("GROUP", "ExceptionGroup('farm', [error])")
    expected = "ExceptionGroup: farm (1 sub-exception); caused by OSError: /a.abc: no such file"
    assert str(fails(runner, source)) == expected


def test_the_picture_of_a_traceback_is_no_cause(runner: Runner) -> None:
    assert str(fails(runner, POOL)) == "ValueError: math domain error"


def test_causes_that_go_around_in_a_circle_end(runner: Runner) -> None:
    assert str(fails(runner, CYCLE)) in ("OSError: one", "OSError: one; caused by OSError: other")


def test_an_exception_that_defies_questions_is_told_all_the_same(runner: Runner) -> None:
    assert str(fails(runner, HOSTILE)) == "Odd: all the same"


def test_a_secret_in_a_cause_is_hidden(runner: Runner) -> None:
    source = FROM.replace("main()", "main(token)").replace('"/a.abc"', "token")
    cause = fails(runner, source, token=Secret("canary-8261"))
    assert str(cause) == "PublishError: shot 010; caused by OSError: ***: no such file"
    assert "canary" not in repr(cause)


def test_a_long_message_leaves_room_for_what_it_came_from(runner: Runner) -> None:
    source = FROM.replace('"shot 010"', "'x' * 5000").replace('"/a.abc"', "'y' * 5000")
    line = str(fails(runner, source))
    assert "…; caused by OSError: yyy" in line
    assert len(line) < 400
