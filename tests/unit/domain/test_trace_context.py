"""The ids of what a job consists of: made from what it is, the same wherever they are made."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from job_execution_framework.domain import trace_context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
JOB = f"00-{TRACE}-{SPAN}-01"


def test_an_attempt_is_in_the_trace_of_its_job_under_an_id_of_its_own() -> None:
    own = sha256(f"{SPAN}/script/simulate/2".encode()).hexdigest()[:16]  # as the docs say
    assert trace_context.of_attempt(JOB, "simulate", 2) == f"00-{TRACE}-{own}-01"


def test_a_trace_that_nobody_keeps_is_said_to_be_one() -> None:
    assert trace_context.of_attempt(f"00-{TRACE}-{SPAN}-00", "simulate", 1).endswith("-00")


names = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?\Z")
attempts = st.tuples(names, st.integers(1, 12))


@given(st.sets(attempts, max_size=30))
def test_no_two_parts_of_a_job_have_one_id(those: set[tuple[str, int]]) -> None:
    of_attempts = {trace_context.of_attempt(JOB, script, number) for script, number in those}
    of_runs = {trace_context.part_of(JOB, "session", script) for script, _ in those}
    assert len(of_attempts | of_runs) == len(those) + len({script for script, _ in those})


def test_jobs_of_one_trace_have_attempts_of_their_own() -> None:
    other = f"00-{TRACE}-{'1' * 16}-01"
    assert trace_context.of_attempt(JOB, "a", 1) != trace_context.of_attempt(other, "a", 1)
