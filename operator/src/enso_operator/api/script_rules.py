"""The rules of the scripts of a job, as rules of the job that has them. `cel.py` takes them.

An API server would evaluate a rule of a script for each script at every write of the job's status,
if only to find that the script is not new (`creation_rules.py`); one of the job it evaluates once.
"""

from __future__ import annotations

import re

from pydantic import BaseModel

from enso_operator.api.cel_rule import Rule, exactly_one, formatted
from enso_operator.api.fields import VARIABLE


def rules_of_each(listed: str, what: str, model: type[BaseModel]) -> tuple[Rule, ...]:
    """Return the rules of each script in the list `listed`, as rules of the job.

    A refusal names the first script that breaks a rule as `what`, with its name.
    """
    return tuple(_of_each(rule, listed, what) for rule in _rules(model))


def _of_each(rule: Rule, listed: str, what: str) -> Rule:
    holds = re.sub(r"\bself\b", "s", rule.rule)
    first = f"self.{listed}.filter(s, !({holds}))[0].name"
    return Rule(
        f"!has(self.{listed}) || self.{listed}.all(s, {holds})",
        rule.message,
        formatted(f"{what} %s: {rule.message}", first),
        f".{listed}",
    )


def _rules(model: type[BaseModel]) -> tuple[Rule, ...]:
    """Return the rules of a script, or of one of finally."""
    return (
        exactly_one(model),
        Rule(
            "!has(self.container) || !has(self.session)",
            "a container is a session of its own: remove session",
        ),
        Rule(
            "!has(self.container) || !has(self.argsFrom) || "
            f"self.argsFrom.all(one, one.name.matches(r'{VARIABLE}'))",
            "argsFrom of a container are environment variables: name them with letters, digits "
            "and underscores, beginning with a letter",
        ),
        Rule(
            "!has(self.container) || !has(self.idleTimeoutSeconds)",
            "idleTimeoutSeconds means nothing for a container: use timeoutSeconds",
        ),
        Rule(
            "!has(self.timeoutSeconds) || !has(self.idleTimeoutSeconds) || "
            "self.idleTimeoutSeconds <= self.timeoutSeconds",
            "idleTimeoutSeconds is longer than timeoutSeconds: make it shorter, or remove one of "
            "the two",
        ),
        Rule(
            "!has(self.container) || !has(self.failOn)",
            "nobody reads the output of a container: remove failOn",
        ),
    )
