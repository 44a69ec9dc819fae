"""Sessions as Pods: created with a scheduling gate, released once, followed by their logs.

A Pod's name is unique only while the Pod exists, so only the Pod whose uid was committed may start.
A Pod that was created late stays gated, and is removed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import cached_property

from enso_operator.api.document import Document
from enso_operator.api.pod_fields import PodFields
from enso_operator.api.v1alpha1 import EnsoJobSpec
from enso_operator.coordinator.session_location import SessionLocation
from enso_operator.kube.client import Taken, waiting
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.on_loop import on_loop
from enso_operator.sessions.pods import names, state
from enso_operator.sessions.pods.container import ContainerFollower
from enso_operator.sessions.pods.demand import OutOfQuota
from enso_operator.sessions.pods.follower import PodFollower
from enso_operator.sessions.pods.logs import PodLogs
from enso_operator.sessions.pods.manifest import SessionPod, present
from enso_operator.sessions.pods.opening import OpeningPod, OpeningPods
from enso_operator.sessions.pods.places import Place
from enso_operator.sessions.pods.pod_api import PodApi, owner_of
from enso_operator.sessions.pods.policy import check_output_directory, check_pod
from enso_operator.sessions.pods.run_ref import RunRef
from enso_operator.sessions.pods.shared_reads import SharedReads
from enso_operator.settings import PodSettings
from job_execution_framework.domain.cause import Reason
from job_execution_framework.domain.control import GO_ON, SessionControl
from job_execution_framework.domain.errors import Conflict, InvalidJob, Unavailable
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import FINALLY, Container
from job_execution_framework.service_layer.clock import Clock
from job_execution_framework.service_layer.observations import Observations
from job_execution_framework.service_layer.plan import Plan

SETTLE_SECONDS = 5.0
"""Time beyond a Pod's grace that its node may take to end it after a deletion by force."""


