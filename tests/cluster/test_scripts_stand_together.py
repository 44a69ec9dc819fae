"""Which scripts stand together, the API server and the domain say alike, of any arrangement."""

from __future__ import annotations

from itertools import product

import pytest
from kubernetes.client import ApiClient

from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.client import Refused, path_of, request
from enso_operator.manifests.render import parse_ensojob
from enso_operator.manifests.to_domain import job_definition
from job_execution_framework.domain.errors import InvalidJob
from tests.support.resources import Document, of_scripts

TOGETHER = "must stand together, with nothing between them"
FIRST: Document = {}
IN_B: Document = {"session": "b"}
CONTAINER: Document = {"container": {"image": "curl"}}
MOST = 5


def refused_by_the_api_server(client: ApiClient, document: Document) -> str:
    path = path_of("default", "ensojobs", API_VERSION)
    try:
        request(client, "POST", path, document, query={"dryRun": "All"})
    except Refused as error:
        return str(error)
    return ""


def refused_by_the_domain(document: Document) -> str:
    try:
        job_definition(parse_ensojob(document))
    except InvalidJob as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("sessions", "kinds"),
    [
        ({}, (FIRST, CONTAINER)),
        ({"sessions": []}, (FIRST, CONTAINER)),
        ({"sessions": [{"name": "a"}]}, (FIRST, CONTAINER)),
        ({"sessions": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}, (FIRST, IN_B, CONTAINER)),
    ],
    ids=["none", "an empty list", "one", "three"],
)
def test_both_refuse_the_same(
    client: ApiClient, sessions: Document, kinds: tuple[Document, ...]
) -> None:
    arrangements = [*product(kinds, repeat=MOST)]
    refused = 0
    for arrangement in arrangements:
        document = of_scripts(*arrangement, **sessions)
        told = refused_by_the_api_server(client, document)
        assert (TOGETHER in told) == (TOGETHER in refused_by_the_domain(document)), arrangement
        assert not told or TOGETHER in told, arrangement
        refused += bool(told)
    assert 0 < refused < len(arrangements)
