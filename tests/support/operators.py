"""Runs operators as processes, which can be killed, stopped and started again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import MappingProxyType

import httpx2 as httpx

from tests.support.eventually import until
from tests.support.processes import processes
from tests.support.running import supervisors_of

LOCAL = ("--sessions=local",)
DEADLINE_SECONDS = 90.0


@dataclass
class Operator:
    """One operator process."""

    process: ForkServerProcess
    log: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def log_text(self) -> str:
        return self.log.read_text("utf-8")

    @property
    def health(self) -> str:
        """Wait for the port of its probes; return their address."""
        until(lambda: re.search(r"http://127\.0\.0\.1:\d+", self.log_text))
        address = re.search(r"http://127\.0\.0\.1:\d+", self.log_text)
        assert address
        return address[0]

    def http_get(self, path: str) -> tuple[int, str]:
        """GET a path of the probes' port; return status code and body."""
        answer = httpx.get(self.health + path, trust_env=False, timeout=DEADLINE_SECONDS)
        return answer.status_code, answer.text

    def is_ready(self) -> bool:
        return self.http_get("/readyz")[0] == 200

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()
        self.process.join(DEADLINE_SECONDS)

    def stop(self) -> int | None:
        """End it with SIGTERM, as a kubelet does; return its exit code."""
        self.process.terminate()
        self.process.join(DEADLINE_SECONDS)
        return self.process.exitcode


@dataclass
class Operators:
    """Starts operators that watch one namespace and share a folder for local sessions.

    `sessions` are the flags that choose where scripts run.
    """

    kubeconfig: Path
    namespace: str
    root: Path
    sessions: Sequence[str] = LOCAL
    started: list[Operator] = field(default_factory=list[Operator])

    @property
    def state(self) -> Path:
        return self.root / "state"

    def start(
        self,
        *flags: str,
        kubeconfig: Path | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Operator:
        """Start another operator, which is ended after the test."""
        log = self.root / f"operator-{len(self.started)}.log"
        log.write_text("")  # an earlier benchmark may have used the same folder
        arguments = [*self.sessions, f"--namespaces={self.namespace}", "--health-port=0", *flags]
        variables = {
            **environment,
            "KUBECONFIG": str(kubeconfig or self.kubeconfig),
            "ENSO_STATE_DIR": str(self.state),
        }
        process = processes.Process(target=_operate, args=(arguments, variables, str(log)))
        process.start()
        self.started.append(Operator(process, log))
        return self.started[-1]

    def ready(self, *flags: str) -> Operator:
        """Start another operator, and wait until it is ready."""
        operator = self.start(*flags)
        until(operator.is_ready)
        return operator

    def folders(self) -> list[Path]:
        """Return the folders of jobs that have or had local sessions."""
        return [*self.state.glob(f"*/{self.namespace}/*")]

    def supervisors(self) -> list[int]:
        """Return the processes that supervise sessions of this namespace."""
        return supervisors_of(self.state)


@contextlib.contextmanager
def operators_of(
    kubeconfig: Path, namespace: str, root: Path, sessions: Sequence[str] = LOCAL
) -> Generator[Operators]:
    """Yield an `Operators`; afterwards end all its operators and sessions."""
    operators = Operators(kubeconfig, namespace, root, sessions)
    try:
        yield operators
    finally:
        for operator in operators.started:
            operator.kill()
        for pid in operators.supervisors():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _operate(arguments: list[str], environment: dict[str, str], log: str) -> None:
    from enso_operator.cli.operator import operator  # noqa: PLC0415  # the fork server has it

    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.exit(operator(arguments))
