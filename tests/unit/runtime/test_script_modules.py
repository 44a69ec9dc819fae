"""A script is a module: other processes can import it, and it can import what lies beside it."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import pytest

from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.script import Function, LibraryScript, Script, Source
from job_execution_framework.service_layer.in_process import InProcessRunner
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.services import add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.scripts import Scripts
from tests.unit.runtime.conftest import Start

SPAWNS = """\
import enso, multiprocessing

def work(number):
    enso.shared["seen"] = number
    return 2 * number

def main():
    enso.shared["opened"] = "scene"
    with multiprocessing.get_context(METHOD).Pool(2) as pool:
        return pool.map(work, range(5))
"""
CLASS = "class Scene:\n    def __init__(self, shot): self.shot = shot\n"
PICKLES = (
    f"import pickle\n{CLASS}"
    "def main(file):\n"
    "    with open(file, 'wb') as target: pickle.dump(Scene('010'), target)\n"
)
UNPICKLES = (
    "import pickle\n"
    "def main(file):\n"
    "    with open(file, 'rb') as source: return pickle.load(source).shot\n"
)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("where", ["inline", "library"])
def test_functions_of_a_script_run_in_other_processes(
    scripts: Scripts, tmp_path: Path, where: str, method: str
) -> None:
    text, file = SPAWNS.replace("METHOD", repr(method)), "spread-out.py"
    if where == "library":
        library = tmp_path / "library"
        library.mkdir()
        (library / "beside.py").write_text("def double(number): return 2 * number\n")
        text = text.replace("return 2 * number", "return double(number)")
        text = f"from beside import double\n{text}"
        (library / file).write_text(text)
        file = str(library / file)
    script = Script("spread-out", Source(text, file), timeout_seconds=60)
    result = scripts.runner.run(script, 1)
    assert result.output == [0, 2, 4, 6, 8], result.cause


SIGNALLED_IN_A_HOOK = """\
import os, signal, time

def main():
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
    forked = os.fork()
    if not forked:
        time.sleep(60)
        os._exit(0)
    return os.waitpid(forked, 0)[1]
"""


def test_sigterm_ends_a_forked_process_also_in_a_hook_of_fork(scripts: Scripts) -> None:
    """Python ignores what such a hook raises; a pool's end would wait for that process forever."""
    result = scripts.run(SIGNALLED_IN_A_HOOK, timeout=50)
    assert result.output == signal.SIGTERM, result.cause


SIGNALLED_AT_ONCE = """\
import os, signal, time

def main():
    ends = set()
    for _ in range(500):
        forked = os.fork()
        if not forked:
            time.sleep(5)
            os._exit(0)
        os.kill(forked, signal.SIGTERM)
        ends.add(os.waitpid(forked, 0)[1])
    return [*ends]
"""


def test_sigterm_ends_a_forked_process_however_early_it_comes(scripts: Scripts) -> None:
    """Python forgets signals that come before a forked process is ready to handle them."""
    result = scripts.run(SIGNALLED_AT_ONCE, timeout=50)
    assert result.output == [signal.SIGTERM], result.cause


HANDLES = """\
import os, signal, time

def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    ready, told = os.pipe()
    forked = os.fork()
    if not forked:
        os.write(told, b".")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    os.kill(forked, signal.SIGTERM)
    return os.waitpid(forked, 0)[1]
"""


def test_a_handler_of_the_scripts_own_is_kept_in_what_it_forks(scripts: Scripts) -> None:
    result = scripts.run(HANDLES, timeout=50)
    assert result.output == 7 << 8, result.cause  # as `os.waitpid` tells it


def test_what_a_script_pickled_is_understood_by_a_session_that_does_not_run_it(
    start: Start, tmp_path: Path
) -> None:
    file, scripts = str(tmp_path / "scene"), start()
    assert scripts.run(PICKLES, "open", file=file).cause is None
    again = start()
    again.runner.add_modules([Script("open", Source(PICKLES)), Script("call", Function("a:b"))])
    assert again.run(UNPICKLES, "save", file=file).output == "010"


def test_a_file_beside_a_library_script_hides_no_module(scripts: Scripts, tmp_path: Path) -> None:
    (tmp_path / "copy.py").write_text("raise SystemExit('a stranger')\n")
    library = tmp_path / "open.py"
    library.write_text("import copy\ndef main(): return copy.copy([1])\n")
    work = Source(library.read_text(), str(library))
    assert scripts.runner.run(Script("open", work), 1).output == [1]
    assert InProcessRunner().run(Script("open", work), 1).output == [1]


def test_in_one_process_a_library_script_imports_the_file_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "enso_test_beside.py").write_text("shot = '010'\n")
    text = "from enso_test_beside import shot\ndef main(): return shot\n"
    (tmp_path / "tell.py").write_text(text)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("ENSO_SCRIPTS_PATH", tmp_path.name)
    runner = InProcessRunner(ScriptLibrary())
    for _ in range(2):
        assert runner.run(Script("tell", LibraryScript("tell")), 1).output == "010"
    assert sys.path[-1] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_in_one_process_threads_run_scripts_of_one_name_without_disturbing_one_another() -> None:
    barrier = threading.Barrier(4, timeout=30)
    source = (
        "import pickle\n"
        "class Scene: pass\n"
        "def main(shot, meet, tell):\n"
        "    Scene.shot = shot\n"
        "    meet()\n"
        "    found = pickle.loads(pickle.dumps(Scene())).shot\n"
        "    meet()\n"
        "    tell((found, __name__))\n"
    )
    outputs: list[tuple[int, str]] = []

    def run(shot: int) -> None:
        uow = InMemoryJobUnitOfWork()
        parameters = {"shot": shot, "meet": barrier.wait, "tell": outputs.append}
        execute(add([Script("open", Source(source), parameters)], job_uow=uow), job_uow=uow)

    threads = [threading.Thread(target=run, args=(shot,)) for shot in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shots, names = zip(*sorted(outputs), strict=True)
    assert shots == (0, 1, 2, 3)
    assert {*names} == {"enso_script_open", *(f"enso_script_open_{n}" for n in (2, 3, 4))}


def test_in_one_process_each_script_is_a_module_of_its_own() -> None:
    runner = InProcessRunner()
    assert runner.run(Script("a-b", Source("left = 5\ndef main(): return __name__")), 1).output == (
        "enso_script_a_b"
    )
    finds = "import enso_script_a_b as it\ndef main(): return [it.left, __name__]"
    assert runner.run(Script("c", Source(finds)), 1).output == [5, "enso_script_c"]
    result = runner.run(Script("d", Source("def main(: pass")), 1)
    assert result.cause
    assert result.cause.reason == Reason.EXCEPTION
