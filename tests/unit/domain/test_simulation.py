"""A simulated world in which everything breaks: what the design guarantees holds at every step.

Random jobs on sessions that die at any point, with logs that are cut or read again, a coordinator
that crashes before and after its commits, and a second one that wakes up late.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from job_execution_framework.domain.actions import (
    Action,
    Cancel,
    Pause,
    Resume,
    Retry,
    Skip,
    Suspend,
    Unsuspend,
)
from job_execution_framework.domain.errors import Conflict
from job_execution_framework.domain.outputs import OutputOf
from job_execution_framework.domain.retries import Budget, Retries
from job_execution_framework.domain.script import (
    FINALLY,
    Container,
    Script,
    Session,
    Source,
    When,
)
from job_execution_framework.domain.transitions import ENDED
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork
from tests.support.sessions import DIES, FAILS, LACKS_A_LICENCE, SUCCEEDS, TIMES_OUT, Fate
from tests.support.world import World

IN_CI = bool(os.environ.get("CI"))
FATES = st.sampled_from(
    [*[SUCCEEDS] * 6, FAILS, LACKS_A_LICENCE, LACKS_A_LICENCE, TIMES_OUT, TIMES_OUT, DIES]
)
BUDGETS = st.sampled_from(
    [
        (),
        (),
        (Budget("LicenseUnavailable", 2), Budget("ValueError", 0)),
        (Budget("LicenseUnavailable", 3, 60), Budget("NoOutput", 1, 60)),
        (Budget("Timeout", 1, 90), Budget("Exception", 2, 20), Budget("LicenseUnavailable", 1)),
    ]
)
"""Budgets for single causes; of most there is more than the others, and some end the session."""
WISHES = st.sampled_from([Suspend(), Unsuspend(), Unsuspend(), Cancel(by="ann", why="enough")])
Ask = Callable[[str, str], Action]
"""Makes an action about a script, with its own id."""
ACTIONS: st.SearchStrategy[Ask] = st.sampled_from(
    [
        lambda _, number: Resume(action_id=number),
        lambda _, number: Resume(action_id=number),
        lambda name, number: Resume(from_script=name, action_id=number),
        lambda name, number: Resume(skip=(name,), action_id=number),
        lambda _, number: Pause(action_id=number),
        lambda name, number: Pause(after=name, action_id=number),
        lambda _, number: Retry(action_id=number),
        lambda name, number: Skip(script=name, action_id=number),
        lambda _, number: Cancel(by="ann", action_id=number),
    ]
)
CRASHES = st.sampled_from(["no", "no", "before", "after"])
"""When whoever acts crashes: never, before its commit or after it."""
SIZES = st.integers(0, 10**6)
"""A place in something whose size is only known when the rule runs: taken modulo that size."""


def outputs_of(scripts: list[Script]) -> st.SearchStrategy[dict[str, object]]:
    """Return arguments that are outputs of at most one of these scripts; mostly there are none."""
    names = st.sampled_from([script.name for script in scripts] or [""])
    of = st.builds(OutputOf, names, st.sampled_from([None, "said"]))
    none: st.SearchStrategy[dict[str, object]] = st.just({})
    some: st.SearchStrategy[dict[str, object]] = of.map(lambda output: {"given": output})
    return none | none | some if scripts else none


@st.composite
def jobs(draw: st.DrawFn) -> tuple[list[Script], list[Session], float | None]:
    """Describe a job of one to six scripts in up to three sessions, and perhaps a container."""
    names = "fedcba"[draw(st.integers(0, 5)) :][::-1]
    backoff = draw(st.sampled_from([0, 0, 10]))
    sessions = [
        Session(f"s{i}", retry_lost=draw(st.integers(0, 2)), lost_backoff_seconds=backoff)
        for i in range(3)
    ]
    scripts: list[Script] = []
    at = 0
    for name in names:
        at = min(2, at + (draw(st.integers(0, 4)) == 4))
        flags = draw(st.tuples(st.booleans(), st.booleans()))
        retries = Retries(
            draw(st.integers(0, 2)),
            draw(st.sampled_from([0, 30])),
            draw(st.sampled_from([1, 1, 2])),
            draw(st.sampled_from([None, None, 45])),
            draw(BUDGETS),
        )
        work = Source("def main(): pass")
        goes_on = draw(st.integers(0, 2)) == 2  # one script of three
        given = draw(outputs_of(scripts))
        scripts.append(
            Script(name, work, given, sessions[at].name, *flags, retries, continues=goes_on)
        )
    if draw(st.booleans()):
        lost = draw(st.integers(0, 2))
        container = Container("curl", retry_lost=lost, lost_backoff_seconds=backoff)
        runs = [script.session for script in scripts]
        begins = [i for i, name in enumerate(runs) if name not in runs[:i]]
        scripts.insert(draw(st.sampled_from([*begins, len(scripts)])), Script("g", container))
    for name in "yz"[: draw(st.sampled_from([0, 0, 1, 2]))]:
        session = draw(st.sampled_from([FINALLY, FINALLY, "s0"]))
        when, limit = draw(st.sampled_from([*When, When.ALWAYS])), draw(st.integers(0, 1))
        retries = Retries(limit, draw(st.sampled_from([0, 30])), on_reasons=draw(BUDGETS))
        work = Source("def main(): pass")
        scripts.append(Script(name, work, {}, session, retries=retries, when=when))
    return scripts, sessions, draw(st.sampled_from([None, None, 300]))


class Simulation(RuleBasedStateMachine):
    """The rules: whatever may happen, at any time, in any order."""

    steps = steps_after_a_resume = given = 0
    ended: set[str] = set()  # noqa: RUF012  # what the whole run has seen, on purpose
    changes: Counter[bool] = Counter()  # noqa: RUF012  # as above: refused for a checkpoint, or not

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.asked = 0
        self.late: tuple[InMemoryJobUnitOfWork, Observations] | None = None

    @initialize(job=jobs())
    def begin(self, job: tuple[list[Script], list[Session], float | None]) -> None:
        self.world = World(*job)

    # What mostly happens, until something else does.

    @rule(fates=st.lists(FATES, min_size=1, max_size=8))
    def scripts_run_and_the_coordinator_follows(self, fates: list[Fate]) -> None:
        for fate in fates:
            self.world.coordinate(self.world.read(0, None, detect_end=True))
            self.world.run_one_script(fate)

    @precondition(lambda self: self.world.live())
    @rule(fate=FATES)
    def a_session_runs_its_next_script(self, fate: Fate) -> None:
        self.world.run_one_script(fate)

    @precondition(lambda self: self.world.open_session())
    @rule()
    def the_supervisor_dies(self) -> None:
        session = self.world.open_session()
        assert session
        session.dead = True

    # The coordinator.

    @rule(start=SIZES, end=SIZES)
    def the_coordinator_reads_some_of_the_log(self, start: int, end: int) -> None:
        self.world.coordinate(self.world.read(start, end))

    @rule(start=SIZES, end=SIZES)
    def the_end_of_the_log_is_lost(self, start: int, end: int) -> None:
        self.world.coordinate(self.world.read(start, end, detect_end=True))

    @rule()
    def the_coordinator_looks_again(self) -> None:
        self.world.coordinate(Observations())

    @rule(start=SIZES, end=SIZES, before=st.booleans())
    def the_coordinator_crashes_at_its_commit(self, start: int, end: int, before: bool) -> None:
        seen = self.world.read(start, end, detect_end=True)
        self.world.coordinate(seen, commits=not before, acts=False)

    @rule(seconds=st.sampled_from([1, 30, 200]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.time += seconds

    # A second coordinator, which believes that it is the only one.

    @rule(start=SIZES, end=SIZES)
    def a_second_coordinator_loads_the_job_and_falls_asleep(self, start: int, end: int) -> None:
        uow = InMemoryJobUnitOfWork(self.world.repository)
        uow.__enter__()
        uow.jobs.get("job")
        self.late = (uow, self.world.read(start, end, detect_end=True))

    @precondition(lambda self: self.late is not None)
    @rule()
    def the_second_coordinator_wakes_up(self) -> None:
        assert self.late is not None
        (uow, seen), self.late = self.late, None
        job = uow.jobs.get("job")
        known = len(job.events)
        overtaken = len(self.world.job().events) > known
        self.world.reconcile(job, seen)
        try:
            uow.commit()
        except Conflict:
            assert overtaken
            self.world.coordinate(seen)  # it loads the job, folds the same again, and acts on that
        else:
            assert not overtaken or len(job.events) == known, "it overwrote what it had not seen"
            self.world.act(job)

    # The user.

    @rule(wish=WISHES)
    def the_user_wishes(self, wish: Action) -> None:
        self.world.coordinate(Observations(), wish)

    @rule(action=ACTIONS, place=SIZES, crash=CRASHES, twice=st.booleans())
    def somebody_acts(self, action: Ask, place: int, crash: str, twice: bool) -> None:
        names = list(self.world.job().rows)
        self.asked += 1
        asked = action(names[place % len(names)], f"a{self.asked}")
        self.world.do_action(asked, commits=crash != "before")
        if crash == "no":
            self.world.coordinate(Observations())
        if twice:
            self.world.do_action(asked)

    @precondition(lambda self: self.world.job().state in ENDED or self.world.job().paused)
    @rule(place=SIZES, explicit=st.booleans(), change=st.none() | SIZES | SIZES)
    def the_user_resumes(self, place: int, explicit: bool, change: int | None) -> None:
        job = self.world.job()
        names = list(job.rows)
        undone = next(
            (i for i, name in enumerate(names) if not job.rows[name].done), len(names) - 1
        )
        start = names[place % (undone + 1)] if explicit and not job.paused else ""
        if change is not None:
            definition = self.world.changed(names[change % len(names)])
            why = self.world.do_action(Resume(from_script=start, definition=definition))
            self.changes["is kept" in why] += 1
        self.world.do_action(Resume(from_script=start))

    # What holds, whatever happened.

    @invariant()
    def count(self) -> None:
        type(self).steps += 1
        if hasattr(self, "world"):
            type(self).steps_after_a_resume += self.world.job().resumes > 0

    @invariant()
    def nothing_that_was_committed_is_lost(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        """Once nothing breaks any more, the job ends."""
        if not hasattr(self, "world"):
            return
        if self.late:
            self.late[0].__exit__(None, None, None)
        world = self.world
        for _ in range(200):
            world.coordinate(world.read(0, None, detect_end=True))
            if world.job().finished:
                break
            if str(world.job().state) == "Suspended":
                world.coordinate(Observations(), Unsuspend(), Resume())
            world.run_one_script(SUCCEEDS)
            world.clock.time += 2
        assert world.job().finished
        world.check()
        world.check_history()
        self.ended.add(str(world.job().state))
        type(self).given += world.handed_on.count


@pytest.mark.timeout(400)  # on a machine that is busy with something else
def test_the_guarantees_hold_in_twenty_thousand_steps() -> None:
    run_machine(
        Simulation,
        settings=settings(
            max_examples=600,
            stateful_step_count=50,
            deadline=None,
            derandomize=IN_CI,
            # Nobody waits for minutes of shrinking there: the same failure comes again elsewhere.
            phases=[Phase.generate] if IN_CI else [Phase.generate, Phase.shrink],
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert Simulation.steps >= 20_000
    assert Simulation.steps_after_a_resume >= 4_000
    assert Simulation.given >= 100, "scripts are given outputs of others"
    assert Simulation.ended >= {"Succeeded", "Failed", "Cancelled"}


@st.composite
def jobs_with_checkpoints(draw: st.DrawFn) -> tuple[list[Script], list[Session], float | None]:
    """Describe jobs of one session that are mostly resumed behind a checkpoint, after a setup."""
    work, often = Source("def main(): pass"), st.sampled_from([True, True, True, False])
    first = Script("a", work, {}, "s0", setup=True)
    others = [Script(name, work, {}, "s0", checkpoint=draw(often)) for name in "bcd"]
    return [first, *others], [Session("s0")], None


class Changing(Simulation):
    """The same, of jobs where a change may be to what a kept checkpoint was made from."""

    @initialize(job=jobs_with_checkpoints(), passing=st.integers(1, 3))
    def begin(
        self, job: tuple[list[Script], list[Session], float | None], passing: int = 0
    ) -> None:
        """Begin with a job one of whose later scripts has failed, resumed with another setup."""
        super().begin(job)
        for fate in [*[SUCCEEDS] * passing, FAILS, SUCCEEDS]:
            self.world.coordinate(self.world.read(0, None, detect_end=True))
            self.world.run_one_script(fate)
        self.world.coordinate(self.world.read(0, None, detect_end=True))
        assert self.world.job().finished
        why = self.world.do_action(Resume(definition=self.world.changed("a")))
        self.changes["is kept" in why] += 1
        self.world.do_action(Resume())


def test_a_kept_checkpoint_vouches_only_for_what_it_was_made_from() -> None:
    run_machine(
        Changing,
        settings=settings(
            max_examples=100,
            stateful_step_count=30,
            deadline=None,
            derandomize=IN_CI,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert min(Changing.changes[True], Changing.changes[False]) > 10
