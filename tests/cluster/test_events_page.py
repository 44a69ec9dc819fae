"""What docs/events.md says of Kubernetes Events, with its code as it stands there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from dev.cluster import binaries

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.cluster.kubeconfigs import of_context
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import Document, of_scripts
from tests.support.snippets import page, snippet

TELL_CHAT = snippet("events.md", "OF_ENSOJOBS")
KUBECTL = snippet("events.md", "kubectl get events --watch")
FAILED = "do failed: ValueError: too few substeps; args substeps=1; attempt 1, "


class Chat(ThreadingHTTPServer):
    """Takes messages, all but the first, as a chat that is away for a moment."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Webhook)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.tries = 0
        self.said: list[str] = []


class _Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        chat = self.server
        assert isinstance(chat, Chat)
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
        chat.tries += 1
        if chat.tries > 1:
            chat.said.append(text)
        self.send_response(503 if chat.tries == 1 else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # its name there


@pytest.fixture
def chat() -> Generator[Chat]:
    with Chat() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def running(ns: ClusterNamespace, folder: Path, *command: str) -> Generator[Path]:
    """Run a program of a user whose context has the namespace; yield the file of its output."""
    output, path = folder / "output", f"{binaries.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    kubeconfig = of_context(ns.cluster, ns.namespace, folder)
    with (
        output.open("w") as file,
        subprocess.Popen(
            command,
            env=os.environ | {"KUBECONFIG": str(kubeconfig), "PATH": path},
            stdout=file,
            stderr=file,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield output
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def shot(name: str, source: str) -> Document:
    document = of_scripts({"name": "do", "source": source, "args": {"substeps": 1}})
    return document | {"metadata": {"name": name}}


def fails(name: str) -> Document:
    return shot(name, "def main(substeps): raise ValueError('too few substeps')")


def test_a_chat_is_told_how_each_job_ended_once(
    ns: ClusterNamespace, operators: Operators, chat: Chat, tmp_path: Path
) -> None:
    """Though it takes nothing at first, and the program is killed and started again."""
    program = tmp_path / "tell_chat.py"
    program.write_text(TELL_CHAT)
    told = tmp_path / "told"
    command = [sys.executable, str(program), ns.namespace, chat.url, str(told)]
    operators.ready()
    with running(ns, tmp_path, *command):
        ns.apply(fails("publish-shot"))
        # Killed between the chat's answer and this, it would tell it again.
        until(lambda: told.exists() and told.read_text())
    with running(ns, tmp_path, *command):
        ns.apply(shot("bake-cloth", "def main(substeps): pass"))
        until(lambda: len(chat.said) > 1)
    failed, succeeded = chat.said
    assert failed.startswith(f"publish-shot: JobFailed: {FAILED}")
    assert succeeded == "bake-cloth: JobSucceeded: every script is done"
    assert chat.tries == 3


def test_kubectl_tells_the_failures(
    ns: ClusterNamespace, operators: Operators, tmp_path: Path
) -> None:
    operators.ready()
    ns.apply(fails("before"))
    ns.waits("Finished", "before")
    with running(ns, tmp_path, "bash", "-c", KUBECTL) as output:
        until(lambda: output.read_text().count("\n") == 1)
        ns.apply(fails("after"))
        until(lambda: output.read_text().count("\n") == 2)
        first, second = output.read_text().splitlines()
    assert first.startswith(f"before: {FAILED}")
    assert second.startswith(f"after: {FAILED}")


def test_each_field_selector_of_the_page_selects(
    ns: ClusterNamespace, operators: Operators
) -> None:
    operators.ready()
    ns.apply(fails("publish-shot"))
    ns.waits("Finished", "publish-shot")
    uid = ns.get("publish-shot")["metadata"]["uid"]
    selectors = re.findall(r"^\| `(\S+=\S+)` \|", page("events.md"), re.MULTILINE)
    assert len(selectors) == 6
    of_the_job = selected(ns, f"involvedObject.uid={uid}")
    for selector in selectors:
        field, _, value = selector.partition("=")
        found = selected(ns, f"{field}={value.replace('…', uid)}")
        assert len(found) == {"reason": 1, "type": 2}.get(field, len(of_the_job)), selector
        assert selected(ns, f"{field}=another") == []


def selected(ns: ClusterNamespace, selector: str) -> list[str]:
    """Return the names of the Events that a field selector selects."""
    return ns.kubectl("get", "events", "--field-selector", selector, "-o", "name").split()
