"""The proxy's interface for tests, usable from any thread."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.fault_proxy.background import Background
from tests.support.fault_proxy.book import Book
from tests.support.fault_proxy.calls import Call
from tests.support.fault_proxy.rules import Fault, Filter, Rule, Turn, watches
from tests.support.fault_proxy.serving import Serving


class FaultProxy:
    """A proxy before the API server of a kubeconfig, inside of a ``with`` block.

    What went wrong inside it, in an action too, is raised when it is left. Its calls can be asked
    for afterwards as well.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._server = kubeconfig
        self._book = Book()

    def __enter__(self) -> Self:
        self._background = Background(self._book.fail)
        self._serving, port = self._background.run(self._serve())
        self._folder = tempfile.TemporaryDirectory(prefix="fault-proxy-")
        self.kubeconfig = Path(self._folder.name, "kubeconfig.yaml")
        self.kubeconfig.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{port}")))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._background.run(self._serving.end())
        self._background.stop()
        self._folder.cleanup()
        if failures := self._book.failures():
            raise BaseExceptionGroup("the fault proxy, or an action in it, failed", failures)

    # Rules. The first rule that ends a call decides; later rules still count the call.

    def add(self, chosen: Filter | Turn, fault: Fault, times: int | None = None) -> Rule:
        """Apply the fault to these calls from now on, at most `times` times."""
        rule = Rule(chosen, fault, times)
        self._background.call(lambda: self._serving.rules.append(rule))
        return rule

    def remove(self, rule: Rule) -> None:
        self._background.call(lambda: self._serving.rules.remove(rule))

    # Connections. Followed logs are cut and silenced as watches are, if a filter selects them.

    def cut(self, chosen: Filter | None = None) -> None:
        """Reset these open streams, by default all watches."""
        self._background.call(lambda: self._serving.cut(chosen or watches()))

    def silence(self, chosen: Filter | None = None) -> None:
        """Pass nothing on any more in these streams, open ones and new ones, yet keep them open.

        Callers of new streams get the headers, and believe that they watch.
        """
        self._background.call(lambda: self._serving.silence(chosen or watches()))

    def heal(self) -> None:
        """Pass on new streams again; silenced streams stay silent."""
        self._background.call(self._serving.silences.clear)

    def away(self) -> None:
        """Reset every connection, and refuse new ones."""
        self._background.run(self._serving.go_away())

    def back(self) -> None:
        """Accept connections again, on the same port."""
        self._background.run(self._serving.come_back())

    # Records.

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call in its present state; the n-th has number n."""
        return self._book.calls()

    def count(self, chosen: Filter) -> int:
        """Count the calls that a filter selects: `number` goes from 1 to that."""
        return sum(map(chosen, self.calls))

    def sent(self) -> bytes:
        """Return every path, header and body that was received, to look for what must not leak."""
        return self._book.sent()

    async def _serve(self) -> tuple[Serving, int]:
        serving = Serving(self._server, self._book)
        return serving, await serving.begin()


def _kubeconfig(server: str) -> dict[str, object]:
    name = "fault-proxy"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
