"""Jobs, actions and a template in every state that a GitOps tool judges, made by a real operator.

`record` makes them all in one namespace. test_gitops_states.py compares them with what is kept in
deploy/argocd, and asks Argo CD's scripts, Flux and kubectl about them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.cluster.action_client import ActionClient
from tests.cluster.cluster_namespace import ClusterNamespace
from tests.support.eventually import until
from tests.support.operators import Operators
from tests.support.resources import EMPTY, Document, of_scripts
from tests.support.running import supervisors_of
from tests.support.templates import run, template

SLEEPS = "import time\ndef main():\n    time.sleep(600)"
PASSES = "def main(): pass"
RAISES = "def main():\n    raise ValueError('no licence for the solver')"
NO_FRAMES = template({"name": "simulate", "source": PASSES, "args": {"frames": "$(params.frames)"}})

JOBS: dict[str, Document] = {
    "waiting": run("waiting", shot="010"),
    "running": of_scripts({"name": "open", "source": PASSES}, {"name": "bake", "source": SLEEPS}),
    "retrying": of_scripts(
        {"name": "bake", "source": RAISES, "retries": {"limit": 1, "backoffSeconds": 600}}
    ),
    "pausing": of_scripts({"name": "bake", "source": SLEEPS}),
    "paused": of_scripts(
        {"name": "open", "source": PASSES}, {"name": "bake", "source": PASSES}, suspend=True
    ),
    "suspended": of_scripts({"name": "bake", "source": PASSES}, suspend=True),
    "succeeded": of_scripts({"name": "open", "source": PASSES}, {"name": "bake", "source": PASSES}),
    "failed": of_scripts({"name": "open", "source": PASSES}, {"name": "bake", "source": RAISES}),
    "out-of-time": of_scripts({"name": "bake", "source": SLEEPS}, activeDeadlineSeconds=1),
    "lost": of_scripts({"name": "bake", "source": SLEEPS}),
    "invalid": run("invalid", frames=0) | {"spec": {"templateRef": {"name": "frames"}}},
    "cancelled": of_scripts({"name": "bake", "source": SLEEPS}),
    "cleaning-up": of_scripts(
        {"name": "bake", "source": RAISES}, **{"finally": [{"name": "clean", "source": SLEEPS}]}
    ),
    "resumed": of_scripts({"name": "open", "source": RAISES}, {"name": "bake", "source": SLEEPS}),
}
"""What is applied, by the name of the state that comes of it."""


@dataclass
class Recorder:
    """Makes every state in one namespace, and reads the objects once they are in it."""

    ns: ClusterNamespace
    operators: Operators

    def record(self) -> Iterator[Document]:
        """Yield the objects; each is named after its state."""
        yield from self._unseen()
        yield from self._seen()
        yield from self._changed()

    def _unseen(self) -> Iterator[Document]:
        """Yield what no operator has seen."""
        self.ns.apply(of_scripts({"source": PASSES}) | {"metadata": {"name": "unseen"}})
        self.actions.create("pause", "unseen", job="unseen")
        yield self.ns.get("unseen")
        yield self.actions.get("unseen")
        self.ns.kubectl("delete", "ensoaction/unseen", "ensojob/unseen")
        self.ns.create(NO_FRAMES | {"metadata": {"name": "frames", "labels": {"studio/show": "x"}}})
        yield replace(self.ns.objects, plural="ensojobtemplates").get("frames")

    def _seen(self) -> Iterator[Document]:
        operator = self.operators.ready()
        for name, job in JOBS.items():
            self.ns.create(job | {"metadata": {"name": name}})
        self._pause()
        self._resume()
        self._lose()
        for name in ("pausing", "cancelled"):
            self._until(name, runs("bake"))
        self.actions.create("cancel", "done", job="cancelled")
        self.actions.create("pause", "pausing", job="pausing")
        until(lambda: self.actions.has_result("done") and self.actions.has_result("pausing"))
        self._until("succeeded", is_finished)
        self.actions.create("pause", "refused", job="succeeded")
        until(lambda: self.actions.has_result("refused"))
        for name in JOBS:
            self._until(name, IN_STATE.get(name, is_finished))
            yield self.ns.get(name)
        for name in ("done", "refused"):
            yield self.actions.get(name)
        operator.stop()

    def _changed(self) -> Iterator[Document]:
        """Yield a job whose spec was changed while no operator runs."""
        self.ns.patch("suspended", suspend=False)
        changed = self.ns.get("suspended")
        changed["metadata"]["name"] = "changed"
        yield changed

    def _pause(self) -> None:
        self._until("paused", is_suspended)
        self.actions.create("pause", "paused", job="paused", pause={"after": "open"})
        until(lambda: self.actions.has_result("paused"))
        self.ns.patch("paused", suspend=False)

    def _resume(self) -> None:
        self._until("resumed", is_finished)
        self.actions.create("resume", "resumed", job="resumed", resume={"skip": ["open"]})

    def _lose(self) -> None:
        """Kill the session of one job."""
        self._until("lost", runs("bake"))
        uid = self.ns.get("lost")["metadata"]["uid"]
        (folder,) = [folder for folder in self.operators.folders() if folder.name == uid]
        for pid in supervisors_of(folder):
            os.kill(pid, signal.SIGKILL)

    def _until(self, name: str, condition: Condition) -> None:
        until(lambda: condition(self.ns.get(name)["status"]))

    @property
    def actions(self) -> ActionClient:
        return ActionClient(self.ns)


Condition = Callable[[Document], object]
"""Looks at a status."""


def succeeded_of(status: Document) -> Document:
    """Return the condition Succeeded of a status, whose reason is the state; empty without one."""
    conditions: list[Document] = status.get("conditions", [])
    return next((one for one in conditions if one["type"] == "Succeeded"), EMPTY)


def is_finished(status: Document) -> bool:
    return "completionTime" in status


def runs(script: str, attempt: int = 1) -> Condition:
    """Return a condition that holds while this attempt runs."""
    told = f"{script} ("
    return lambda status: (
        succeeded_of(status).get("reason") == "Running"
        and succeeded_of(status)["message"].startswith(told)
        and f"attempt {attempt}" in succeeded_of(status)["message"]
    )


def is_suspended(status: Document) -> bool:
    return succeeded_of(status).get("reason") == "Suspended"


def waits_for_an_attempt(status: Document) -> bool:
    """Whether a script failed and will be tried again, and its session has ended meanwhile."""
    is_waiting = succeeded_of(status).get("reason") == "Waiting"
    return is_waiting and "failed" in status["ledger"] and "run" not in status["ledger"]


IN_STATE: dict[str, Condition] = {
    "waiting": lambda status: status.get("reason") == "TemplateNotFound",
    "running": runs("bake"),
    "retrying": waits_for_an_attempt,
    "pausing": is_suspended,
    "paused": lambda status: is_suspended(status) and status["done"] == "1/2",
    "suspended": is_suspended,
    "cleaning-up": lambda status: status.get("scripts", [EMPTY])[-1].get("state") == "Running",
    "resumed": runs("bake"),
}
"""When a job is in its state; the others have ended."""


def what_matters(document: Document) -> Document:
    """Return what is read by those who judge a job, which is the same in each run."""
    status = document.get("status", {})
    keys = ("type", "status", "reason", "message")
    return {
        "generation": document["metadata"]["generation"],
        "observedGeneration": status.get("observedGeneration"),
        "reason": status.get("reason"),
        "conditions": [
            [condition[key] for key in keys] for condition in status.get("conditions", [])
        ],
    }