class PodSessions:
    """The session runs of one EnsoJob."""

    def __init__(  # noqa: PLR0913  # what a session stands on
        self,
        ensojob: EnsoJobObject,
        api: PodApi,
        logs: PodLogs,
        settings: PodSettings,
        clock: Clock,
        on_following: Callable[[PodFollower | None, str], None],
        *,
        place: Place,
        reads: SharedReads,
        opening: OpeningPods,
    ) -> None:
        self._ensojob, self._api, self._logs, self._place = ensojob, api, logs, place
        self._reads = reads
        self._settings, self._clock, self._on_following = settings, clock, on_following
        self._followers: dict[str, PodFollower] = {}
        self._controls: dict[str, SessionControl] = {}
        self._planned = ""
        """Name of the plan's ConfigMap that is known to exist."""
        self._opening_pods = opening
        self._opening: OpeningPod | None = None
        """The claim to the Pod that is being created, until it is followed."""
        self.location = SessionLocation()
        """Where the latest session run is."""

    @cached_property
    def _spec(self) -> EnsoJobSpec:
        try:
            return self._ensojob.resource.spec
        except InvalidJob:
            if self._ensojob.broken is None:
                raise
            # No session is opened with a broken spec; an open one is followed to its end.
            return EnsoJobSpec.model_construct(sessions=[], scripts=[])

    def use(self, ensojob: EnsoJobObject) -> None:
        """Take the object as it was loaded: a run of a template is known only from then on."""
        if ensojob.expansion is not self._ensojob.expansion:
            self._ensojob = ensojob
            vars(self).pop("_spec", None)

    def check(self, job: Job) -> None:
        """Raise InvalidJob where a session asks for what the operator's settings do not allow."""
        sessions = [present(self._spec, session) for session in job.sessions]
        for session in sessions:
            check_pod(session, f"spec.sessions[{session.name}]", self._settings)
            check_output_directory(session, f"spec.sessions[{session.name}]")
        for entry in self._spec.every_script:
            if entry.container:
                path = f"spec.scripts[{entry.name}].container"
                check_pod(entry.container, path, self._settings)
        bare = {session.name for session in sessions if not session.image}
        if FINALLY not in {session.name for session in sessions} and sessions[0].name in bare:
            bare.add(FINALLY)
        for script in job.scripts:
            is_bare = not isinstance(script.work, Container) and script.session in bare
            if is_bare and not self._settings.session_image:
                raise InvalidJob(
                    f"session {script.session!r} names no image, and the operator has no default: "
                    "add spec.sessions[].image, or start the operator with --session-image"
                )

    async def open(self, plan: Plan) -> str:
        """Create the Pod, gated, or adopt the one of an earlier call; return its uid.

        Raises Queued where a quota has no room for it.
        """
        self._opening = self._opening_pods.claim(self._ensojob.namespace, self._pod(plan.run))
        with self._place.trying(), waiting(Reason.FAILED_CREATE):
            uid = await on_loop(self._open, plan)
        self.location = SessionLocation(pod=self._pod(plan.run))
        return uid

    async def release(self, run: str, uid: str) -> None:
        """Remove the gate of the Pod of this uid, unless its control stops it anyway."""
        if not self._controls.get(run, GO_ON).stops:
            with waiting():  # a Pod that was released before, or is gone, is no error
                await on_loop(self._api.release, self._pod(run), uid)

    async def follow(self, run: str, uid: str, after: int = 0) -> AsyncGenerator[Observations]:
        """Yield the run's records after that number; the last observation says that it `ended`."""
        follower = self._followers[run] = self._follower(run, uid, after)
        self._on_following(follower, uid)
        if self._opening:
            follower.see(self._opening.seen)
            self._opening = None
        if run in self._controls:
            follower.on_control(self._controls[run])
        try:
            async with aclosing(follower.observations()) as following:
                async for observations in following:
                    yield observations
        finally:
            self._on_following(None, uid)
            del self._followers[run]

    async def tell(self, run: str, uid: str, control: SessionControl) -> None:
        """Send the control to the session; its follower ends a Pod that does not obey."""
        self._controls[run] = control
        if run in self._followers:
            self._followers[run].on_control(control)
        with waiting():
            await on_loop(self._api.send_control, self._pod(run), uid, control)

    async def reap(self, patience: float) -> None:
        """Need no unreleased Pod any more. Others stay for their logs, and go with the job."""
        del patience
        self._opening = None

    def _pod(self, run: str) -> str:
        return names.pod_name(self._ensojob.name, run, self._ensojob.uid)

    def _follower(self, run: str, uid: str, after: int) -> PodFollower:
        rows, session = self._ensojob.job().rows, names.session_of(run)
        own = rows[session].latest if after and session in rows else None
        run_ref = RunRef(
            run,
            self._pod(run),
            uid,
            tuple(rows),
            after,
            self._settle_seconds(run),
            attempt=own,
        )
        given = (
            run_ref,
            self._api,
            self._logs,
            self._reads,
            self._settings,
            self._clock,
            self._on_location_changed,
        )
        containers = (
            script
            for script in self._spec.every_script
            if script.container and script.name == session
        )
        if script := next(containers, None):
            return ContainerFollower(*given, timeout_seconds=script.timeout_seconds)
        return PodFollower(*given)

    def _settle_seconds(self, run: str) -> float:
        """Return how long to wait after an unseen end, before another run may follow."""
        fields: dict[str, PodFields] = {entry.name: entry for entry in self._spec.sessions}
        fields |= {
            entry.name: entry.container for entry in self._spec.every_script if entry.container
        }
        lost = fields.get(names.session_of(run))
        is_retried = lost is not None and lost.on_interrupted.policy == "Retry"
        return self._settings.termination_seconds + SETTLE_SECONDS if is_retried else 0.0

    def _on_location_changed(self, location: SessionLocation) -> None:
        self.location = location

    # By `on_loop`.

    def _open(self, plan: Plan) -> str:
        pod = SessionPod(self._ensojob, self._spec, plan, self._settings)
        config = None if pod.container else pod.config()
        name = str(config["metadata"]["name"]) if config else ""
        document = pod.pod(name)
        self._place.check(document)
        if config and name != self._planned:  # saves a call with each retry of a refused Pod
            self._place.check(config)
            self._api.create_plan(config)
            self._planned = name
        try:
            made = self._api.create(document)
        except OutOfQuota:  # it says so also of a name that is taken
            if not self._place.has_pod:
                raise
            made = self._adopted(document)
        except Taken:
            made = self._adopted(document)
        return str(made["metadata"]["uid"])

    def _adopted(self, wanted: Document) -> Document:
        """Return the existing Pod of this name, if this job owns it and its plan is the same.

        A gated Pod with an older plan is replaced. Raises InvalidJob, Unavailable, and Conflict
        where another operator has committed to that Pod meanwhile.
        """
        name = wanted["metadata"]["name"]
        found = self._api.get(name)
        if found is None or state.is_leaving(found):
            raise Unavailable(f"an earlier Pod {name} is going")
        if owner_of(found) != self._ensojob.uid:
            raise InvalidJob(f"a Pod {name} is there already, and is not this job's: delete it")
        if _plan(found) == _plan(wanted) or not state.is_gated(found):
            return found
        uid = found["metadata"]["uid"]
        if self._api.committed(self._ensojob.name) == uid:
            raise Conflict(f"Pod {name} was committed to by somebody else meanwhile")
        self._api.delete(name, uid)
        try:
            return self._api.create(wanted)
        except Taken as error:
            raise Unavailable(f"an earlier Pod {name} is going") from error


def _plan(pod: Document) -> object:
    return state.part(pod["metadata"], "annotations").get(names.PLAN)
