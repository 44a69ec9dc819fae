"""EnsoActions that break one rule each, and the sentence that their author reads."""

from __future__ import annotations

from tests.cluster.refusals import KEYS
from tests.support.resources import (
    EMPTY,
    Document,
    action,
    change_of_script,
    change_of_session,
)

_KEYS = f"Invalid value: {KEYS}"
_IN_SESSION = "spec.resume.sessions[0]"

ACTION_RULES_REFUSED: list[tuple[Document, str]] = [
    (
        action("pause", resume=EMPTY),
        (
            "spec.resume: Invalid value: resume means nothing with another verb: remove it, or "
            "write verb: resume"
        ),
    ),
    (
        action("resume", pause={"after": "open"}),
        (
            "spec.pause: Invalid value: pause means nothing with another verb: remove it, or write "
            "verb: pause"
        ),
    ),
    (
        action("cancel", skip={"script": "open"}),
        (
            "spec.skip: Invalid value: skip means nothing with another verb: remove it, or write "
            "verb: skip"
        ),
    ),
    (
        action("skip"),
        (
            "spec: Invalid value: verb skip needs the script that is skipped: write skip: "
            "{script: NAME}"
        ),
    ),
    (
        action("resume", resume={"from": "bake", "skip": ["open", "bake"]}),
        (
            "spec.resume.from: Invalid value: from names a script that is skipped, too: take it "
            "out of one of the two"
        ),
    ),
    (change_of_session(env=[{"name": "A"}]), "give it exactly one of value, valueFrom"),
    (
        change_of_session(env=[{"name": "A", "valueFrom": EMPTY}]),
        "give it exactly one of secretKeyRef, configMapKeyRef",
    ),
    (
        change_of_session(tolerations=[{"value": "a"}]),
        (
            f"{_IN_SESSION}.tolerations[0]: Invalid value: a toleration without key needs operator:"
            " Exists"
        ),
    ),
    (change_of_session(nodeSelector={"a b": "c"}), f"{_IN_SESSION}.nodeSelector: {_KEYS}"),
    (
        change_of_session(resources={"limits": {"/cpu": 1}}),
        f"{_IN_SESSION}.resources.limits: {_KEYS}",
    ),
    (
        change_of_session(resources={"requests": {"/cpu": 1}}),
        f"{_IN_SESSION}.resources.requests: {_KEYS}",
    ),
    (
        action("retry", "a" * 64),
        "metadata.name has more than 63 characters: the job remembers it",
    ),
    (
        action("retry", "a.b"),
        "metadata.name has a '.': use lower-case letters, digits and '-'",
    ),
]
"""Rules between fields, which are written in CEL."""

_TWICE = {"name": "a"}

ACTIONS_REFUSED: list[tuple[Document, str]] = [
    (action("restart"), 'supported values: "resume", "pause", "retry", "skip", "cancel"'),
    (action("retry") | {"spec": {"job": "shot"}}, "spec.verb: Required value"),
    (action("retry") | {"spec": {"verb": "retry"}}, "spec.job: Required value"),
    (action("retry") | {"spec": None}, "spec: Required value"),
    (action("retry", retry=EMPTY), 'unknown field "spec.retry"'),
    (action("retry", job="Shot"), "spec.job in body should match"),
    (action("retry", job="a" * 53), "spec.job: Too long"),
    (action("retry", jobUID=""), "spec.jobUID in body should be at least 1 chars long"),
    (action("retry", jobUID="a b"), "spec.jobUID in body should match"),
    (action("retry", why="a\nb"), "spec.why in body should match"),
    (action("retry", why="a" * 257), "spec.why: Too long"),
    (action("retry", by=""), "spec.by in body should be at least 1 chars long"),
    (action("retry", by="ann\x1b[2J"), "spec.by in body should match"),
    (action("retry", by="a" * 513), "spec.by: Too long"),
    (action("pause", pause={"after": ""}), "spec.pause.after in body should be at least 1 chars"),
    (action("skip", skip=EMPTY), "spec.skip.script: Required value"),
    (action("resume", resume={"from": "a" * 64}), "spec.resume.from: Too long"),
    (action("resume", resume={"skip": ["a", "a"]}), 'spec.resume.skip[1]: Duplicate value: "a"'),
    (
        action("resume", resume={"skip": [f"s-{i}" for i in range(101)]}),
        "spec.resume.skip: Too many: 101: must have at most 100 items",
    ),
    (
        action("resume", resume={"scripts": [_TWICE, _TWICE]}),
        'spec.resume.scripts[1]: Duplicate value: {"name":"a"}',
    ),
    (
        action("resume", resume={"sessions": [_TWICE, _TWICE]}),
        'spec.resume.sessions[1]: Duplicate value: {"name":"a"}',
    ),
    (
        action("resume", resume={"scripts": [{"name": f"s-{i}"} for i in range(101)]}),
        "spec.resume.scripts: Too many: 101: must have at most 100 items",
    ),
    (
        action("resume", resume={"sessions": [{"name": f"s-{i}"} for i in range(21)]}),
        "spec.resume.sessions: Too many: 21: must have at most 20 items",
    ),
    (change_of_script(args={f"a{i}": 1 for i in range(101)}), "args: Too many: 101"),
    (change_of_script(unsetArgs=["a", "a"]), 'unsetArgs[1]: Duplicate value: "a"'),
    (change_of_script(source="x" * (64 * 1024 + 1)), "source: Too long"),
    (change_of_script(timeoutSeconds=0), "should be greater than or equal to 1"),
    (change_of_script(retries={"limit": 101}), "should be less than or equal to 100"),
    (change_of_script(checkpoint=True), 'unknown field "spec.resume.scripts[0].checkpoint"'),
    (change_of_session(interpreter=[]), "interpreter in body should have at least 1 items"),
    (
        change_of_session(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "1"}]),
        'env[1]: Duplicate value: {"name":"A"}',
    ),
    (change_of_session(runAsUser=1), 'unknown field "spec.resume.sessions[0].runAsUser"'),
]
"""Bounds, forms and unique names, which the schema itself says."""
