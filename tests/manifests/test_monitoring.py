"""The chart's PodMonitor, alerts and dashboard ask for nothing that `/metrics` does not tell."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.chart.dashboard import dashboard
from dev.chart.generated import CHART
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from enso_operator.bootstrap import Checks
from enso_operator.coordinator.actor import Actor
from enso_operator.coordinator.planner import Planner
from enso_operator.coordinator.publisher import Publisher
from enso_operator.observability.health import create_health_app
from enso_operator.observability.metrics import Metrics
from enso_operator.sessions.local.sessions import LocalSessions
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.values import is_list, is_mapping
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.chart import Document, only_object, pods, rendered
from tests.support.promql import ADDED, aggregated, selectors

ALERTS = yaml.safe_load((CHART / "files/monitoring/alerts.yaml").read_text())["groups"]
RULES: list[dict[str, Any]] = [rule for group in ALERTS for rule in group["rules"]]
ALL = (
    "monitoring.podMonitor.enabled=true",
    "monitoring.alerts.enabled=true",
    "monitoring.dashboard.enabled=true",
)


def panels() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(dashboard())["panels"]
    return made


def expressions() -> dict[str, str]:
    """Return every expression of the chart by the alert or the panel that has it."""
    drawn = {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "5m")
        for panel in panels()
        for target in panel["targets"]
    }
    return {rule["alert"]: rule["expr"] for rule in RULES} | drawn


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    """Run a job that fails; return what `/metrics` tells then: labels of its series by name."""
    metrics, uow = Metrics(), InMemoryJobUnitOfWork()
    scripts = [
        Script("open", Source("def main(): return 1")),
        Script("do", Source("def main(): raise KeyError('x')")),
    ]
    services.add(scripts, job_uow=uow, job_id="job")
    sessions = LocalSessions(tmp_path_factory.mktemp("sessions"))
    planner, told = Planner(ScriptLibrary([])), Publisher(metrics.committed)
    actor = Actor("job", uow, sessions, planner, SystemClock(), told)
    asyncio.run(asyncio.wait_for(actor.drive(), 60))
    with TestClient(create_health_app(Checks({}, {}), metrics)) as client:
        text = client.get("/metrics").text
    assert 'enso_jobs_finished_total{reason="Exception",result="Failed"} 1.0' in text
    series: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series.setdefault(sample.name, []).append(dict(sample.labels))
    return series


@pytest.mark.parametrize(("name", "expression"), expressions().items(), ids=list(expressions()))
def test_every_expression_asks_for_what_there_is(
    name: str, expression: str, exposed: dict[str, list[dict[str, str]]]
) -> None:
    found = [*selectors(expression)]
    assert found, name
    for selected in found:
        series = exposed[selected.metric]
        for label, value in selected.wanted:
            assert label in ADDED or any(labels.get(label) == value for labels in series), label
    labels = {label for selected in found for known in exposed[selected.metric] for label in known}
    assert aggregated(expression) <= labels | ADDED


def test_an_expression_that_asks_for_something_else_is_found() -> None:
    wrong = 'sum by (x) (rate(enso_no_such_total{result=~"Failed|Lost"}[5m])) > 1'
    (selected,) = selectors(wrong)
    assert selected.metric == "enso_no_such_total"
    assert selected.wanted == (("result", "Failed"), ("result", "Lost"))
    assert aggregated(wrong) == {"x"}
    with pytest.raises(ValueError, match="unclosed"):
        list(selectors("sum(rate(enso_leader[5m])"))


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert(
    exposed: dict[str, list[dict[str, str]]],
) -> None:
    asked = {
        re.sub(r"_(bucket|count|sum)$", "", selected.metric)
        for expression in expressions().values()
        for selected in selectors(expression)
    }
    ours = {name for name in exposed if name.startswith("enso_")}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in ours} <= asked


def placeholders(text: str) -> set[str]:
    return {*re.findall(r"\$labels\.(\w+)", text)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_helps(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    notes = rule["annotations"]
    assert {*notes} == {"summary", "description"}
    assert len(notes["summary"]) < 100
    assert placeholders(str(notes)) <= aggregated(rule["expr"])
    for selected in selectors(rule["expr"]):
        assert ("namespace", "$NAMESPACE") in selected.wanted


def test_nothing_of_it_is_there_by_default() -> None:
    kinds = {document["kind"] for document in rendered()}
    assert not kinds & {"PodMonitor", "PrometheusRule", "ConfigMap"}


def test_the_pod_monitor_selects_the_operators_port_and_no_other_pod() -> None:
    documents = rendered(*ALL, "gateway.enabled=true", "monitoring.labels.release=prometheus")
    monitor = only_object(documents, "PodMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"]
    (operator,) = (
        pod for pod in pods(documents) if wanted.items() <= pod["metadata"]["labels"].items()
    )
    (container,) = operator["spec"]["containers"]
    assert container["name"] == "operator"
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in container["ports"]}
    assert (endpoint["path"], endpoint["interval"]) == ("/metrics", "30s")


def strings(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif is_mapping(part):
        for inner in part.values():
            yield from strings(inner)
    elif is_list(part):
        for inner in part:
            yield from strings(inner)


def test_the_installed_alerts_are_those_of_the_releases_namespace() -> None:
    rule: Document = only_object(rendered(*ALL, namespace="farm"), "PrometheusRule")
    installed = rule["spec"]["groups"]
    assert json.loads(json.dumps(ALERTS).replace("$NAMESPACE", "farm")) == installed
    assert not [text for text in strings(installed) if "$NAMESPACE" in text]


def test_the_dashboard_is_found_by_grafana_and_is_what_is_written() -> None:
    documents = rendered(*ALL)
    installed = only_object(documents, "ConfigMap", "-dashboard")
    assert installed["metadata"]["labels"]["grafana_dashboard"] == "1"
    ((name, text),) = installed["data"].items()
    assert name.endswith(".json")
    assert json.loads(text) == json.loads(dashboard())
    other = rendered(*ALL, "monitoring.dashboard.labels.grafana_dashboard=yes")
    labels = only_object(other, "ConfigMap", "-dashboard")["metadata"]["labels"]
    assert labels["grafana_dashboard"] == "yes"


def test_no_panel_covers_another_one() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_page_has_every_alert() -> None:
    page = Path(CHART.parents[2] / "docs/monitoring.md").read_text()
    assert re.findall(r"^\| `(Enso\w+)`", page, re.MULTILINE) == [rule["alert"] for rule in RULES]
