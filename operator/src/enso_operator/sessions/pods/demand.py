"""What quotas count of an object: objects that ask for the same are refused together.

So one refusal tells about all of them, whatever else they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from enso_operator.api.document import Document
from enso_operator.sessions.pods import state
from job_execution_framework.domain.errors import NotYet


@dataclass(frozen=True)
class Demand:
    """What an object takes of the quotas of its namespace."""

    namespace: str
    kind: str
    counted: str
    """As JSON."""


class OutOfQuota(NotYet):
    """A quota has no room for what an object takes."""

    def __init__(self, why: str, demand: Demand, name: str) -> None:
        super().__init__(why)
        self.demand, self.name = demand, name


class HeldBack(OutOfQuota):
    """The API server refused another object that takes the same, and was not asked about this."""


def demand_of(document: Document) -> Demand:
    """Return what quotas count of an object, and what their scopes select by."""
    spec = state.part(document, "spec")
    containers = (state.items(spec, kind) for kind in ("containers", "initContainers"))
    counted = [
        [[state.part(container, "resources") for container in each] for each in containers],
        spec.get("priorityClassName"),
        spec.get("activeDeadlineSeconds") is None,
    ]
    namespace = str(document["metadata"]["namespace"])
    return Demand(namespace, str(document["kind"]), json.dumps(counted, sort_keys=True))
