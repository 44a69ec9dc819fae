"""What the wire models cannot express: keys of lists, and rules between fields, as CEL.

`crd.py` writes them into the CRDs, so that the API server refuses at once what `rules.py` and the
domain would refuse later. Two rules are not here, because CEL cannot read `args`, whose values
may have any type: that no argument is both in args and in argsFrom, and which names are allowed. A
third would cost too much: that no variable of a container is both in env and in argsFrom.
A job that is a run of a template has neither scripts nor sessions here: `rules.py` checks them.
"""

from __future__ import annotations

from pydantic import BaseModel

from enso_operator.api.cel_rule import Rule, exactly_one, formatted, let
from enso_operator.api.ensoaction import (
    EnsoActionSpec,
    EnsoActionStatus,
    ResumeSpec,
    ScriptChange,
    SessionChange,
)
from enso_operator.api.fields import PATTERN_HINTS, RESERVED_ANNOTATION
from enso_operator.api.pod_fields import OnInterrupted
from enso_operator.api.retries import RetriesSpec
from enso_operator.api.rules import BLOCKS
from enso_operator.api.script_rules import rules_of_each
from enso_operator.api.session_fields import EnvironmentVariable, Toleration, ValueFrom, Volume
from enso_operator.api.status import EnsoJobStatus
from enso_operator.api.template import EnsoJobTemplateSpec
from enso_operator.api.v1alpha1 import (
    MOST_SCRIPTS,
    EnsoJobSpec,
    EnsoScriptSpec,
    FinallySpec,
    ParameterSpec,
    ScriptSpec,
    SessionSpec,
)
from enso_operator.api.work import ArgumentFrom, ContainerSpec

IMMUTABLE = "field is immutable"


_POD_KEYS = {"env": "name", "volumes": "name", "volumeMounts": "mountPath"}
KEYS: dict[type[BaseModel], dict[str, str]] = {
    EnsoJobSpec: {"sessions": "name", "scripts": "name", "finally": "name"},
    SessionSpec: _POD_KEYS,
    ContainerSpec: _POD_KEYS,
    ScriptSpec: {"argsFrom": "name"},
    FinallySpec: {"argsFrom": "name"},
    EnsoScriptSpec: {"parameters": "name"},
    EnsoJobTemplateSpec: {"parameters": "name"},
    EnsoJobStatus: {"conditions": "type"},
    RetriesSpec: {"onReasons": "reason"},
    ResumeSpec: {"scripts": "name", "sessions": "name"},
    SessionChange: {"env": "name"},
    EnsoActionStatus: {"conditions": "type"},
}
"""Lists of type `map`: their items have a unique key, the value of this field."""
SETS: dict[type[BaseModel], frozenset[str]] = {
    ResumeSpec: frozenset({"skip"}),
    ScriptChange: frozenset({"unsetArgs"}),
}
"""Lists of type `set`: no text occurs twice. All other lists are atomic."""


def _only_for(field: str, *types: str) -> Rule:
    """Return the rule that a field of a parameter means nothing but with these types."""
    listed = ", ".join(f"'{name}'" for name in types)
    return Rule(
        f"!has(self.{field}) || !has(self.type) || self.type in [{listed}]",
        f"{field} means nothing but with type {' or '.join(types)}: remove one of the two",
        field=f".{field}",
    )


def _if_listed(listed: str, implied: str) -> str:
    """Return CEL: `listed` for a job that lists sessions, else `implied`: it has session main."""
    return f"has(self.sessions) && size(self.sessions) > 0 ? {listed} : {implied}"


_IS_LISTED = _if_listed("self.sessions.exists(one, one.name == {0})", "{0} == 'main'")
_HAS_UNKNOWN_SESSION = f"has(s.session) && !({_IS_LISTED.format('s.session')})"
_HAS_NAME_OF_SESSION = f"has(s.container) && ({_IS_LISTED.format('s.name')})"
# The names of the sessions, and for each script that of its session, "" for a container. Names are
# compared, as the API server makes a schema of an object each time that a rule looks into it.
_SESSION_NAMES = _if_listed("self.sessions.map(one, one.name)", "['main']")
_SESSION_OF_EACH = (
    "self.scripts.map(s, has(s.container) ? '' : has(s.session) ? s.session : sessions[0])"
)
_IS_SCATTERED = (
    "name in of_each && of_each.lastIndexOf(name) - of_each.indexOf(name) + 1 != "
    "of_each.filter(one, one == name).size()"
)


def _of_session_names(expression: str) -> str:
    within = let("of_each", _SESSION_OF_EACH, expression)
    return let("sessions", _SESSION_NAMES, within)


def _first(condition: str, field: str) -> str:
    return f"self.scripts.filter(s, {condition})[0].{field}"


_SESSIONS = (
    Rule(
        f"!has(self.scripts) || !self.scripts.exists(s, {_HAS_UNKNOWN_SESSION})",
        "a script names a session that the job does not have: add it to sessions",
        formatted(
            "script %s names session %s, which the job does not have: add it to sessions",
            _first(_HAS_UNKNOWN_SESSION, "name"),
            _first(_HAS_UNKNOWN_SESSION, "session"),
        ),
        ".scripts",
    ),
    Rule(
        f"!has(self.scripts) || !self.scripts.exists(s, {_HAS_NAME_OF_SESSION})",
        "a container script has the name of a session: rename one",
        formatted(
            "container script %s has the name of a session: rename one",
            _first(_HAS_NAME_OF_SESSION, "name"),
        ),
        ".scripts",
    ),
    Rule(
        "!has(self.scripts) || " + _of_session_names(f"!sessions.exists(name, {_IS_SCATTERED})"),
        "the scripts of one session must stand together, with nothing between them",
        formatted(
            "the scripts of session %s must stand together, with nothing between them",
            _of_session_names(f"sessions.filter(name, {_IS_SCATTERED})[0]"),
        ),
        ".scripts",
    ),
)

