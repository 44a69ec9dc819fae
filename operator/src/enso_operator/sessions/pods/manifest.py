"""Makes the Pod of a session run, and the ConfigMap with its plan, as documents.

`pod.py` has what all Pods have in common, `session_pod.py` and `container_pod.py` the containers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from enso_operator.api.document import Document
from enso_operator.api.pod_fields import PodFields
from enso_operator.api.v1alpha1 import EnsoJobSpec, SessionSpec
from enso_operator.api.work import ContainerSpec
from enso_operator.kube.ensojob import EnsoJobObject
from enso_operator.manifests.to_domain import PLATFORM
from enso_operator.sessions.pods import names
from enso_operator.sessions.pods.boot import PLAN_FILE
from enso_operator.sessions.pods.container_pod import digest_of, script_container
from enso_operator.sessions.pods.pod import pod_spec, secret_names
from enso_operator.sessions.pods.session_pod import (
    records_container,
    session_container,
    session_volumes,
)
from enso_operator.settings import PodSettings
from job_execution_framework.domain.events import ScriptStarted
from job_execution_framework.domain.script import FINALLY, Script, Session
from job_execution_framework.service_layer import controls
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import to_line


@dataclass(frozen=True)
class SessionPod:
    """The documents of one session run."""

    ensojob: EnsoJobObject
    spec: EnsoJobSpec
    plan: Plan
    settings: PodSettings

    @property
    def name(self) -> str:
        """The Pod's name."""
        return names.pod_name(self.ensojob.name, self.plan.run, self.ensojob.uid)

    @property
    def container(self) -> ContainerSpec | None:
        """The container of a container script; None for a session of scripts."""
        first = self.plan.lease[0]
        return next(script for script in self.spec.every_script if script.name == first).container

    @cached_property
    def session(self) -> SessionSpec:
        """The session as the job's present definition has it."""
        return present(self.spec, self.plan.session)

    def config(self) -> Document:
        """Return the plan as an immutable ConfigMap. Raises InvalidJob."""
        plan = replace(self.plan, secret_environment=secret_names(self.session.env))
        text = plan.to_json(texts=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": self._metadata(f"{self.name}-{digest}"),
            "immutable": True,
            "data": {PLAN_FILE.name: text},
        }

    def pod(self, plan: str) -> Document:
        """Return the Pod, gated; `plan` names the ConfigMap with its plan, if it has one.

        Raises InvalidJob where an argument of a container script is an output that is not there.
        """
        if self.container:
            spec = self._container_spec(self.container)
            own = {
                names.PLAN: digest_of(spec["containers"][0]),
                names.ATTEMPT: to_line(self._start()).decode(),
                names.TIMEOUT: f"{self._script.timeout_seconds or 0:g}",
            }
            return self._pod(self.container, own, spec)
        return self._pod(self.session, {names.PLAN: plan}, self._session_spec(plan))

    def _pod(self, fields: PodFields, annotations: dict[str, str], spec: Document) -> Document:
        metadata = self._metadata(self.name)
        metadata["labels"] = {**self._labels_of_job(), **metadata["labels"]}
        metadata["annotations"] = {
            **fields.pod_annotations,
            names.RUN: self.plan.run,
            names.CONTROL: "",
            names.CONTROL_VERSION: str(controls.VERSION),
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            **annotations,
        }
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def _session_spec(self, plan: str) -> Document:
        settings, deadline = self.settings, self.spec.active_deadline_seconds
        spec = pod_spec(self.session, settings, settings.termination_seconds, deadline)
        spec["containers"] = [session_container(self.session, self.plan, settings)]
        spec["initContainers"] = [records_container(settings)]
        spec["volumes"] += session_volumes(plan)
        return spec

    def _container_spec(self, container: ContainerSpec) -> Document:
        settings, deadline = self.settings, self.spec.active_deadline_seconds
        spec = pod_spec(container, settings, settings.grace_seconds, deadline)
        spec["containers"] = [script_container(container, self.plan, settings)]
        return spec

    def _metadata(self, name: str) -> Document:
        owner = self.ensojob.owner_reference | {
            "controller": True,
            # A foreground deletion of the job then waits for its scripts' clean-up.
            "blockOwnerDeletion": True,
        }
        labels = {
            names.MANAGED_BY: "enso-executer",
            names.JOB_LABEL: self.ensojob.name,
            names.JOB_UID_LABEL: self.ensojob.uid,
            names.SESSION_LABEL: names.label(self.plan.session.name),
        }
        return {
            "name": name,
            "namespace": self.ensojob.namespace,
            "labels": labels,
            "ownerReferences": [owner],
        }

    def _labels_of_job(self) -> dict[str, str]:
        return dict(self.ensojob.document["metadata"].get("labels") or {})

    @property
    def _script(self) -> Script:
        """The first script of the plan: the only one of a container."""
        return next(script for script in self.plan.scripts if script.name == self.plan.lease[0])

    def _start(self) -> ScriptStarted:
        """Return the container script's start, which its coordinator records when it sees it."""
        name = self.plan.lease[0]
        job = self.plan.job()
        attempt = job.rows[name].attempt + 1
        return replace(
            job.script_event(ScriptStarted, name, attempt, 0), origin=self.plan.run, seq=1
        )


def present(spec: EnsoJobSpec, session: Session) -> SessionSpec:
    """Return a session of the spec, with what resumes have changed of it."""
    matches = (entry for entry in spec.sessions if entry.name == session.name)
    # Where the job has none of this name it is as the first one.
    of_finally = spec.sessions[:1] if session.name == FINALLY else []
    unchanged = next(chain(matches, of_finally), SessionSpec(name=session.name)).model_dump(
        by_alias=True, exclude_unset=True, exclude=set(PLATFORM)
    )
    own = {"name": session.name, **(session.platform or {})}
    return SessionSpec.model_validate(unchanged | own)
