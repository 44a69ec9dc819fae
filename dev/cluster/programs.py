"""The programs of the cluster and their versions: what binaries.py looks for and build.py builds.

A version stands in one place, the go.mod of its module below go/.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dev.checkout import user_cache

MODULES = Path(__file__).resolve().with_name("go")
"""The Go modules that pin the programs."""


@dataclass(frozen=True)
class Program:
    """One executable: where it is built from, and how old another one of that name may be."""

    name: str
    folder: str
    """Below go/: the module that pins it."""
    module: str
    """The module whose version it has."""
    package: str
    """Inside the module; empty is its root, and `.` is the source beside that go.mod."""
    oldest: tuple[int, int]
    minutes: int
    """A build with nothing cached, on two cores, after the ones before it in PROGRAMS."""

    @cached_property
    def version(self) -> str:
        """The pinned version, without the v."""
        text = (MODULES / self.folder / "go.mod").read_text()
        match = re.search(rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)", text, re.MULTILINE)
        if match is None:
            raise LookupError(f"go/{self.folder}/go.mod does not require {self.module}")
        return match[1]

    @property
    def cached(self) -> Path:
        """Where a build of ours is kept."""
        return user_cache() / "bin" / f"{self.folder}-{self.version}{self._source}" / self.name

    @property
    def _source(self) -> str:
        """Return a digest of a source of ours, which changes without its modules."""
        if self.package != ".":
            return ""
        folder = MODULES / self.folder
        content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
        return f"-{hashlib.sha256(content).hexdigest()[:8]}"

    @property
    def linker_flags(self) -> str:
        """Flags for small executables, and for the version that Kubernetes' programs print."""
        if self.folder != "kubernetes":
            return "-s -w"
        major, minor, _ = self.version.split(".", 2)
        told = {"Version": f"v{self.version}", "Major": major, "Minor": minor, "TreeState": "clean"}
        prefix = "-X k8s.io/component-base/version.git"
        return " ".join(["-s -w", *(f"{prefix}{name}={value}" for name, value in told.items())])


_KUBERNETES = ("kubernetes", "k8s.io/kubernetes")
_CONTAINERD = ("containerd", "github.com/containerd/containerd/v2")

PROGRAMS = {
    program.name: program
    for program in (
        Program("kwokctl", "kwok", "sigs.k8s.io/kwok", "cmd/kwokctl", (0, 8), 2),
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", "", (3, 5), 1),
        Program("kube-apiserver", *_KUBERNETES, "cmd/kube-apiserver", (1, 30), 6),
        Program("kube-controller-manager", *_KUBERNETES, "cmd/kube-controller-manager", (1, 30), 2),
        Program("kube-scheduler", *_KUBERNETES, "cmd/kube-scheduler", (1, 30), 1),
        Program("kubelet", *_KUBERNETES, "cmd/kubelet", (1, 30), 2),
        Program("containerd", *_CONTAINERD, "cmd/containerd", (2, 0), 2),
        Program("containerd-shim-runc-v2", *_CONTAINERD, "cmd/containerd-shim-runc-v2", (2, 0), 1),
        Program("ctr", *_CONTAINERD, "cmd/ctr", (2, 0), 1),
        Program("kwok", "kwok", "sigs.k8s.io/kwok", "cmd/kwok", (0, 8), 1),
        Program("helm", "helm", "helm.sh/helm/v3", "cmd/helm", (3, 14), 1),
        Program("enso-flux", "flux", "github.com/fluxcd/pkg/ssa", ".", (0, 0), 1),
    )
}

CLUSTER: tuple[str, ...] = ("kwokctl", "etcd", "kube-apiserver", "kube-controller-manager")
"""What a cluster without nodes needs."""
TESTS: tuple[str, ...] = ("enso-flux",)
"""What only tests need."""
NODE: tuple[str, ...] = tuple(name for name in PROGRAMS if name not in TESTS)
"""What a cluster with a real node needs, and with simulated ones."""
