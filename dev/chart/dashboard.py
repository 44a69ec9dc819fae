"""The Grafana dashboard of the chart: its panels, and the JSON that Grafana reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

HERE = 'namespace="$namespace"'
"""Every query asks for the operators of one namespace, which the dashboard lets people choose."""
SPAN = "[$__rate_interval]"
OF_OPERATORS = " and on (namespace, pod) enso_leader"
"""Leaves out the processes of others in that namespace."""
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT, LOW = 24, 8, 4


@dataclass(frozen=True)
class Panel:
    """One picture: queries with their legends."""

    title: str
    about: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"


def _each(metric: str, by: str, more: str = "") -> tuple[tuple[str, str], ...]:
    """Return the query for how much a counter grew, by a label."""
    return ((f"sum by ({by}) (increase({metric}{{{HERE}{more}}}{SPAN}))", f"{{{{{by}}}}}"),)


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    inner = f"sum by (le) (rate({metric}_bucket{{{HERE}}}{SPAN}))"
    return tuple(
        (f"histogram_quantile({quantile}, {inner})", name)
        for quantile, name in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    )


NUMBERS = (
    Panel("Working", "Operators that work; one is right.", ((f"sum(enso_leader{{{HERE}}})", ""),)),
    Panel("Live jobs", "Jobs that have not ended.", ((f"sum(enso_live_jobs{{{HERE}}})", ""),)),
    Panel(
        "Waiting",
        "Jobs that wait for a node, an image, the API server.",
        ((f"sum(enso_waiting_jobs{{{HERE}}})", ""),),
    ),
    Panel(
        "Failed, last hour",
        "Jobs that ended so.",
        ((f'sum(increase(enso_jobs_finished_total{{{HERE}, result="Failed"}}[1h]))', ""),),
    ),
    Panel(
        "Longest wait",
        "Of the jobs that wait now.",
        ((f"max(enso_longest_wait_seconds{{{HERE}}})", ""),),
        "s",
    ),
    Panel(
        "Heard of the API server",
        "How long ago.",
        ((f"max(enso_watch_age_seconds{{{HERE}}})", ""),),
        "s",
    ),
)
"""In the first line."""
PICTURES = (
    Panel("Jobs that ended", "By result.", _each("enso_jobs_finished_total", "result")),
    Panel(
        "Jobs that failed",
        "By reason.",
        _each("enso_jobs_finished_total", "reason", ', result="Failed"'),
    ),
    Panel("Attempts of scripts", "By outcome.", _each("enso_scripts_finished_total", "outcome")),
    Panel(
        "Scripts that were interrupted",
        "By reason: nodes that went away, Pods that were evicted.",
        _each("enso_scripts_finished_total", "reason", ', outcome="Interrupted"'),
    ),
    Panel(
        "How long scripts take",
        "Attempts whose end is known.",
        _quantiles("enso_script_duration_seconds"),
        "s",
    ),
    Panel(
        "Jobs that wait",
        "By reason; those that have not started wait for others that just start.",
        (
            (f"sum by (reason) (enso_waiting_jobs{{{HERE}}}) > 0", "{{reason}}"),
            (f"sum(enso_queued_starts{{{HERE}}}) > 0", "not started"),
        ),
    ),
    Panel(
        "Writes of statuses",
        "By what became of them.",
        _each("enso_commit_seconds_count", "outcome"),
    ),
    Panel(
        "How long a write takes",
        "Each start of a script waits for one.",
        _quantiles("enso_commit_seconds"),
        "s",
    ),
    Panel("Kubernetes Events", "By outcome.", _each("enso_events_posted_total", "outcome")),
    Panel(
        "How long a decision takes",
        "Folding what was seen of a job, and deciding what is next.",
        _quantiles("enso_reconcile_seconds"),
        "s",
    ),
    Panel(
        "Memory of the operators",
        "Of each Pod.",
        (
            (
                f"process_resident_memory_bytes{{{HERE}}}{OF_OPERATORS}",
                "{{pod}}",
            ),
        ),
        "bytes",
    ),
    Panel(
        "CPU of the operators",
        "Of each Pod, in cores.",
        (
            (
                f"rate(process_cpu_seconds_total{{{HERE}}}{SPAN}){OF_OPERATORS}",
                "{{pod}}",
            ),
        ),
    ),
)
"""Below it, two in a line."""


def dashboard() -> str:
    """Return the dashboard as Grafana takes it from a file."""
    each = WIDTH // len(NUMBERS)
    panels = [
        _panel(panel, i * each, 0, each, LOW) | {"id": i + 1, "type": "stat"}
        for i, panel in enumerate(NUMBERS)
    ]
    half = WIDTH // 2
    panels += [
        _panel(panel, half * (i % 2), LOW + HEIGHT * (i // 2), half, HEIGHT)
        | {"id": len(NUMBERS) + i + 1, "type": "timeseries"}
        for i, panel in enumerate(PICTURES)
    ]
    made = {
        "uid": "enso-executer",
        "title": "enso-executer",
        "tags": ["enso-executer"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": panels,
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _panel(panel: Panel, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {
        "title": panel.title,
        "description": panel.about,
        "datasource": DATA_SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + i),
                "datasource": DATA_SOURCE,
                "expr": query,
                "legendFormat": legend,
            }
            for i, (query, legend) in enumerate(panel.queries)
        ],
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {
            "name": "namespace",
            "label": "Namespace of the operator",
            "type": "query",
            "datasource": DATA_SOURCE,
            "query": {"query": "label_values(enso_leader, namespace)", "refId": "namespace"},
            "refresh": 2,
            "sort": 1,
        },
    ]
