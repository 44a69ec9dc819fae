"""The cluster: etcd, API server and controller manager, started, repaired and removed.

`start` is what the commands and the tests call. Whatever state a cluster was left in (a component
killed, a start interrupted, its folder half gone), the next `start` makes it work, or says in a
sentence why it cannot.
"""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dev.checkout import AFRESH, DEFAULT_NAME, Failed, locked, say
from dev.cluster import binaries, config, kwokctl, records
from dev.cluster.audit import AuditLog
from dev.cluster.programs import CLUSTER, NODE
from dev.cluster.records import Record
from dev.host import node_lock, processes

_PATIENCE = 90.0
"""Seconds from start to ready, at most; usually three."""

_HUNG_AFTER = 10.0
"""A cluster all of whose processes run and that does not answer for so long is started again."""

_PORT_GRACE = 2.0


@dataclass(frozen=True)
class Cluster:
    """A cluster of this checkout, whether it runs or not."""

    name: str

    @property
    def folder(self) -> Path:
        """Everything that belongs to it: data, certificates, logs."""
        return kwokctl.folder_of(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The file for `--kubeconfig` and `KUBECONFIG`."""
        return self.folder / "kubeconfig.yaml"

    @property
    def audit(self) -> AuditLog:
        """The API server's record of its requests, if it was started with `audit=True`."""
        return AuditLog(self.folder / "logs" / "audit.log")

    @property
    def api_port(self) -> int:
        """Where the API server listens, on loopback."""
        record = records.read(self.name)
        if record is None:
            raise Failed(f"There is no cluster {self.name}. {AFRESH}")
        return record.ports["kubeApiserverPort"]

    @property
    def components(self) -> set[str]:
        """The names of the components that have to run."""
        record = records.read(self.name)
        return {*config.components(node=record is not None and record.node)}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl against it and return what it prints; `CalledProcessError` if it fails."""
        command = [str(binaries.kubectl()), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=True, timeout=200
        )
        return done.stdout

    def pid(self, component: str) -> int:
        """Return the process id of a component that runs, for signals."""
        return processes.running(self.folder)[component]

    def kill(self, component: str) -> None:
        """End it with SIGKILL; it is gone when this returns."""
        processes.end(self.folder, [component])

    def revive(self) -> None:
        """Start what does not run; the API server is ready when this returns."""
        with locked(records.lock(self.name)):
            _revive(self)

    def stop(self) -> None:
        """End its processes, its node if it has one, and remove its folder."""
        with node_lock.released(self.folder), locked(records.lock(self.name)):
            _remove(self)

    def ready(self) -> bool:
        """Say whether the API server says so."""
        try:
            self.kubectl("get", "--raw", "/readyz", "--request-timeout", "5s")
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        return True


def start(name: str = DEFAULT_NAME, *, audit: bool = False, node: bool = False) -> Cluster:
    """Return a cluster of that name whose API server is ready: this one, repaired, or a new one.

    `node` lays it out for a real node, which dev/node starts.
    """
    cluster = Cluster(name)
    with locked(records.lock(name), waiting_for=f"another start or stop of {name}"):
        record = records.read(cluster.name)
        if record is None or not cluster.kubeconfig.exists():
            _create(cluster, audit=audit, node=node)
        elif lacks := [
            what
            for what, is_wanted, has in (
                ("an audit log", audit, record.audit),
                ("a node", node, record.node),
            )
            if is_wanted and not has
        ]:
            raise Failed(
                f"Cluster {name} runs without {' and '.join(lacks)}, and cannot be changed:"
                " `make cluster-down` first"
            )
        elif missing := _missing(cluster):
            say(f"Cluster {name} lacks {', '.join(sorted(missing))}: starting what is missing")
            _revive(cluster)
            say(f"Cluster {name} is up again")
        else:
            _answer_or_restart(cluster)
    return cluster


def _create(cluster: Cluster, *, audit: bool, node: bool) -> None:
    found = binaries.provide(NODE if node else CLUSTER)
    settings = records.settings(cluster.name)
    say(f"Starting cluster {cluster.name}: a few seconds")
    begun = time.monotonic()
    for last in (False, False, True):
        _remove(cluster)
        ports = config.choose_ports()
        config.write(settings, cluster.folder, ports, found, audit=audit, node=node)
        try:
            kwokctl.create(cluster.name, found["kwokctl"], settings)
            _wait(cluster)
        except Failed as error:
            processes.end(cluster.folder)
            # Another process took a port between our check and the start.
            if last or "address already in use" not in str(error):
                raise
        except BaseException:
            processes.end(cluster.folder)
            raise
        else:
            break
    Record(ports, audit, node).write(cluster.name)
    say(f"Cluster {cluster.name} is up after {time.monotonic() - begun:.1f} s")


def _answer_or_restart(cluster: Cluster) -> None:
    deadline = time.monotonic() + _HUNG_AFTER
    while not cluster.ready():
        if time.monotonic() > deadline:
            say(f"Cluster {cluster.name} does not answer: starting its processes again")
            processes.end(cluster.folder)
            return _revive(cluster)
        time.sleep(0.2)
    return say(f"Cluster {cluster.name} is up already")


def _revive(cluster: Cluster) -> None:
    record = records.read(cluster.name)
    if record is None:
        raise Failed(f"There is no cluster {cluster.name}. {AFRESH}")
    _check_ports(cluster, record.ports)
    found = binaries.provide(NODE if record.node else CLUSTER)
    for component in cluster.components:
        link = cluster.folder / "bin" / component
        if component in found and not link.exists():  # the cache was emptied
            link.unlink(missing_ok=True)
            link.symlink_to(found[component])
    kwokctl.start(cluster.name, found["kwokctl"])
    _wait(cluster)


def _check_ports(cluster: Cluster, ports: dict[str, int]) -> None:
    """Raise if a stopped component cannot get its port, after waiting for ending processes."""
    deadline = time.monotonic() + _PORT_GRACE
    while blocked := dict(config.taken(ports, _missing(cluster))):
        if time.monotonic() > deadline:
            for component, port in blocked.items():
                raise Failed(
                    f"{component} cannot start, as another process has its port {port}: end that"
                    f" one. {AFRESH}"
                )
        time.sleep(0.05)


def _wait(cluster: Cluster) -> None:
    """Return when the API server is ready and everything runs."""
    deadline = time.monotonic() + _PATIENCE
    while not cluster.ready():
        for component in kwokctl.died(cluster.name) & {"etcd", "kube-apiserver"}:
            raise Failed(kwokctl.why_it_died(cluster.name, component))
        if time.monotonic() > deadline:
            raise Failed(f"The API server is not ready after {_PATIENCE:.0f} s. {AFRESH}")
        time.sleep(0.1)
    if kwokctl.died(cluster.name):  # on a busy machine the controller manager can come too early
        kwokctl.start(cluster.name, binaries.provide()["kwokctl"])


def _missing(cluster: Cluster) -> set[str]:
    return cluster.components - set(processes.running(cluster.folder))


def _remove(cluster: Cluster) -> None:
    records.forget(cluster.name)
    processes.end(cluster.folder)
    shutil.rmtree(cluster.folder, ignore_errors=True)
