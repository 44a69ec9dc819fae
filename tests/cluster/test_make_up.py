"""`make up` and `make down`, from a machine without any cluster to one without any trace."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
from collections.abc import Generator

import pytest
from dev.checkout import CHECKOUT
from dev.cluster import binaries
from dev.cluster.plane import Cluster
from dev.cluster.sharing import claimed
from dev.up.background import folder
from dev.up.target import API_NAMESPACE, EXAMPLES

from tests.cluster.conftest import require_programs
from tests.support.eventually import until
from tests.support.make_up import MakeUp, free_port
from tests.support.resources import of_scripts

SLEEPS = "import time\ndef main():\n    time.sleep(300)"
README = CHECKOUT / "README.md"
FAILS_AGAIN = """
kubectl delete ensojob publish-shot-broken --ignore-not-found
kubectl apply -f examples/publish-shot-broken.yaml
enso wait publish-shot-broken --timeout 120s || test $? = 1
"""
SUCCEEDS = "enso wait publish-shot-broken --timeout 120s"
LET_GO = json.dumps({"spec": {"suspend": False}})

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def made() -> Generator[MakeUp]:
    require_programs()
    with claimed(secrets.token_hex(4)) as name:
        made = MakeUp(free_port(), name, {"KUBECONFIG": str(Cluster(name).kubeconfig)})
        yield made
        made.run("down")


def columns(shown: str) -> dict[str, list[str]]:
    """Return what `kubectl get ensojobs` says of each job, without its age."""
    table = shown.partition("get ensojobs\n")[2].partition("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1:-1] for line in table}


def reasons_of_events(shown: str) -> list[str]:
    """Return the reasons of the Events that `kubectl describe` shows first."""
    events = shown.partition("Events:")[2].partition("\n\n")[0].splitlines()
    return [line.split()[1] for line in events[3:]]


def lines_of(shown: str, begin: str) -> list[str]:
    return [line for line in shown.splitlines() if line.startswith(begin)]


def readme_commands(port: int) -> list[str]:
    """Return the commands of the README that go on with a job in a cluster."""
    (block,) = re.findall(r"```bash\n(kubectl enso resume .*?)```", README.read_text(), re.DOTALL)
    commands: list[str] = block.replace("\\\n", "").replace(":5005", f":{port}").splitlines()
    assert [command.split()[0] for command in commands] == ["kubectl", "kubectl", "curl"]
    return commands


def test_up_shows_everything_and_down_leaves_nothing(made: MakeUp) -> None:
    up = made.run("up")
    assert (up.returncode, "Traceback" in up.stderr) == (0, False)
    before, after = up.stdout.split("== A Kubernetes API server")
    assert f"$ curl http://localhost:{made.port}/list-jobs\n[]\n" in before
    assert "ScriptSucceeded 3/3 example-script-3, attempt 1" in before
    shown = columns(after)
    assert shown["bake-cloth"] == ["Succeeded", "3/3"]
    assert shown["bake-cloth-too-large"] == ["Failed", "1/3", "bake", "Exception"]
    assert shown["bake-cloth-later"] == ["Suspended", "0/3"]
    why, _, resumed = after.partition("$ enso why bake-cloth-too-large")[2].partition("$ enso ")
    assert "ValueError: 240 frames of 2 MiB need 480 MiB, and the cache has 256" in why
    assert "args    frames=240 mib_per_frame=2" in why
    assert resumed.startswith("resume bake-cloth-too-large --set bake.frames=128 ")
    assert (
        "bake-cloth-too-large: resumed; it goes on at 'bake' after open has run again\n" in resumed
    )
    assert "bake-cloth-too-large: Succeeded, 3 of 3 scripts done\n" in resumed
    assert "changed bake.args.frames; 240 frames are too many" in resumed
    reasons = reasons_of_events(resumed)
    assert reasons.index("JobFailed") < reasons.index("JobResumed")
    assert "NotGoingOn" not in after
    assert f"export KUBECONFIG={made.environment['KUBECONFIG']}" in after

    assert made.shell("curl", "-s", f"http://localhost:{made.port}/list-jobs") == "[]\n"
    page = made.shell("curl", "-s", after.rpartition("And in a browser: ")[2].strip())
    assert "publish-shot-broken" in page
    exports = lines_of(after, "  export ")
    (goes_on,) = lines_of(after, "  enso resume ")
    said = made.shell("bash", "-ec", "\n".join([*exports, goes_on]))
    assert (
        said == "publish-shot-broken: resumed; it goes on at 'simulate' after open has run again\n"
    )
    for command in readme_commands(made.port):
        made.shell("bash", "-ec", "\n".join([*exports, FAILS_AGAIN, command, SUCCEEDS]))

    kubectl = str(binaries.kubectl())
    of_examples = (kubectl, "-n", EXAMPLES)
    made.shell(*of_examples, "patch", "ensojob/bake-cloth-later", "--type=merge", "-p", LET_GO)
    made.shell(
        *of_examples,
        "wait",
        "--for=condition=Succeeded",
        "ensojob/bake-cloth-later",
        "--timeout=120s",
    )
    long = of_scripts({"name": "long", "source": SLEEPS})
    path = folder(made.port) / "long.json"
    path.write_text(json.dumps(long))
    made.shell(kubectl, "apply", "-f", str(path))
    until(lambda: any("job_execution_framework.runtime" in command for command in made.processes()))

    down = made.run("down")
    assert down.returncode == 0
    assert {"Ended the operator", "Ended the HTTP API", "Ended a session"} <= {
        *down.stdout.splitlines()
    }
    assert (made.processes(), folder(made.port).exists()) == ([], False)
    assert not Cluster(made.cluster).folder.exists()
    assert made.run("down").stdout == "Nothing that `make up` started was running\n"


def test_twice_in_the_cluster_of_the_current_context(cluster: Cluster, made: MakeUp) -> None:
    made.environment.update(USE_CLUSTER="current", KUBECONFIG=str(cluster.kubeconfig))
    try:
        for again in (False, True):
            up = made.run("up")
            assert (up.returncode, "Traceback" in up.stderr) == (0, False)
            assert ("The examples of an earlier `make up` are run afresh" in up.stdout) is again
            assert columns(up.stdout)["bake-cloth"] == ["Succeeded", "3/3"]
            assert columns(up.stdout)["bake-cloth-too-large"][0] == "Failed"
            assert (
                "bake-cloth-too-large: resumed; it goes on at 'bake' after open has run again\n"
                in up.stdout
            )
            assert made.servers() == 2
        down = made.run("down")
        assert (down.returncode, made.processes()) == (0, [])
        assert f"kubectl delete namespace {EXAMPLES} {API_NAMESPACE}\n" in down.stdout
        assert cluster.ready()
        names = cluster.kubectl("-n", EXAMPLES, "get", "ensojobs", "-o", "name").split()
        assert len([name for name in names if "/job-" in name]) == 2
    finally:
        cluster.kubectl(
            "delete", "namespace", EXAMPLES, API_NAMESPACE, "--ignore-not-found", "--wait=false"
        )


@pytest.fixture
def interruptible() -> Generator[None]:
    """A shell has what it starts in the background ignore Ctrl-C, and all that this starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_in_order(made: MakeUp) -> None:
    environment = {**os.environ, **made.environment}
    with subprocess.Popen(
        made.command("up"),
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        assert up.stdout
        while "== A Kubernetes API server" not in up.stdout.readline():
            assert up.poll() is None
        assert made.processes()
        up.send_signal(signal.SIGINT)
        _, told = up.communicate(timeout=60)
    assert up.returncode == 130
    assert told.splitlines()[-1] == "make up: stopped; `make down` removes what is left"
    assert "Traceback" not in told
    assert made.processes() == []
