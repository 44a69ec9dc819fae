"""A watch runs in a thread of its own; what fails there reaches the command that reads it."""

from __future__ import annotations

import pytest

from enso_operator.cli.jobs.follow import Follower
from enso_operator.kube.workstation.api_server import ApiServer
from enso_operator.kube.workstation.kubeconfig import Access


def test_an_error_of_any_kind_reaches_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the thread it would end unseen, or abort the program while that exits."""

    def fails(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("the interpreter is being shut down")

    monkeypatch.setattr(ApiServer, "pages", fails)
    follower = Follower(ApiServer(Access("http://localhost:1", "shows")))
    follower.follow("/api", {})
    with pytest.raises(RuntimeError, match="is being shut down"):
        follower.next(60)
