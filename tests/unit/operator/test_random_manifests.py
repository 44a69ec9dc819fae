"""Whatever a manifest says: it is refused with a sentence, or its job explains its state."""

from __future__ import annotations

import asyncio

import pytest

from enso_operator.api.rules import broken_rules
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.render import parse_ensojob
from job_execution_framework.domain.errors import InvalidJob
from tests.support.in_memory_operator import Operator, operate
from tests.support.random_manifests import (
    RandomManifests,
    count,
    is_settled,
    specs,
    unexplained,
)
from tests.support.resources import Document

MANIFESTS, RUN = 2000, 200
"""How many are made, and how many of the admitted ones are run."""
LEAST_ADMITTED = 0.05


def refusals(document: Document) -> list[str]:
    """Return why a manifest is refused, by the rules that the API server has as CEL."""
    try:
        return [*broken_rules(parse_ensojob(document))]
    except InvalidJob as error:
        return [str(error)]


@pytest.mark.timeout(3600)
def test_each_job_ends_or_waits_and_says_why() -> None:
    made = [RandomManifests(seed).of("EnsoJob", f"job-{seed}") for seed in range(count(MANIFESTS))]
    told = {document["metadata"]["name"]: refusals(document) for document in made}
    assert [name for name, why in told.items() if not all(why)] == []
    admitted = [document for document in made if not told[document["metadata"]["name"]]]
    assert len(admitted) >= LEAST_ADMITTED * len(made)
    del admitted[count(RUN) :]

    async def scenario(operator: Operator) -> None:
        for document in admitted:
            operator.create(document)
        async with asyncio.timeout(3000):
            while not all(is_settled(status) for _, status in statuses(operator)):  # noqa: ASYNC110  # it changes in other threads
                await asyncio.sleep(0.5)

    operator = operate(scenario)

    ended = statuses(operator)
    assert {name: missing for name, status in ended if (missing := unexplained(status))} == {}
    assert b"enso_actor_failures_total 0.0" in operator.metrics.text()[0]


def statuses(operator: Operator) -> list[tuple[str, Document]]:
    """Return the name and status of each job."""
    found = [EnsoJobObject(document) for document in operator.jobs.each()]
    return [(ensojob.name, ensojob.raw_status) for ensojob in found]


@pytest.mark.parametrize("kind", [*specs()])
def test_a_seed_makes_the_same_manifest_of_each_kind_again(kind: str) -> None:
    assert [RandomManifests(7).of(kind, "a") for _ in range(2)] == [
        RandomManifests(7).of(kind, "a")
    ] * 2
