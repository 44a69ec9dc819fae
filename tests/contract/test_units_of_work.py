"""The contract of units of work, for each kind of store.

Several units of work share a store. Another kind of store needs another class in `STORES`; or, as
in tests/cluster, a module with a fixture `store` that imports these tests with `import *`, which
leaves out the fixture of this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from job_execution_framework.domain import events
from job_execution_framework.domain.errors import Conflict, EnsoError, JobNotFound
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.outputs import Output
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.runtime.journal import Journal, JournalUnitOfWork
from job_execution_framework.service_layer.unit_of_work import (
    InMemoryJobUnitOfWork,
    InMemoryRepository,
    JobUnitOfWork,
)
from tests.support.decisions import decisions
from tests.support.history import CAUSE, events_until_failure
from tests.support.jobs import job_of


class Store(Protocol):
    """A store of jobs; with `holds_one` it has one job, whose definition it knows in advance."""

    holds_one: bool
    keeps_events: bool
    """Whether events are stored in full; if not, only what decisions depend on."""

    def unit_of_work(self) -> JobUnitOfWork: ...


class StoreOnDisk(Store, Protocol):
    """A store that is created from a folder."""

    def __init__(self, folder: Path) -> None: ...


class InMemory:
    holds_one, keeps_events = False, True

    def __init__(self, folder: Path) -> None:
        del folder
        self.repository = InMemoryRepository()

    def unit_of_work(self) -> JobUnitOfWork:
        return InMemoryJobUnitOfWork(self.repository)


class OnDisk:
    holds_one, keeps_events = True, True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal"

    def unit_of_work(self) -> JobUnitOfWork:
        return JournalUnitOfWork(new_job(), Journal(self.path))


STORES: list[type[StoreOnDisk]] = [InMemory, OnDisk]


@pytest.fixture(name="store", params=STORES, ids=lambda kind: kind.__name__)
def _on_this_machine(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    kind: type[StoreOnDisk] = request.param
    return kind(tmp_path)


def new_job() -> Job:
    return job_of("open.setup do.retry1 ; render")


def add(uow: JobUnitOfWork) -> None:
    with uow:
        job = new_job()
        job.record(events.JobAdded(at=1, scripts=tuple(job.rows)))
        uow.jobs.add(job)
        uow.commit()


def start(job: Job) -> None:
    job.record(events.JobStarted(at=2))


def assert_same(store: Store, loaded: Job, job: Job) -> None:
    assert decisions(loaded, 100) == decisions(job, 100)
    assert loaded.cursors == job.cursors
    if store.keeps_events:
        assert loaded == job
        assert loaded.events == job.events


def test_what_is_committed_is_there_for_everybody(store: Store) -> None:
    add(store.unit_of_work())
    job = store.unit_of_work().jobs.get("job")
    assert str(job.state) == "Waiting"
    assert [type(event) for event in job.events] == [events.JobAdded]
    assert job.events[0].details() == "open, do, render"


def test_leaving_without_a_commit_rolls_back(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with uow:
        start(uow.jobs.get("job"))
    assert str(uow.jobs.get("job").state) == "Waiting"
    assert str(store.unit_of_work().jobs.get("job").state) == "Waiting"


def test_an_exception_rolls_back_what_came_after_the_last_commit(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)

    def breaks() -> None:
        with uow:
            job = uow.jobs.get("job")
            start(job)
            uow.commit()
            job.record(events.JobSuspended(at=3))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert str(store.unit_of_work().jobs.get("job").state) == "Running"


def test_rollback_forgets_at_once(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with uow:
        start(uow.jobs.get("job"))
        uow.rollback()
        assert str(uow.jobs.get("job").state) == "Waiting"
        uow.commit()
    assert str(uow.jobs.get("job").state) == "Waiting"


def test_a_job_that_was_not_committed_was_never_added(store: Store) -> None:
    uow = store.unit_of_work()
    with uow:
        job = new_job()
        job.record(events.JobAdded(at=1))
        uow.jobs.add(job)
        assert uow.jobs.get("job") is job
    assert uow.jobs.all() == []
    if not store.holds_one:
        with pytest.raises(JobNotFound):
            uow.jobs.get("job")


def test_an_unknown_job_is_not_found(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with pytest.raises(JobNotFound, match="'jbo'"):
        uow.jobs.get("jbo")
    with uow, pytest.raises(JobNotFound, match="'jbo'"):
        uow.jobs.get("jbo")


def test_inside_of_with_a_job_is_one_object_and_outside_a_copy(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with uow:
        assert uow.jobs.get("job") is uow.jobs.get("job")
    outside = uow.jobs.get("job")
    start(outside)
    assert str(uow.jobs.get("job").state) == "Waiting"


def test_a_commit_outside_of_with_is_an_error(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with pytest.raises(EnsoError, match="outside of a `with` block"):
        uow.commit()


def test_a_concurrent_change_raises_conflict_and_overwrites_nothing(store: Store) -> None:
    add(store.unit_of_work())
    first, second = store.unit_of_work(), store.unit_of_work()
    with first, second:
        start(first.jobs.get("job"))
        second.jobs.get("job").record(events.JobCancelled(at=2, by="ann"))
        first.commit()
        for _ in range(2):
            with pytest.raises(Conflict):
                second.commit()
    assert str(first.jobs.get("job").state) == "Running"
    assert str(store.unit_of_work().jobs.get("job").state) == "Running"


def test_after_a_conflict_the_job_is_loaded_again_and_decided_again(store: Store) -> None:
    add(store.unit_of_work())
    first, second = store.unit_of_work(), store.unit_of_work()
    with second:
        start(second.jobs.get("job"))
        with first:
            start(first.jobs.get("job"))
            first.commit()
        with pytest.raises(Conflict):
            second.commit()
        second.rollback()
        second.jobs.get("job").record(events.JobCancelled(at=3))
        second.commit()
    assert str(first.jobs.get("job").state) == "Cancelled"


def test_an_id_is_taken_only_once(store: Store) -> None:
    first = store.unit_of_work()
    add(first)
    with first:
        start(first.jobs.get("job"))
        first.commit()
    with pytest.raises(Conflict):
        add(store.unit_of_work())
    assert str(first.jobs.get("job").state) == "Running"


def test_a_commit_that_changes_nothing_disturbs_nobody(store: Store) -> None:
    first, second = store.unit_of_work(), store.unit_of_work()
    add(first)
    with first, second:
        start(first.jobs.get("job"))
        first.commit()
        second.jobs.get("job")
        first.jobs.get("job").record(events.JobCancelled(at=3))
        first.commit()
        second.commit()
    assert str(second.jobs.get("job").state) == "Cancelled"


def test_a_job_may_be_committed_many_times(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with uow:
        job = uow.jobs.get("job")
        for event in events_until_failure(job):
            job.apply(event)
            uow.commit()
            assert_same(store, store.unit_of_work().jobs.get("job"), job)


def test_what_is_loaded_equals_what_was_committed(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with uow:
        job = uow.jobs.get("job")
        for event in events_until_failure(job):
            job.apply(event)
        uow.commit()
    for loaded in (store.unit_of_work().jobs.get("job"), uow.jobs.get("job")):
        assert_same(store, loaded, job)
        earlier = loaded.rows["do"].earlier[0].cause
        assert earlier
        assert earlier.reason == CAUSE.reason
        assert loaded.rows["do"].output == Output({"frames": [1, 2]}, 2)
        if store.keeps_events:
            assert earlier == CAUSE


def test_what_a_process_holds_in_its_hands_is_not_stored(store: Store) -> None:
    uow = store.unit_of_work()
    add(uow)
    with uow:
        job = uow.jobs.get("job")
        job.may_start = frozenset(job.rows)  # this process runs it
        start(job)
        uow.commit()
    assert uow.jobs.get("job").may_start is None
    assert store.unit_of_work().jobs.get("job").may_start is None


def test_jobs_are_listed_the_oldest_first(store: Store) -> None:
    uow = store.unit_of_work()
    assert uow.jobs.all() == []
    add(uow)
    if not store.holds_one:
        with uow:
            for name in ("b", "a"):
                job = Job(name, (Script("do", Source("def main(): pass")),))
                job.record(events.JobAdded(at=1))
                uow.jobs.add(job)
            uow.commit()
    expected = ["job"] if store.holds_one else ["job", "b", "a"]
    assert [job.id for job in store.unit_of_work().jobs.all()] == expected
    assert [job.id for job in uow.jobs.all()] == expected


def test_a_record_that_was_torn_off_in_a_journal_is_cut_off_by_the_next_one(tmp_path: Path) -> None:
    store = OnDisk(tmp_path)
    add(store.unit_of_work())
    with store.path.open("ab") as file:
        file.write(b'{"v":1,"type":"JobSta')
    uow = store.unit_of_work()
    with uow:
        start(uow.jobs.get("job"))
        uow.commit()
    assert str(store.unit_of_work().jobs.get("job").state) == "Running"
    assert [len(line) > 0 for line in store.path.read_bytes().split(b"\n")] == [True, True, False]


def test_a_listener_is_told_of_each_event_that_is_committed_once(store: Store) -> None:
    uow, refused = store.unit_of_work(), store.unit_of_work()
    notified, unexpected = list[tuple[str, str]](), list[str]()

    def listener(job: Job, new: Sequence[events.Event]) -> None:
        notified.extend((type(event).__name__, str(job.state)) for event in new)

    uow.listeners.append(listener)
    refused.listeners.append(lambda job, _: unexpected.append(job.id))
    add(uow)
    with uow, refused:
        uow.jobs.get("job").record(events.JobSuspended(at=2))
        uow.rollback()
        start(refused.jobs.get("job"))
        start(uow.jobs.get("job"))
        uow.commit()
        uow.commit()
        with pytest.raises(Conflict):
            refused.commit()
    assert notified == [("JobAdded", "Waiting"), ("JobStarted", "Running")]
    assert unexpected == []


def test_a_listener_that_raises_is_logged_and_harms_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    uow, notified = store.unit_of_work(), list[str]()

    def breaks(*_: object) -> None:
        raise OSError("the queue is away")

    def listener(job: Job, _: object) -> None:
        notified.append(str(job.state))

    uow.listeners += [breaks, listener]
    add(uow)
    with uow:
        start(uow.jobs.get("job"))
        uow.commit()
    assert notified == ["Waiting", "Running"]
    assert str(store.unit_of_work().jobs.get("job").state) == "Running"
    assert caplog.text.count("OSError: the queue is away") == 2
