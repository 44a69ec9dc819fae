"""One release of the chart on the node, which looks after one namespace, not its own."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass

from dev.chart.generated import CHART
from dev.chart.helm import helm
from dev.node import operator_image

from enso_operator.sessions.pods import names
from tests.node.jobs.pod_namespace import Document, PodNamespace
from tests.support.eventually import until
from tests.support.resources import job

NAME = "shows"
OPERATOR = f"{NAME}-enso-executer"
_VALUES = CHART / "ci" / "node-values.yaml"
_SETTINGS = ("crds.enabled=false", "replicas=2")
_GO = "/enso/home/go"
WAITS = f"""
import os, time
def main():
    while not os.path.exists({_GO!r}):
        time.sleep(0.05)
    os.remove({_GO!r})
    print("went on", flush=True)
"""
"""A script that waits until a file is there."""


class ReleaseNamespace(PodNamespace):
    """The namespace; its Pods, here, are those of sessions, and not the release's own."""

    def pods(self) -> list[Document]:
        return [pod for pod in super().pods() if names.JOB_LABEL in pod["metadata"]["labels"]]

    def pods_of(self, name: str) -> list[Document]:
        return [p for p in self.pods() if p["metadata"]["labels"][names.JOB_LABEL] == name]

    def begin(self, name: str, *scripts: Document, **spec: object) -> None:
        """Apply a job of these scripts."""
        self.apply(job({"scripts": [*scripts], **spec}, name))

    def holds(self, name: str) -> None:
        """Begin a job whose first script waits, and whose second one follows it."""
        then = {"name": "then", "source": "def main(): print('and then')"}
        self.begin(name, {"name": "waits", "source": WAITS}, then)
        self.runs("waits", name)

    def let_go(self, name: str) -> None:
        (pod,) = self.pods_of(name)
        program = ("python3", "-c", f"open({_GO!r}, 'w')")
        self.kubectl("exec", pod["metadata"]["name"], "-c", "session", "--", *program)

    def went_undisturbed(self, name: str) -> None:
        """Wait for the end of a job that `holds`: as if nobody had ever touched its operator."""
        self.ends(name)
        assert self.rows(name) == [("waits", "Succeeded", 1), ("then", "Succeeded", 1)]
        # A call that fails for long has an Event, too: that happens on a busy machine.
        reasons = [reason for reason, _ in self.outcomes(name)]
        assert [reason for reason in reasons if reason != "NotGoingOn"] == [
            *("JobAdded", "JobStarted", "SessionOpened"),
            *["ScriptSucceeded"] * 2,
            *("SessionEnded", "JobSucceeded"),
        ]
        (pod,) = self.pods_of(name)
        written = self.whole_output(pod["metadata"]["name"]).splitlines()
        assert [line for line in written if line] == [
            *("--- waits, attempt 1", "went on", "--- then, attempt 1", "and then"),
        ]
        status = pod["status"]
        counts = [c["restartCount"] for c in status["containerStatuses"]]
        counts += [c["restartCount"] for c in status["initContainerStatuses"]]
        assert counts == [0, 0]


@dataclass(frozen=True)
class Release:
    """What docs/install.md does with one, into one namespace only."""

    ns: ReleaseNamespace
    namespace: str
    """Where its own Pods are."""

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the release's own namespace."""
        return self.ns.node.kubectl("-n", self.namespace, *arguments)

    def install(self, *settings: str) -> str:
        """Install it with an operator that works and one that stands by; wait for both."""
        return self._put("install", *settings, "--wait", "--timeout=240s")

    def upgrade(self, *settings: str) -> str:
        """Start an upgrade."""
        return self._put("upgrade", *settings)

    def rollback(self) -> None:
        """Start a rollback to the previous revision."""
        self._helm("rollback", NAME)

    def uninstall(self) -> None:
        """Remove it; return when its last Pod is gone."""
        self._helm("uninstall", NAME)
        until(lambda: not self.operators())

    def test(self) -> str:
        """Run its own test; return what that prints."""
        return self._helm("test", NAME, "--logs", "--timeout=240s")

    def settles(self) -> None:
        """Wait until every operator is of the last revision, and none of another is left."""
        status = ("rollout", "status", f"deployment/{OPERATOR}", "--timeout=150s")
        self.kubectl(*status)
        until(lambda: len(self.operators()) == self._replicas())

    def operators(self) -> list[Document]:
        """Return the Pods of the operator."""
        chosen = f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component=operator"
        found = json.loads(self.kubectl("get", "pods", "-l", chosen, "-o", "json"))
        return list(found["items"])

    def leader(self) -> str:
        """Return the holder of the lease (a Pod and its process); empty if there is none."""
        held = ("get", "lease", OPERATOR, "--ignore-not-found", "-o")
        return self.kubectl(*held, "jsonpath={.spec.holderIdentity}")

    def leading(self) -> Document:
        """Return the Pod of the operator that works."""
        name = self.leader().partition("_")[0]
        (pod,) = [
            candidate for candidate in self.operators() if candidate["metadata"]["name"] == name
        ]
        return pod

    def hands_over(self, end: Callable[[], object]) -> None:
        """End the operator that works; another one works soon."""
        before = self.leader()
        end()
        until(lambda: self.leader() not in ("", before))

    def kill(self) -> None:
        """End the process that works as a node that dies would."""
        self.ns.kill("operator", signal.SIGKILL, self.leading())

    def _replicas(self) -> int:
        count = ("get", "deployment", OPERATOR, "-o", "jsonpath={.spec.replicas}")
        return int(self.kubectl(*count))

    def _put(self, verb: str, *arguments: str) -> str:
        tag = operator_image.built().built.rpartition(":")[2]
        given = (f"watchNamespaces={{{self.ns.namespace}}}", f"image.tag={tag}", *_SETTINGS)
        flags = [
            flag if flag.startswith("--") else f"--set={flag}" for flag in (*given, *arguments)
        ]
        return self._helm(verb, NAME, str(CHART), f"--values={_VALUES}", *flags)

    def _helm(self, *arguments: str) -> str:
        place = (f"--kubeconfig={self.ns.node.kubeconfig}", f"--namespace={self.namespace}")
        return helm(*place, *arguments)
