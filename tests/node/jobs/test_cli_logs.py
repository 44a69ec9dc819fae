"""`enso logs` of real Pods: followed from one to the next, and read again afterwards by script."""

from __future__ import annotations

from pathlib import Path

from dev.node.images import PYTHON

from tests.cluster.enso_program import DEADLINE_SECONDS, Enso
from tests.node.jobs.pod_namespace import PodNamespace
from tests.support.fault_proxy import FaultProxy, on
from tests.support.operators import Operator
from tests.support.resources import of_scripts

FLAKY = """
import pathlib
def main():
    before = pathlib.Path.home() / "before"
    print("again" if before.exists() else "first", flush=True)
    if not before.exists():
        before.touch()
        raise OSError("no licence")
"""
FRAMES = """
import time
def main():
    for i in range(6):
        print("frame", i, flush=True)
        time.sleep(15 if i == 1 else 0.1)
"""
OPEN, FIRST = "--- open, attempt 1\nopened\n", "--- flaky, attempt 1\nfirst\n"
AGAIN, TOLD = "--- flaky, attempt 2\nagain\n", "--- tell, attempt 1\ntold\n"


def test_logs_are_followed_from_pod_to_pod_and_read_again(
    ns: PodNamespace, operator: Operator, tmp_path: Path
) -> None:
    assert operator.is_ready()
    (tmp_path / "people").mkdir()
    enso = Enso(ns, tmp_path / "people")
    ns.apply(
        of_scripts(
            {"name": "open", "source": "def main(): print('opened')"},
            {"name": "flaky", "source": FLAKY, "retries": {"limit": 1, "backoffSeconds": 0}},
            {
                "name": "tell",
                "container": {"image": PYTHON, "command": ["python3", "-c", "print('told')"]},
            },
        )
    )
    with enso.started("logs", "-f", "shot") as following:
        said, _ = following.communicate(timeout=DEADLINE_SECONDS)
        assert following.returncode == 0
    for part in (OPEN, FIRST, AGAIN, TOLD):
        assert said.count(part.splitlines()[0]) == 1, said
    assert said.startswith(OPEN)
    assert said.endswith(TOLD)
    assert enso("logs", "shot")[1] == said
    assert enso("logs", "shot", "--script", "open")[1] == OPEN
    assert enso("logs", "shot", "--script", "flaky", "--attempt", "2")[1] == AGAIN
    assert enso("logs", "shot", "--script", "tell")[1] == TOLD
    assert "has not run, or its Pod is gone" in enso.refusal("logs", "shot", "--attempt", "9")


def test_a_follow_that_breaks_shows_each_line_once(
    ns: PodNamespace, operator: Operator, tmp_path: Path
) -> None:
    assert operator.is_ready()
    ns.apply(of_scripts({"name": "bake", "source": FRAMES}))
    with FaultProxy(ns.cluster.kubeconfig) as proxy:
        enso = Enso(ns, tmp_path)
        arguments = ("logs", "-f", "shot", "-n", ns.namespace)
        with enso.started(*arguments, kubeconfig=proxy.kubeconfig) as following:
            assert following.stdout
            said = ""
            while "frame 1" not in said:
                said += following.stdout.readline()
            proxy.cut(on("get", "pods/log"))
            assert following.stderr
            while "trying again" not in following.stderr.readline():
                assert following.poll() is None
            proxy.away()  # until after the job's end
            ns.waits("Finished")
            proxy.back()
            rest, wrong = following.communicate(timeout=DEADLINE_SECONDS)
        assert following.returncode == 0, wrong
    lines = ["--- bake, attempt 1", *(f"frame {number}" for number in range(6))]
    assert (said + rest).splitlines() == lines
