from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.manifests import refusal


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str | bytes], str]:
    """What is told about a file of this content."""

    def told(content: str | bytes) -> str:
        file = tmp_path / "job.yaml"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return refusal(file)

    return told
