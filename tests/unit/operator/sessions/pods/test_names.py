from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from enso_operator.sessions.pods.names import pod_name

NAMES = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


@given(NAMES.map(lambda name: name[:52].rstrip("-")), NAMES, st.integers(1, 99999))
def test_every_run_has_a_name_that_a_host_can_have(job: str, session: str, number: int) -> None:
    name = pod_name(job, f"{session}-{number}", "uid")
    assert len(name) <= 63
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
    assert f"-{number}-" in name


def test_names_tell_jobs_sessions_and_runs_apart() -> None:
    long = "a" * 52
    names = {
        pod_name(job, run, uid)
        for job in ("shot", long)
        for run in ("main-1", "main-2", f"{long}x-1", f"{long}y-1")
        for uid in ("one", "two")
    }
    assert len(names) == 16


def test_a_short_name_is_whole() -> None:
    assert pod_name("publish-shot", "houdini-1", "u").startswith("publish-shot-houdini-1-")
