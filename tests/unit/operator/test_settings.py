"""docs/operating.md tells every setting of the operator as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import CliApp

from enso_operator.settings import OperatorSettings
from job_execution_framework.domain.values import is_mapping

OPERATING = Path(__file__).resolve().parents[3] / "docs" / "operating.md"
TOLD = {
    "sessions": "must be given",
    "state_dir": "`~/.local/state/enso/operator`",
    "namespaces": "all",
    "records_image": "with Pods it must be given",
    "records_pull_policy": "by its tag",
    "session_image": "none",
    "schedule_patience_seconds": "for ever",
    "service_accounts": "none",
    "allowed_pod_annotation_prefixes": "none",
    "allow_nfs": "`false`",
    "allow_code_changes": "`false`",
    "leader_elect": "`false`",
    "lease_namespace": "the Pod's",
}
"""Defaults that a word tells better than the value."""


def default(name: str, field: FieldInfo) -> str:
    value: object = field.get_default(call_default_factory=True, validated_data={})
    home = str(Path.home())
    if is_mapping(value):
        value = ",".join(f"{key}={quantity}" for key, quantity in value.items())
    shown = f"{value:g}" if isinstance(value, float) else str(value).replace(home, "~")
    return TOLD.get(name, f"`{shown}`")


def sentence(field: FieldInfo) -> str:
    choices: tuple[str, ...] = (
        get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    )
    told = str(field.description)
    return f"{told.removesuffix('.')}: {', '.join(f'`{c}`' for c in choices)}" if choices else told


def test_the_table_of_settings_is_complete_and_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    rows = [
        f"| `--{name.replace('_', '-')}` | `ENSO_{name.upper()}` | {default(name, field)} "
        f"| {sentence(field)} |"
        for name, field in OperatorSettings.model_fields.items()
    ]
    text = OPERATING.read_text("utf-8")
    table = text.partition("| flag | environment | default | |\n|---|---|---|---|\n")[2]
    assert table.partition("\n\n")[0].splitlines() == rows


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("cpu=100m,memory=96Mi", {"cpu": "100m", "memory": "96Mi"}),
        ('{"cpu": 1, "memory": "96Mi"}', {"cpu": "1", "memory": "96Mi"}),
        ("", {}),
        ("{}", {}),
    ],
)
def test_quantities_are_written_as_kubectl_does_or_as_json(
    monkeypatch: pytest.MonkeyPatch, given: str, read: dict[str, str]
) -> None:
    monkeypatch.setenv("ENSO_RECORDS_LIMITS", given)
    assert OperatorSettings().records_limits == read


@pytest.mark.parametrize("given", ["cpu", "cpu=four", '{"cpu"'])
def test_quantities_that_are_none_are_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="records_limits"):
        CliApp.run(OperatorSettings, cli_args=[f"--records-limits={given}"])
