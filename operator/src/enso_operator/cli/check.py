"""``enso check``: runs a job of one script in the cluster, as `helm test` does after an install."""

from __future__ import annotations

import secrets
import sys
import time

from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.kube.client import Document, NoSuchObject, Objects
from enso_operator.kube.connection import NotConnected, check_namespace, client_of, explained
from enso_operator.kube.unit_of_work import KIND
from job_execution_framework.domain.errors import Conflict, EnsoError

PASSED, FAILED, COULD_NOT_CHECK = 0, 1, 2
"""Exit codes."""
LOOK_SECONDS = 0.5
KEPT_SECONDS = 3600
"""How long a job stays that did not succeed, for people to look at."""
SOURCE = "def main(): print('enso runs scripts here')"


def check(*, namespace: str, seconds: float) -> int:
    """Create the job, wait for its end, remove it if all went well; return the exit code."""
    try:
        jobs = _jobs(namespace)
        document = _created(jobs)
        where = f"ensojob/{document['metadata']['name']} in namespace {jobs.namespace}"
        print(f"enso: created {where}", flush=True)
        document = _ended(jobs, document, seconds)
        state = _condition(document, "Succeeded").get("reason")
        print(f"enso: it is {state}", flush=True)
        if state == "Succeeded":
            _remove(jobs, document)
            return PASSED
        if _condition(document, "Finished").get("status") == "True":
            print("\n".join(document["status"].get("why", ())))
            return FAILED
    except EnsoError as error:
        return _refuse(str(error))
    advice = f"kubectl -n {jobs.namespace} describe {where.split(maxsplit=1)[0]}"
    said = _condition(document, "Succeeded").get("message") or "no operator has looked at it"
    return _refuse(f"it has not ended within {seconds:g} s: {said}. Look at it with: {advice}")


def _jobs(namespace: str) -> Objects:
    client, configured = client_of(1)
    jobs = Objects(client, namespace or configured or "default", KIND)
    check_namespace(jobs.namespace)
    return jobs


def _created(jobs: Objects) -> Document:
    with explained(jobs.client):
        try:
            return jobs.create(_job())
        except NoSuchObject as error:
            if "namespace" in str(error):
                raise NotConnected(f"there is no namespace {jobs.namespace!r}") from error
            raise


def _job() -> Document:
    return {
        "apiVersion": API_VERSION,
        "kind": "EnsoJob",
        "metadata": {"name": f"enso-check-{secrets.token_hex(4)}"},
        "spec": {
            "scripts": [{"name": "say-so", "source": SOURCE}],
            "ttlSecondsAfterFinished": KEPT_SECONDS,
        },
    }


def _ended(jobs: Objects, document: Document, seconds: float) -> Document:
    """Return the job once it has ended, or as it is when the time is over."""
    name, end = document["metadata"]["name"], time.monotonic() + seconds
    while _condition(document, "Finished").get("status") != "True" and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        try:
            document = jobs.get(name)
        except NoSuchObject as error:
            raise NotConnected(f"somebody deleted {name}, the job of this check") from error
    return document


def _remove(jobs: Objects, document: Document) -> None:
    """Delete the job; whatever the operator still writes into its status is no reason to fail."""
    name = document["metadata"]["name"]
    while True:
        try:
            now = jobs.get(name)["metadata"]
            return jobs.delete(name, now["uid"], now["resourceVersion"])
        except NoSuchObject:
            return None
        except Conflict:
            continue


def _condition(document: Document, kind: str) -> Document:
    status: Document = document.get("status") or {}
    conditions: list[Document] = status.get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), Document())


def _refuse(sentence: str) -> int:
    print(f"enso: {sentence}", file=sys.stderr)
    return COULD_NOT_CHECK
