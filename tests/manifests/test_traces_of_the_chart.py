"""The chart turns traces on with one value, and leaves them off without it."""

from __future__ import annotations

import pytest
from dev.chart.helm import HelmSays

from tests.support.chart import environment, only_object, pods, rendered

NAME = "OTEL_EXPORTER_OTLP_ENDPOINT"


def variables(*settings: str) -> dict[str, str]:
    """Return the environment of the operator."""
    return environment(only_object(pods(rendered(*settings)), "Pod", "enso-executer"))


def test_traces_are_off_by_default() -> None:
    assert not [name for name in variables() if name.startswith("OTEL_")]


def test_the_operator_is_told_where_the_collector_is() -> None:
    endpoint = "http://collector.monitoring:4318"
    assert variables(f"tracing.endpoint={endpoint}")[NAME] == endpoint


@pytest.mark.parametrize("endpoint", ["collector:4317", "http://", "http://a b"])
def test_what_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(HelmSays, match="/tracing/endpoint"):
        rendered(f"tracing.endpoint={endpoint}")
