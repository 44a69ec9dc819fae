"""The HTTP API's backend with EnsoJobs: creates and reads those of one namespace.

It keeps no state and runs nothing: the operator runs the jobs.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from enso_operator.api.ensoaction import EnsoActionSpec
from enso_operator.api.fields import NAME
from enso_operator.api.template import new_run_name
from enso_operator.api.v1alpha1 import TemplateReference
from enso_operator.blocking import MOST_AT_ONCE, pause_of
from enso_operator.http_api.cluster_actions import (
    Withdrawn,
    create_action,
    manifest_of,
    outcome_of,
    outcome_without,
    pending_outcome,
)
from enso_operator.http_api.cluster_reads import ClusterReads
from enso_operator.http_api.executed import what_helps
from enso_operator.http_api.port import ActionOutcome, Instructions
from enso_operator.kube.client import (
    Forbidden,
    NoSuchObject,
)
from enso_operator.kube.connection import LONGEST_NAMESPACE
from enso_operator.kube.ensoaction import ACTIONS
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.kube.library import SCRIPTS, EnsoScriptLibrary
from enso_operator.kube.objects import Objects
from enso_operator.kube.streams import Streams
from enso_operator.kube.templates import TEMPLATES, TemplateMissing, find
from enso_operator.manifests.template import PLACE, expanded, parse_spec, run_of
from enso_operator.manifests.to_domain import definition_of
from enso_operator.manifests.unsuspend import unsuspend_command
from job_execution_framework.domain.definition import Definition
from job_execution_framework.domain.errors import (
    Conflict,
    InvalidJob,
    JobAlreadyStarted,
    JobNotFound,
    Unavailable,
    Unreadable,
)
from job_execution_framework.domain.script import Script, declared_by
from job_execution_framework.domain.transitions import ENDED
from job_execution_framework.service_layer import services
from job_execution_framework.service_layer.clock import SystemClock
from job_execution_framework.service_layer.preflight import check_arguments

ANSWER_SECONDS = 10.0
"""How long the answer to an action waits for the operator."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0
"""Bounds of the pause before the action is read again."""
MOST_TRIES = 5
"""Tries to unsuspend a job that other writers change at the same time."""
MOST_NAMESPACES = 8
"""Namespaces whose jobs are kept for a caller."""

R = TypeVar("R")


