"""The rules between the fields of a resource, for manifests and for the operator.

The CRDs have the same rules as CEL (`cel.py`). The domain itself checks that names are unique,
that the session of a script exists and that the scripts of a session are consecutive
(`job_execution_framework.domain.script.check`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from enso_operator.api.ensoaction import EnsoActionSpec, ResumeSpec
from enso_operator.api.fields import PATTERN_HINTS, RESERVED_ANNOTATION, VARIABLE
from enso_operator.api.pod_fields import PodFields
from enso_operator.api.session_fields import EnvironmentVariable, Toleration, ValueFrom, Volume
from enso_operator.api.v1alpha1 import (
    MOST_SCRIPTS,
    EnsoJob,
    EnsoJobSpec,
    EnsoScript,
    EnsoScriptSpec,
    FinallySpec,
    ScriptSpec,
)
from enso_operator.api.work import ArgumentFrom, WorkSpec

EXACTLY_ONE_OF: dict[type[BaseModel], tuple[str, ...]] = {
    EnsoJobSpec: ("scripts", "template_ref"),
    ScriptSpec: ("script_ref", "source", "function", "container"),
    FinallySpec: ("script_ref", "source", "function", "container"),
    EnsoScriptSpec: ("source", "function"),
    ArgumentFrom: ("secret_key_ref", "output_of"),
    EnvironmentVariable: ("value", "value_from"),
    ValueFrom: ("secret_key_ref", "config_map_key_ref"),
    Volume: ("persistent_volume_claim", "config_map", "secret", "empty_dir", "nfs"),
}
"""Fields of a model of which exactly one must be set."""
CODE_FIELDS = {"script": ("source",), "session": ("image", "interpreter", "env")}
"""Fields by which a resume changes code: they need the same rights as creating a job."""
BLOCKS = ("resume", "pause", "skip")
"""Fields of an action with the options of one verb; each is named like its verb."""


def broken_rules(job: EnsoJob) -> Iterator[str]:
    """Yield a sentence, beginning with the field's path, for each rule that the job breaks."""
    yield from broken_spec_rules(job.spec, "spec")


def broken_spec_rules(spec: EnsoJobSpec, place: str) -> Iterator[str]:
    """Yield the same for a job's spec that stands at `place`: in a template it is spec.job."""
    yield from _exactly_one(place, spec)
    if spec.template_ref is None and spec.params:
        yield f"{place}.params are those of a template: remove them, or name it in templateRef"
    if spec.template_ref and spec.sessions:
        yield f"{place}.sessions come from the template: remove them, or templateRef"
    if spec.template_ref and spec.finally_:
        yield f"{place}.finally comes from the template: remove it, or templateRef"
    if len(spec.scripts) + len(spec.finally_) > MOST_SCRIPTS:
        yield f"{place} has more than {MOST_SCRIPTS} scripts, with those of finally"
    for session in spec.sessions:
        yield from _pod(session, f"{place}.sessions[{session.name}]")
    for script in spec.scripts:
        yield from _script(script, f"{place}.scripts[{script.name}]")
    for final in spec.finally_:
        yield from _script(final, f"{place}.finally[{final.name}]")


def broken_script_rules(script: EnsoScript) -> Iterator[str]:
    """Yield a sentence for each rule that an EnsoScript breaks."""
    yield from _exactly_one("spec", script.spec)


def broken_action_rules(spec: EnsoActionSpec) -> Iterator[str]:
    """Yield a sentence for each rule that an EnsoAction breaks."""
    for block in BLOCKS:
        if getattr(spec, block) is not None and block != spec.verb:
            yield f"spec.{block} means nothing with verb {spec.verb}: remove it"
    if spec.verb == "skip" and spec.skip is None:
        yield "spec.skip is not there: name the script to skip, as skip: {script: NAME}"
    if spec.resume:
        yield from broken_resume_rules(spec.resume, "spec.resume")


def broken_resume_rules(resume: ResumeSpec, path: str) -> Iterator[str]:
    """Yield a sentence for each rule that a resume at `path` breaks."""
    yield from _unique(f"{path}.skip", resume.skip)
    if resume.from_script in resume.skip:
        yield f"{path}.from is in skip, too: take it out of one of the two"
    yield from _unique(f"{path}.scripts", [script.name for script in resume.scripts])
    for script in resume.scripts:
        change_path = f"{path}.scripts[{script.name}].unsetArgs"
        yield from _unique(change_path, script.unset_args)
        for name in script.unset_args:
            if name in script.args:
                yield f"{change_path} has {name}, which is in args, too: remove one of the two"
    yield from _unique(f"{path}.sessions", [session.name for session in resume.sessions])
    for session in resume.sessions:
        change_path = f"{path}.sessions[{session.name}]"
        yield from _environment(session.env or [], f"{change_path}.env")
        yield from _tolerations(session.tolerations or [], f"{change_path}.tolerations")


