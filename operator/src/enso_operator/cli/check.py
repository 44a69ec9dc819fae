"""``enso check``: runs a job of one script in the cluster, as `helm test` does after an install."""

from __future__ import annotations

import secrets
import time

from kubernetes.client import ApiClient

from enso_operator.api.document import Document
from enso_operator.api.v1alpha1 import API_VERSION
from enso_operator.cli.display import refuse
from enso_operator.kube.client import ApiObjects, NoSuchObject
from enso_operator.kube.connection import NotConnected, configured, ensojobs, explained
from enso_operator.kube.ensojob import EnsoJobObject
from job_execution_framework.domain.errors import Conflict, EnsoError, Unavailable

PASSED, FAILED = 0, 1
"""Exit codes."""
POLL_SECONDS = 0.5
TTL_SECONDS = 3600
"""The time to live of a job that did not succeed, for people to look at."""
SOURCE = "def main(): print('enso runs scripts here')"


def check(*, namespace: str, seconds: float) -> int:
    """Create the job, wait for its end, remove it if all went well; return the exit code."""
    try:
        jobs = _jobs(namespace)
        ensojob = _create(jobs)
        where = f"ensojob/{ensojob.name} in namespace {jobs.namespace}"
        print(f"enso: created {where}", flush=True)
        ensojob = _wait_until_ended(jobs, ensojob, seconds)
        state = ensojob.condition("Succeeded").get("reason")
        print(f"enso: it is {state}", flush=True)
        if state == "Succeeded":
            _remove(jobs, ensojob.name)
            return PASSED
        if ensojob.is_finished:
            print("\n".join(ensojob.raw_status.get("why", ())))
            return FAILED
    except EnsoError as error:
        return refuse(str(error))
    advice = f"kubectl -n {jobs.namespace} describe {where.split(maxsplit=1)[0]}"
    message = ensojob.condition("Succeeded").get("message") or "no operator has looked at it"
    return refuse(f"it has not ended within {seconds:g} s: {message}. Look at it with: {advice}")


def _jobs(namespace: str) -> ApiObjects:
    configuration, own = configured(1)
    return ensojobs(ApiClient(configuration), namespace or own)


def _create(jobs: ApiObjects) -> EnsoJobObject:
    with explained(jobs.client):
        try:
            return EnsoJobObject(jobs.create(_job()))
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
            "ttlSecondsAfterFinished": TTL_SECONDS,
        },
    }


def _wait_until_ended(jobs: ApiObjects, ensojob: EnsoJobObject, seconds: float) -> EnsoJobObject:
    """Return the job once it has ended, or as it is after the time-out. Raises Unavailable then."""
    end = time.monotonic() + seconds
    while not ensojob.is_finished and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        try:
            ensojob = EnsoJobObject(jobs.get(ensojob.name))
        except NoSuchObject as error:
            why = f"somebody deleted {ensojob.name}, the job of this check"
            raise NotConnected(why) from error
        except Unavailable:  # for a moment, perhaps
            if time.monotonic() >= end:
                raise
    return ensojob


def _remove(jobs: ApiObjects, name: str) -> None:
    """Delete the job; try again if the operator changes its status meanwhile."""
    while True:
        try:
            ensojob = EnsoJobObject(jobs.get(name))
            return jobs.delete(name, ensojob.uid, ensojob.version)
        except NoSuchObject:
            return None
        except Conflict:
            continue