class ClusterJobs(ClusterReads):
    """Implements `port.Jobs`."""

    def __init__(
        self, jobs: Objects, streams: Streams, most_calls: int = MOST_AT_ONCE, by: str = ""
    ) -> None:
        """`most_calls` are made at once; others wait for their turn.

        `by` is who asks, as the API server names them; "" where it asks for whoever comes.
        """
        super().__init__(jobs, streams, most_calls)
        self._most_calls = most_calls
        self._actions = jobs.beside(ACTIONS)
        self._by = by
        self._others = OrderedDict[str, ClusterJobs]()
        """The jobs of other namespaces that were asked for; who was asked for last is last."""

    def within(self, namespace: str) -> ClusterJobs:
        """Return the jobs of another namespace; a few are kept, with what they know."""
        if namespace == self._jobs.namespace:
            return self
        if len(namespace) > LONGEST_NAMESPACE or not re.fullmatch(NAME, namespace):
            raise JobNotFound(f"{namespace!r} is no namespace's name")
        if namespace not in self._others:
            jobs = self._jobs.within(namespace)
            self._others[namespace] = ClusterJobs(jobs, self._streams, self._most_calls, self._by)
        self._others.move_to_end(namespace)
        while len(self._others) > MOST_NAMESPACES:
            _, forgotten = self._others.popitem(last=False)
            forgotten.retire()
        return self._others[namespace]

    async def aclose(self) -> None:
        """End the watches; nobody may ask for anything any more."""
        for jobs in (self, *self._others.values()):
            await jobs.watch.changes.aclose()

    def retire(self) -> None:
        """End each watch when nobody listens to it any more, at once where nobody does."""
        for jobs in (self, *self._others.values()):
            jobs.watch.changes.retire()

    async def add(self, instructions: Instructions) -> str:
        """Create a suspended EnsoJob, named by the time: names of one second sort by age.

        Raises InvalidJob, also for arguments that its scripts do not take.
        """
        return await self._change(lambda: self._add(instructions))

    def _add(self, instructions: Instructions) -> str:
        scripts = Definition(services.scripts_of(instructions)).scripts
        self._check_arguments(scripts)
        return services.add(scripts, job_uow=self._unit_of_work(), job_id=_new_id())

    def _check_arguments(self, scripts: Sequence[Script]) -> None:
        with suppress(Forbidden):  # the operator, which may read them, compares them again
            library = EnsoScriptLibrary(self._jobs.beside(SCRIPTS))
            check_arguments(scripts, library, declared_by)

    async def add_run(self, template: str, params: Mapping[str, Any]) -> str:
        """Create a suspended EnsoJob that is a run of an EnsoJobTemplate, as `add` does."""
        return await self._change(lambda: self._add_run(template, params))

    def _add_run(self, template: str, params: Mapping[str, Any]) -> str:
        try:
            found, _ = find(TemplateReference(name=template), self._jobs.beside(TEMPLATES))
        except TemplateMissing as error:
            raise InvalidJob(str(error)) from error
        spec = parse_spec(expanded(found, params, "params"))
        self._check_arguments(definition_of(spec, PLACE).scripts)
        document = run_of(found, new_run_name(template), params)
        document["spec"]["suspend"] = True
        return EnsoJobObject(self._jobs.create(document)).name

    async def execute(self, job_id: str) -> str:
        """Set the job's spec.suspend to false; of several concurrent callers only one succeeds."""
        return await self._change(lambda: self._execute(job_id))

    async def act(self, spec: EnsoActionSpec, key: str) -> ActionOutcome:
        """Create an EnsoAction, and wait some time until the operator has acted on it."""
        ensojob = await self._call(lambda: self._ensojob(spec.job))
        asked_by = {"by": self._by} if self._by else {}
        document = manifest_of(spec.model_copy(update=asked_by), key, ensojob)
        name = await self._change(lambda: create_action(self._actions, document))
        loop = asyncio.get_running_loop()
        deadline, tries = loop.time() + ANSWER_SECONDS, 0
        while loop.time() < deadline:
            await asyncio.sleep(pause_of(tries, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
            tries += 1
            with suppress(Unavailable):  # the action exists, and may be done meanwhile
                try:
                    outcome = await self._call(lambda: outcome_of(self._actions, name))
                except Withdrawn:
                    now = await self._present(spec.job)
                    outcome = outcome_without(name, ensojob, now)
                if outcome is not None:
                    # A cancelled job may have been deleted at once.
                    now = await self._present(spec.job) or ensojob
                    return ActionOutcome(now.state, outcome, action=name)
        return ActionOutcome(
            ensojob.state, pending_outcome(ensojob.namespace, name), is_done=False, action=name
        )

    async def _present(self, job_id: str) -> EnsoJobObject | None:
        """Return the object as it is now; None where it was deleted."""
        try:
            return await self._call(lambda: self._ensojob(job_id))
        except JobNotFound:
            return None

    async def _change(self, call: Callable[[], R]) -> R:
        """Make a call that changes jobs: who asks for rows after it sees what it did."""
        try:
            return await self._call(call)
        finally:
            self._rows.forget()

    def _execute(self, job_id: str) -> str:
        for _ in range(MOST_TRIES):
            version = self._executable(job_id).version
            try:
                return EnsoJobObject(self._jobs.patch(job_id, version, {"suspend": False})).state
            except NoSuchObject as error:
                raise JobNotFound(f"job {job_id} is gone: somebody deleted it") from error
            except Conflict:
                continue
        raise Unavailable(f"others keep changing job {job_id}: try again")

    def _executable(self, job_id: str) -> EnsoJobObject:
        """Return the object of a job that was not started yet; else raise JobAlreadyStarted."""
        with self._unit_of_work() as uow:
            with suppress(
                Unreadable, TemplateMissing
            ):  # a status of a newer operator need not be read here
                uow.jobs.get(job_id)
            ensojob = uow.ensojob(job_id)
        state, how = ensojob.state, what_helps(ensojob.state)
        if ensojob.is_suspended and state not in map(str, ENDED):
            if not ensojob.has_started:
                return ensojob
            how = f"let it go on with {unsuspend_command(ensojob.namespace, job_id)}"
        raise JobAlreadyStarted(f"job {job_id} is {state}, and a job is executed once; {how}")


def _new_id() -> str:
    milliseconds = int(SystemClock().now() * 1000)
    return f"job-{milliseconds:011x}{secrets.token_hex(3)}"
