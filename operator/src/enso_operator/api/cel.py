"""What the wire models cannot say by themselves: keys of lists, and rules between fields, as CEL.

`crd.py` puts them into the CRDs, so that the API server refuses at once what `rules.py` and the
domain would refuse later. Only two rules are not here, because `args`, whose values are of any
kind, are closed to CEL: that no argument is in args and in argsFrom, too, and what an argument's
name may be.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from enso_operator.api.ensoaction import (
    EnsoActionSpec,
    EnsoActionStatus,
    ResumeSpec,
    ScriptChange,
    SessionChange,
)
from enso_operator.api.fields import FORMS
from enso_operator.api.rules import BLOCKS, EXACTLY_ONE_OF
from enso_operator.api.session_fields import EnvironmentVariable, Toleration, ValueFrom, Volume
from enso_operator.api.status import EnsoJobStatus, Ledger
from enso_operator.api.v1alpha1 import (
    ContainerSpec,
    EnsoJobSpec,
    EnsoScriptSpec,
    OnInterrupted,
    ScriptSpec,
    SessionSpec,
)

MUTABLE = frozenset({"suspend", "ttlSecondsAfterFinished"})
"""Fields of a job that may change. A new field is immutable unless it is named here."""
IMMUTABLE = "field is immutable"


@dataclass(frozen=True)
class Rule:
    """One CEL rule, with what the author of a manifest that breaks it reads."""

    rule: str
    message: str
    expression: str = ""
    """CEL for a message that names what is wrong: `format`, as the cost of `+` is not bounded."""
    field: str = ""
    """The field that the API server names; else what the rule is about."""

    def document(self) -> dict[str, str]:
        """Return it as an entry of x-kubernetes-validations."""
        said = {
            "rule": self.rule,
            "message": self.message,
            "messageExpression": self.expression,
            "fieldPath": self.field,
        }
        return {key: value for key, value in said.items() if value}


KEYS: dict[type[BaseModel], dict[str, str]] = {
    EnsoJobSpec: {"sessions": "name", "scripts": "name"},
    SessionSpec: {"env": "name", "volumes": "name", "volumeMounts": "mountPath"},
    ContainerSpec: {"env": "name"},
    ScriptSpec: {"argsFrom": "name"},
    EnsoJobStatus: {"conditions": "type", "scripts": "name"},
    Ledger: {"sessions": "name"},
    ResumeSpec: {"scripts": "name", "sessions": "name"},
    SessionChange: {"env": "name"},
    EnsoActionStatus: {"conditions": "type"},
}
"""Lists whose items are told apart by a field, so that it is unique."""
SETS: dict[type[BaseModel], frozenset[str]] = {
    ResumeSpec: frozenset({"skip"}),
    ScriptChange: frozenset({"unsetArgs"}),
}
"""Lists of texts none of which stands there twice. All other lists are atomic."""


def _exactly_one(model: type[BaseModel]) -> Rule:
    names = [to_camel(field) for field in EXACTLY_ONE_OF[model]]
    given = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in names)
    return Rule(f"{given} == 1", f"give it exactly one of {', '.join(names)}")


def _where_listed(of_sessions: str, of_none: str) -> str:
    """Return CEL for a job that lists its sessions, and for one that has the session main."""
    return f"has(self.sessions) && size(self.sessions) > 0 ? {of_sessions} : {of_none}"


_LISTED = _where_listed("self.sessions.exists(one, one.name == {0})", "{0} == 'main'")
_UNKNOWN = f"has(s.session) && !({_LISTED.format('s.session')})"
_NAMED_AS_SESSION = f"has(s.container) && ({_LISTED.format('s.name')})"
# Of one session, whether each script is in it: between the first and the last all must be.
_IN_LISTED = "has(s.session) ? s.session == one.name : self.sessions[0].name == one.name"
_IN = "self.scripts.map(s, !has(s.container) && ({}))"
_TOGETHER = (
    "(!{0}.exists(is, is) || {0}.lastIndexOf(true) - {0}.indexOf(true) + 1 == "
    "{0}.filter(is, is).size())"
)
_LISTED_TOGETHER = _TOGETHER.format(_IN.format(_IN_LISTED))
_STAND_TOGETHER = _where_listed(
    f"self.sessions.all(one, {_LISTED_TOGETHER})", _TOGETHER.format(_IN.format("true"))
)
_SCATTERED = _where_listed(f"self.sessions.filter(one, !{_LISTED_TOGETHER})[0].name", "'main'")


def _named(message: str, *names: str) -> str:
    return f"'{message}'.format([{', '.join(names)}])"


def _first(condition: str, field: str) -> str:
    return f"self.scripts.filter(s, {condition})[0].{field}"


_SESSIONS = (
    Rule(
        f"!self.scripts.exists(s, {_UNKNOWN})",
        "a script names a session that the job does not have: add it to sessions",
        _named(
            "script %s names session %s, which the job does not have: add it to sessions",
            _first(_UNKNOWN, "name"),
            _first(_UNKNOWN, "session"),
        ),
        ".scripts",
    ),
    Rule(
        f"!self.scripts.exists(s, {_NAMED_AS_SESSION})",
        "a container script has the name of a session: rename one",
        _named(
            "container script %s has the name of a session: rename one",
            _first(_NAMED_AS_SESSION, "name"),
        ),
        ".scripts",
    ),
    Rule(
        _STAND_TOGETHER,
        "the scripts of one session must stand together, with nothing between them",
        _named(
            "the scripts of session %s must stand together, with nothing between them", _SCATTERED
        ),
        ".scripts",
    ),
)


def _immutable() -> tuple[Rule, ...]:
    """Return a rule for each field of a job that may never change, nor be added or removed."""
    rules: list[Rule] = []
    for info in EnsoJobSpec.model_fields.values():
        name = str(info.alias)
        if name in MUTABLE:
            continue
        same = f"self.{name} == oldSelf.{name}"
        if name in KEYS[EnsoJobSpec]:  # such lists are equal in any order
            same += f" && self.{name}.map(one, one.name) == oldSelf.{name}.map(one, one.name)"
        if not info.is_required():
            both = f"has(self.{name}) == has(oldSelf.{name})"
            same = f"{both} && (!has(self.{name}) || {same})"
        rules.append(Rule(same, IMMUTABLE, field=f".{name}"))
    return tuple(rules)


def _of_verb() -> tuple[Rule, ...]:
    """Return a rule for each block of an action: it stands beside its own verb alone."""
    return tuple(
        Rule(
            f"!has(self.{verb}) || self.verb == '{verb}'",
            f"{verb} means nothing with another verb: remove it, or write verb: {verb}",
            field=f".{verb}",
        )
        for verb in BLOCKS
    )


RULES: dict[type[BaseModel], tuple[Rule, ...]] = {
    EnsoJobSpec: (*_SESSIONS, *_immutable()),
    ScriptSpec: (
        _exactly_one(ScriptSpec),
        Rule(
            "!has(self.container) || !has(self.session)",
            "a container is a session of its own: remove session",
        ),
        Rule(
            "!has(self.container) || !has(self.argsFrom)",
            "a container has no main that takes args: use container.args and container.env",
        ),
    ),
    SessionSpec: (
        Rule(
            "!has(self.volumeMounts) || self.volumeMounts.all(mount, has(self.volumes) && "
            "self.volumes.exists(one, one.name == mount.name))",
            "a volumeMount names no volume of the session: add it to volumes",
            field=".volumeMounts",
        ),
    ),
    OnInterrupted: (
        Rule(
            "self.policy != 'Fail' || !has(self.limit)",
            "limit means nothing with policy Fail: write policy: Retry",
        ),
    ),
    Toleration: (
        Rule(
            "has(self.key) || self.operator == 'Exists'",
            "a toleration without key needs operator: Exists",
        ),
    ),
    EnvironmentVariable: (_exactly_one(EnvironmentVariable),),
    ValueFrom: (_exactly_one(ValueFrom),),
    Volume: (_exactly_one(Volume),),
    EnsoScriptSpec: (_exactly_one(EnsoScriptSpec),),
    EnsoActionSpec: (
        *_of_verb(),
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

APART: dict[type[BaseModel], tuple[str, str]] = {ScriptSpec: ("container", "args")}
"""Two fields of a model that do not go together, where CEL cannot say so: `args` may hold anything,
and CEL has no word for whether such a field is there."""


def name_rules(longest: int, why: str) -> tuple[Rule, ...]:
    """Return what an object's own name must be, beyond what Kubernetes asks of every name."""
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
    """Return what the keys of a map must be."""
    return Rule(
        f"self.all(key, size(key) <= {longest} && key.matches(r'{pattern}'))",
        f"a key is not as it must be: {FORMS[pattern]}",
    )
