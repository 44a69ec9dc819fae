"""The node's own runtime, asked behind the kubelet's back, and the logs that lie on its disk."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from dev.host.places import POD_LOGS, SOCKET

from tests.node.jobs.pod_namespace import Document


def remove(pod: Document, container: str) -> None:
    """Have the runtime end and forget a container, as an administrator's tool does."""
    identity = _id(pod, container).encode()
    message = bytes([0x0A, len(identity)]) + identity  # RemoveContainerRequest.container_id
    framed = b"\0" + len(message).to_bytes(4, "big") + message
    url = "http://localhost/runtime.v1.RuntimeService/RemoveContainer"
    headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
    command = ["curl", "--silent", "--fail", "--http2-prior-knowledge", "--unix-socket"]
    subprocess.run(
        [*command, str(SOCKET), *headers, "--data-binary", "@-", "--output", "-", url],
        input=framed,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=30,
    )


def logs(pod: Document, container: str) -> list[Path]:
    """Return the files of a container's output, the oldest first: 0.log.DATE, 0.log, 1.log."""
    metadata = pod["metadata"]
    folder = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
    found = (POD_LOGS / folder / container).glob("*")
    whole = [file for file in found if file.suffix != ".tmp"]
    return sorted(whole, key=lambda file: (file.name.split(".")[0], file.suffix == ".log", file))


def text(file: Path) -> str:
    """Return what such a file holds; the kubelet packs those that it has rotated."""
    data = file.read_bytes()
    return (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8", "replace")


def whole(pod: Document, container: str) -> str:
    """Return all of a container's output; what the kubelet rotates meanwhile is read anew."""
    while True:
        try:
            return "".join(text(file) for file in logs(pod, container))
        except FileNotFoundError:
            continue


def is_known(pod: Document) -> bool:
    """Whether its status says already that all of its containers run."""
    return all("running" in status["state"] for status in _statuses(pod)) and bool(_statuses(pod))


def _statuses(pod: Document) -> list[Document]:
    status = pod["status"]
    return [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]


def _id(pod: Document, container: str) -> str:
    (found,) = [status["containerID"] for status in _statuses(pod) if status["name"] == container]
    return str(found).removeprefix("containerd://")
