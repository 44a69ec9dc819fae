"""Makes the archive with the runtime of session Pods, when the image is built.

``python3 -m enso_operator.sessions.pods.runtime_archive FILE``. It has the core, and its bytecode
for this Python; one of another version compiles what it imports. One file, as a copy of all of them
takes longer than what it is copied for: the session, which waits for it.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import job_execution_framework

_UNCHECKED = (1).to_bytes(4, "little")
"""Says that bytecode goes with its source whatever time that has (PEP 552): a zip's has no zone."""


def make(target: Path) -> None:
    """Write the archive, uncompressed, as it is unpacked more often than it is copied."""
    root = Path(*job_execution_framework.__path__)
    with ZipFile(target, "w") as archive:
        for file in sorted(root.rglob("*.py")):
            name, source = str(file.relative_to(root.parent)), file.read_bytes()
            archive.writestr(ZipInfo(name), source)
            archive.writestr(ZipInfo(f"{name}c"), _bytecode(name, source))


def _bytecode(name: str, source: bytes) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True)
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source)
    return head + marshal.dumps(code)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
