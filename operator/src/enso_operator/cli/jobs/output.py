"""`-o json` and `-o yaml`: whole objects for programs."""

from __future__ import annotations

import json

from enso_operator.api.document import Document

WHOLE = ("json", "yaml")


def text(document: Document, form: str) -> str:
    """Return a document in one of these forms."""
    if form == "json":
        return json.dumps(document, indent=4, ensure_ascii=False)
    import yaml  # noqa: PLC0415  # a command that was given all it needs loads no YAML

    written: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return written.rstrip("\n")
