"""A Kubernetes object as JSON has it, before a wire model reads it or after one has written it."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
