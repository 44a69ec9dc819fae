"""Each alert of the chart fires where it should and nowhere else, as promtool reads the rules."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev.chart.generated import CHART

RULES = CHART / "files/monitoring/alerts.yaml"
MINUTES = 120
"""How long each story lasts; the alerts are looked at at its end."""

Series = dict[str, str]
"""Values of series over the minutes, in promtool's words: `a+bx5` is a, a+b, … a+5b."""


def steady(value: float) -> str:
    return f"{value}+0x{MINUTES}"


def growing(step: float) -> str:
    return f"0+{step}x{MINUTES}"


HEALTHY: Series = {
    'enso_leader{pod="a"}': steady(1),
    'enso_leader{pod="b"}': steady(0),
    'enso_watch_age_seconds{pod="a"}': steady(1),
    'enso_watch_age_seconds{pod="b"}': f"NaN+0x{MINUTES}",
    'enso_commit_seconds_count{outcome="committed"}': growing(60),
    'enso_commit_seconds_count{outcome="conflict"}': growing(1),
    'enso_commit_seconds_count{outcome="unavailable"}': growing(1),
    'enso_commit_seconds_bucket{le="0.1"}': growing(60),
    'enso_commit_seconds_bucket{le="10.0"}': growing(62),
    'enso_commit_seconds_bucket{le="+Inf"}': growing(62),
    'enso_events_posted_total{outcome="failed"}': steady(3),
    "enso_actor_failures_total": steady(2),
    'enso_longest_wait_seconds{reason="Unschedulable"}': steady(1800),
    'enso_scripts_finished_total{outcome="Interrupted",reason="NodeLost"}': steady(40),
    'enso_jobs_finished_total{result="Succeeded",reason=""}': growing(1),
    'enso_jobs_finished_total{result="Failed",reason="Exception"}': growing(0.1),
    'enso_jobs_finished_total{result="Failed",reason="ImagePullFailed"}': steady(9),
}
"""A farm on which jobs run and now and then one fails, or something is refused."""
GONE = "_x120"
STORIES: dict[str, Series] = {
    "": {},
    "EnsoOperatorDown": dict.fromkeys(HEALTHY, GONE),
    "EnsoNobodyWorks": {'enso_leader{pod="a"}': steady(0)},
    "EnsoHearsNothing": {'enso_watch_age_seconds{pod="a"}': growing(60)},
    "EnsoCannotWriteStatus": {'enso_commit_seconds_count{outcome="unavailable"}': growing(10)},
    "EnsoConflicts": {'enso_commit_seconds_count{outcome="conflict"}': growing(40)},
    "EnsoApiServerSlow": {'enso_commit_seconds_bucket{le="0.1"}': growing(40)},
    "EnsoEventsNotPosted": {'enso_events_posted_total{outcome="failed"}': growing(1)},
    "EnsoBroke": {"enso_actor_failures_total": f"0x110 1x{MINUTES - 111}"},
    "EnsoJobsWaitLong": {'enso_longest_wait_seconds{reason="Unschedulable"}': growing(60)},
    "EnsoSessionsLost": {
        'enso_scripts_finished_total{outcome="Interrupted",reason="NodeLost"}': growing(0.2)
    },
    "EnsoPlatformFailures": {
        'enso_jobs_finished_total{result="Failed",reason="ImagePullFailed"}': growing(0.1)
    },
    "EnsoMostJobsFail": {
        'enso_jobs_finished_total{result="Failed",reason="Exception"}': growing(2)
    },
}
"""The only alert that fires, and what is not as on a healthy farm."""


def need_promtool() -> str:
    """Return its path; skip the test, or fail it in CI, if it is missing: tests build no tools."""
    if found := shutil.which("promtool"):
        return found
    sentence = "promtool is not on this machine: Debian has it in the package prometheus"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def with_namespace(series: str) -> str:
    name, _, labels = series.removesuffix("}").partition("{")
    both = ",".join(filter(None, [labels, 'namespace="enso"']))
    return f"{name}{{{both}}}"


def told(firing: str, changed: Series) -> dict[str, Any]:
    """Return the story as promtool's unit test."""
    expected = [{"labels": f'{{alertname="{firing}"}}', "value": 1}] if firing else []
    return {
        "interval": "1m",
        "input_series": [
            {"series": with_namespace(series), "values": values}
            for series, values in (HEALTHY | changed).items()
        ],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{MINUTES}m",
                "exp_samples": expected,
            }
        ],
    }


def test_there_is_a_story_for_each_alert() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    assert ["", *(rule["alert"] for rule in group["rules"])] == [*STORIES]
    assert all(changed.keys() <= HEALTHY.keys() for changed in STORIES.values())


def promtool(folder: Path, *arguments: str) -> None:
    """Run promtool in a folder with the rules; what it says is why it fails."""
    program = need_promtool()
    (folder / "rules.yaml").write_text(RULES.read_text().replace("$NAMESPACE", "enso"))
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_the_rules(tmp_path: Path) -> None:
    promtool(tmp_path, "check", "rules", "--lint-fatal", "rules.yaml")


@pytest.mark.parametrize("firing", STORIES, ids=lambda name: name or "healthy")
def test_the_alert_fires_and_no_other(firing: str, tmp_path: Path) -> None:
    story = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [told(firing, STORIES[firing])],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(story))
    promtool(tmp_path, "test", "rules", "test.yaml")