_FINALLY = (
    Rule(
        "!has(self.finally) || has(self.templateRef) || size(self.scripts) + size(self.finally) <= "
        f"{MOST_SCRIPTS}",
        f"a job has at most {MOST_SCRIPTS} scripts, with those of finally",
        field=".finally",
    ),
    Rule(
        "!has(self.finally) || !has(self.scripts) || "
        "!self.finally.exists(f, self.scripts.exists(s, s.name == f.name))",
        "a finally script has the name of another script: rename one",
        field=".finally",
    ),
    Rule(
        f"!has(self.finally) || !self.finally.exists(s, {_HAS_UNKNOWN_SESSION})",
        "a finally script names a session that the job does not have: add it to sessions",
        field=".finally",
    ),
    Rule(
        f"!has(self.finally) || !self.finally.exists(s, {_HAS_NAME_OF_SESSION})",
        "a container script has the name of a session: rename one",
        field=".finally",
    ),
)


def _action_blocks() -> tuple[Rule, ...]:
    """Return a rule for each block of an action: it is allowed only with its own verb."""
    return tuple(
        Rule(
            f"!has(self.{verb}) || self.verb == '{verb}'",
            f"{verb} means nothing with another verb: remove it, or write verb: {verb}",
            field=f".{verb}",
        )
        for verb in BLOCKS
    )


_POD_RULES = (
    Rule(
        "!has(self.volumeMounts) || sets.contains(has(self.volumes) ? "
        "self.volumes.map(one, one.name) : [], self.volumeMounts.map(mount, mount.name))",
        "a volumeMount names none of the volumes: add it to volumes",
        field=".volumeMounts",
    ),
    Rule(
        "!has(self.podAnnotations) || "
        f"self.podAnnotations.all(key, !key.matches(r'{RESERVED_ANNOTATION}'))",
        "an annotation is Kubernetes' or enso's own: remove it",
        field=".podAnnotations",
    ),
)
"""The rules of `PodFields`, for both models that have these fields."""


RULES: dict[type[BaseModel], tuple[Rule, ...]] = {
    EnsoJobSpec: (
        exactly_one(EnsoJobSpec),
        Rule(
            "!has(self.templateRef) || !has(self.sessions)",
            "the sessions of a run come from its template: remove them",
            field=".sessions",
        ),
        Rule(
            "!has(self.templateRef) || !has(self.finally)",
            "the finally scripts of a run come from its template: remove them",
            field=".finally",
        ),
        *_SESSIONS,
        *_FINALLY,
        *rules_of_each("scripts", "script", ScriptSpec),
        *rules_of_each("finally", "finally script", FinallySpec),
    ),
    SessionSpec: _POD_RULES,
    ContainerSpec: _POD_RULES,
    OnInterrupted: (
        Rule(
            "has(self.policy) && self.policy != 'Fail' || !has(self.limit)",
            "limit means nothing with policy Fail: write policy: Retry",
        ),
    ),
    Toleration: (
        Rule(
            "has(self.key) || has(self.operator) && self.operator == 'Exists'",
            "a toleration without key needs operator: Exists",
        ),
    ),
    ArgumentFrom: (exactly_one(ArgumentFrom),),
    EnvironmentVariable: (exactly_one(EnvironmentVariable),),
    ValueFrom: (exactly_one(ValueFrom),),
    Volume: (exactly_one(Volume),),
    EnsoScriptSpec: (exactly_one(EnsoScriptSpec),),
    ParameterSpec: (
        _only_for("access", "path"),
        _only_for("pattern", "string", "path"),
        _only_for("minimum", "integer", "number"),
        _only_for("maximum", "integer", "number"),
        Rule(
            "!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum",
            "minimum is above maximum: exchange them",
            field=".minimum",
        ),
    ),
    EnsoActionSpec: (
        *_action_blocks(),
        Rule(
            "self.verb != 'skip' || has(self.skip)",
            "verb skip needs the script that is skipped: write skip: {script: NAME}",
        ),
        Rule("self == oldSelf", IMMUTABLE),
    ),
    ResumeSpec: (
        Rule(
            "!has(self.from) || !has(self.skip) || !(self.from in self.skip)",
            "from names a script that is skipped, too: take it out of one of the two",
            field=".from",
        ),
    ),
}
"""The rules of each model."""

MUTUALLY_EXCLUSIVE: dict[type[BaseModel], tuple[str, str]] = {
    ScriptSpec: ("container", "args"),
    FinallySpec: ("container", "args"),
    EnsoJobSpec: ("scripts", "params"),
}
"""Two fields of a model that exclude each other, where CEL cannot express it: values of `args` and
`params` may have any type, and CEL cannot test whether such a field is set."""


def name_rules(longest: int, why: str) -> tuple[Rule, ...]:
    """Return rules for an object's own name, beyond those that Kubernetes has for every name."""
    return (
        Rule(
            f"size(self.metadata.name) <= {longest}",
            f"metadata.name has more than {longest} characters: {why}",
        ),
        Rule(
            "!self.metadata.name.contains('.')",
            "metadata.name has a '.': use lower-case letters, digits and '-'",
        ),
    )


def key_rule(pattern: str, longest: int) -> Rule:
    """Return the rule for the keys of a map."""
    return Rule(
        f"self.all(key, size(key) <= {longest} && key.matches(r'{pattern}'))",
        f"a key is not as it must be: {PATTERN_HINTS[pattern]}",
    )