def code_changes(resume: ResumeSpec) -> Iterator[tuple[str, str, str]]:
    """Yield each code change of a resume: `script` or `session`, its name, and the field."""
    for kind, changes in (("script", resume.scripts), ("session", resume.sessions)):
        for change in changes:
            for field in CODE_FIELDS[kind]:
                if field in change.model_fields_set:
                    yield kind, change.name, field


def _script(script: WorkSpec, path: str) -> Iterator[str]:
    yield from _exactly_one(path, script)
    names = [argument.name for argument in script.args_from]
    yield from _unique(f"{path}.argsFrom", names)
    for argument in script.args_from:
        argument_path = f"{path}.argsFrom[{argument.name}]"
        yield from _exactly_one(argument_path, argument)
        if argument.name in script.args:
            yield f"{argument_path} is in args, too: remove one of the two"
    if script.container is None:
        return
    yield from _pod(script.container, f"{path}.container")
    if script.session is not None:
        yield (
            f"{path}.session is {script.session!r}, but a container is a session of its own: "
            "remove it"
        )
    if script.args:
        yield (
            f"{path} has args, but a container has no main that takes them: use container.args and "
            "container.env"
        )
    own = {variable.name for variable in script.container.env}
    for name in names:
        if not re.match(VARIABLE, name):
            yield (
                f"{path}.argsFrom[{name}] is an environment variable, as this is a container: "
                f"{PATTERN_HINTS[VARIABLE]}"
            )
        if name in own:
            yield f"{path}.argsFrom[{name}] is in container.env, too: remove one of the two"


def _pod(pod: PodFields, path: str) -> Iterator[str]:
    """Yield the same for what sessions and containers have in common."""
    policy = pod.on_interrupted
    if policy.policy == "Fail" and policy.limit is not None:
        yield f"{path}.onInterrupted.limit means nothing with policy Fail: write policy: Retry"
    yield from _environment(pod.env, f"{path}.env")
    yield from _volumes(pod, path)
    yield from _tolerations(pod.tolerations, f"{path}.tolerations")
    for key in pod.pod_annotations:
        if re.match(RESERVED_ANNOTATION, key):
            yield f"{path}.podAnnotations[{key}] is Kubernetes' or enso's own: remove it"


def _tolerations(tolerations: Sequence[Toleration], path: str) -> Iterator[str]:
    for i, toleration in enumerate(tolerations):
        if toleration.key is None and toleration.operator != "Exists":
            yield f"{path}[{i}] has no key: add one, or operator: Exists"


def _environment(env: Sequence[EnvironmentVariable], path: str) -> Iterator[str]:
    yield from _unique(path, [variable.name for variable in env])
    for variable in env:
        variable_path = f"{path}[{variable.name}]"
        yield from _exactly_one(variable_path, variable)
        if source := variable.value_from:
            yield from _exactly_one(f"{variable_path}.valueFrom", source)


def _volumes(pod: PodFields, path: str) -> Iterator[str]:
    names = [volume.name for volume in pod.volumes]
    yield from _unique(f"{path}.volumes", names)
    for volume in pod.volumes:
        yield from _exactly_one(f"{path}.volumes[{volume.name}]", volume)
    yield from _unique(f"{path}.volumeMounts", [mount.mount_path for mount in pod.volume_mounts])
    for mount in pod.volume_mounts:
        if mount.name not in names:
            yield f"{path}.volumeMounts[{mount.name}] names none of the volumes: add it to volumes"


def _exactly_one(path: str, model: BaseModel) -> Iterator[str]:
    fields = EXACTLY_ONE_OF[type(model)]
    present = [field for field in fields if getattr(model, field) not in (None, [])]
    if not present:
        yield f"{path} has none of {', '.join(map(to_camel, fields))}: give it exactly one"
    elif len(present) > 1:
        yield f"{path} has {' and '.join(map(to_camel, present))}: keep exactly one"


def _unique(path: str, names: Sequence[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{path} has {name} more than once: remove all but one, or rename them"
