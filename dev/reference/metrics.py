"""The page of all metrics, from what `/metrics` answers before anything has happened."""

from __future__ import annotations

from collections.abc import Iterator

from dev.reference.markdown import code, table, text
from prometheus_client.parser import text_string_to_metric_families

from enso_operator.observability.metrics import Metrics


def metrics_page() -> str:
    """Return the page."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield "# Metrics\n\n"
    yield (
        "What `/metrics` of an operator counts and times. How to read them: "
        "[operating](../operating.md#metrics). "
        "A *reason* is one of those that [scripts and jobs fail for](events.md#reasons), `Other` "
        "for what is none of them, and absent beside a success.\n\n"
    )
    yield table(("metric", "type", "labels", "what it tells"), _rows())


def _rows() -> Iterator[list[str]]:
    for family in text_string_to_metric_families(Metrics().text()[0].decode()):
        if not family.name.startswith("enso_"):
            continue
        values: dict[str, set[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                values.setdefault(label, set()).add(value)
        values.pop("le", None)
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = "; ".join(_label(label, found) for label, found in values.items())
        yield [code(name), family.type, labels, text(family.documentation)]


def _label(name: str, values: set[str]) -> str:
    if name == "reason":
        return code(name)
    return f"{code(name)}: {', '.join(map(code, sorted(values)))}"
