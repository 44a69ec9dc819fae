"""A job of three scripts that record each of their starts, and its expected end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import DEADLINE_SECONDS, until
from tests.support.resources import Document, of_scripts

NAMES = ("open", "do", "save")
EVENT_REASONS = [
    "JobAdded",
    "JobStarted",
    "SessionOpened",
    *["ScriptSucceeded"] * 3,
    "SessionEnded",
    "JobSucceeded",
]
"""Without starts: those of scripts that run for a while are told, too."""
SOURCE = """
def main(note, name):
    with open(note, "a") as file:
        file.write(name + "\\n")
"""


@dataclass(frozen=True)
class Story:
    """A job with this name in a namespace."""

    ns: ClusterNamespace
    name: str
    note: Path
    source: str = SOURCE
    patience: float = DEADLINE_SECONDS

    def begin(self, **spec: object) -> None:
        self.ns.apply(self.manifest(**spec))

    def manifest(self, **spec: object) -> Document:
        note = str(self.note)
        document = of_scripts(
            *[
                {"name": name, "source": self.source, "args": {"note": note, "name": name}}
                for name in NAMES
            ],
            **spec,
        )
        return document | {"metadata": {"name": self.name}}

    @property
    def document(self) -> Document:
        return self.ns.get(self.name)

    def is_over(self) -> bool:
        conditions = self.document["status"].get("conditions", ())
        return any(
            condition["type"] == "Finished" and condition["status"] == "True"
            for condition in conditions
        )

    def starts(self) -> list[str]:
        """Return the names of scripts in the order in which they were started."""
        return self.note.read_text().split()

    def ends_well(self) -> None:
        """Wait for the end; assert that the job ran as if nothing had disturbed it."""
        until(self.is_over, self.patience)
        status = self.document["status"]
        assert (self.ns.columns(self.name), status.get("why")) == (
            [self.name, "Succeeded", "3/3"],
            None,
        )
        assert [(row["state"], row.get("attempt", 0)) for row in status["scripts"]] == [
            ("Succeeded", 1)
        ] * 3
        until(lambda: self.starts() == [*NAMES])  # a node writes a log a moment after its records
        # A call that fails for long has an Event, too: that happens on a busy machine.
        reasons = [reason for reason, _ in self.ns.outcomes(self.name) if reason != "NotGoingOn"]
        assert reasons == EVENT_REASONS, reasons
