"""An event recorder that keeps Kubernetes Events in memory instead of posting them."""

from __future__ import annotations

from collections import Counter
from typing import cast

from enso_operator.api.document import Document
from enso_operator.kube.event_recorder import Recorder
from enso_operator.kube.loop_client import LoopClient
from job_execution_framework.domain.errors import Unavailable


class KeptEvents(Recorder):
    """Stores each Event once, by name, as an API server does; may be unavailable."""

    def __init__(self) -> None:
        super().__init__(cast("LoopClient", None), "test")
        self.stored: dict[str, Document] = {}
        self.is_unavailable, self.attempts = False, 0

    async def send(self, document: Document) -> bool:
        self.attempts += 1
        if self.is_unavailable:
            raise Unavailable("it is away")
        return self.stored.setdefault(document["metadata"]["name"], document) is document

    def reasons(self) -> Counter[str]:
        return Counter(event["reason"] for event in self.stored.values())
