"""The revision of a status tells the API server that the operator writes it."""

from __future__ import annotations

from enso_operator.api.status import EnsoJobStatus, Ledger
from enso_operator.kube.merge_patch import merged
from enso_operator.kube.status.size import document_of, revised_patch

FRESH = EnsoJobStatus()


def status(revision: int | None, resumes: int, done: str = "0/1") -> EnsoJobStatus:
    return EnsoJobStatus(done=done, ledger=Ledger(revision=revision, resumes=resumes))


def written(before: EnsoJobStatus, after: EnsoJobStatus) -> EnsoJobStatus:
    document = merged(document_of(before), revised_patch(before, after))
    return EnsoJobStatus.model_validate(document)


def test_each_status_that_is_written_has_the_next_revision() -> None:
    first = written(FRESH, status(None, 0))
    assert first == status(1, 0)
    assert written(first, status(None, 1)) == status(2, 1)
    assert written(status(7, 1), status(None, 1, "1/1")) == status(8, 1, "1/1")


def test_nothing_is_written_where_nothing_has_changed() -> None:
    assert revised_patch(status(7, 1), status(None, 1)) == {}
    assert revised_patch(FRESH, FRESH) == {}


def test_a_status_of_an_earlier_release_gets_a_revision_with_its_next_change() -> None:
    assert revised_patch(status(None, 1), status(None, 1)) == {}
    assert written(status(None, 1), status(None, 2)) == status(1, 2)


def test_where_a_ledger_is_removed_its_revision_stays() -> None:
    ended = EnsoJobStatus(done="0/1")
    assert written(status(7, 3), ended) == status(8, 0)
    assert written(status(None, 3), ended) == status(1, 0)
