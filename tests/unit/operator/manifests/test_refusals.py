"""Manifests with mistakes in them, and the sentences that are told about them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.manifests import HEAD, script, spec


def session(fields: str) -> str:
    return spec(f"  sessions: [{{name: h, {fields}}}]\n  scripts: [{{name: save, source: x}}]\n")


FIELDS = {
    "spec.scirpts is not a field: did you mean scripts?": spec("  scirpts: []\n"),
    "spec is missing: add it": HEAD,
    "spec is empty: give it a value, or remove the line": spec(""),
    "spec is a list, not a mapping: write its fields without '- '": spec("  - scripts\n"),
    "spec.scripts is empty: give it at least one item": spec("  scripts: []\n"),
    "spec.scripts has 101 items: use at most 100": spec(
        f"  scripts: [{', '.join(f'{{name: a{i}, source: x}}' for i in range(101))}]\n"
    ),
    "spec.scripts[0] is 'save', not a mapping: write its fields below it, as `name: value`": spec(
        "  scripts: [save]\n"
    ),
    "spec.scripts[0].name is missing: add it": spec("  scripts: [{source: x}]\n"),
    "spec.scripts[0].name is false, not a text: put it in quotes (YAML reads yes, no, on and off "
    "as true and false)": spec("  scripts: [{name: no, source: x}]\n"),
    "spec.scripts[Save_It].name is 'Save_It': use lower-case letters, digits and '-', beginning "
    "and ending with a letter or digit": spec("  scripts: [{name: Save_It, source: x}]\n"),
    f"spec.scripts[{'a' * 64}].name has 64 characters: use at most 63": spec(
        f"  scripts: [{{name: {'a' * 64}, source: x}}]\n"
    ),
    "metadata.lables is not a field: did you mean labels?": script("").replace(
        "{name: shot}", "{name: shot, lables: {}}"
    ),
    "metadata.name has 53 characters: use at most 52": script("").replace("shot", "s" * 53),
    "metadata.labels[studio/shot] is 10, not a text: put it in quotes": script("").replace(
        "shot}", "shot, labels: {studio/shot: 10}}"
    ),
    "spec.scripts[save].timeout_seconds is not a field: did you mean timeoutSeconds?": script(
        "timeout_seconds: 5"
    ),
    "spec.scripts[save].frobnicate is not a field: remove it, or use one of name, session, "
    "scriptRef, source, function, container, args, argsFrom, retries, failOn, idleTimeoutSeconds, "
    "timeoutSeconds …": script("frobnicate: 1"),
    "spec.scripts[save].timeoutSeconds is '1h', not a whole number: write seconds, such as "
    "3600": script("timeoutSeconds: 1h"),
    "spec.scripts[save].timeoutSeconds is '60', not a whole number: write it without "
    "quotes": script('timeoutSeconds: "60"'),
    "spec.scripts[save].timeoutSeconds is 0: use at least 1": script("timeoutSeconds: 0"),
    "spec.scripts[save].timeoutSeconds is empty: give it a value, or remove the line": script(
        "timeoutSeconds:"
    ),
    "spec.scripts[save].retries.limit is 101: use at most 100": script("retries: {limit: 101}"),
    "spec.scripts[save].retries is 3, not a mapping: write its fields below it, as "
    "`name: value`": script("retries: 3"),
    "spec.scripts[save].setup is 'yes', not true or false: write true or false, without "
    "quotes": script('setup: "yes"'),
    "spec.scripts[save].args.a is nan, no number that JSON has: write another, or a text in "
    "quotes": script("args: {a: .nan}"),
    "spec.scripts[save].args.a holds half of a character (a surrogate): write it as plain "
    "text": script('args: {a: "\\ud800"}'),
    "spec.scripts[save].args has a key with half of a character (a surrogate): rename it": script(
        'args: {"\\ud800": a}'
    ),
    "spec.sessions[h].interpreter is 'hython', not a list: write [hython]": session(
        "interpreter: hython"
    ),
    "spec.sessions[h].onInterrupted.policy is 'retry': use 'Fail' or 'Retry'": session(
        "onInterrupted: {policy: retry}"
    ),
    "spec.sessions[h].resources.limits.memory is '16 gigs': write a quantity of Kubernetes, such "
    "as 500m or 16Gi": session("resources: {limits: {memory: 16 gigs}}"),
    "spec.sessions[h].resources.limits.cpu is 0.5, not a text: put it in quotes": session(
        "resources: {limits: {cpu: 0.5}}"
    ),
    "spec.sessions[h].hostNetwork is not a field: remove it, or use one of name, image, "
    "interpreter, startTimeoutSeconds, endTimeoutSeconds, outputDirectory, onInterrupted, "
    "resources, env, volumes, volumeMounts, nodeSelector …": session("hostNetwork: true"),
}


@pytest.mark.parametrize(("sentence", "content"), FIELDS.items())
def test_a_field_that_is_wrong(
    told: Callable[[str | bytes], str], sentence: str, content: str
) -> None:
    assert told(content) == sentence


JOBS = {
    "spec.scripts[a] has none of scriptRef, source, function, container: give it exactly one": (
        "[{name: a}]"
    ),
    "spec.scripts[a] has source and function: keep exactly one": (
        "[{name: a, source: x, function: 'm:f'}]"
    ),
    "spec.scripts[a].function is 'os.getcwd': write package.module:function": (
        "[{name: a, function: os.getcwd}]"
    ),
    "spec.scripts[a].source has 65537 characters: use at most 65536": (
        f"[{{name: a, source: {'x' * 65537}}}]"
    ),
    "script name 'a' is used more than once: names must be unique": (
        "[{name: a, source: x}, {name: a, source: y}]"
    ),
    "script 'a' names session 'nuke', but the job has main": (
        "[{name: a, source: x, session: nuke}]"
    ),
    "spec.scripts[a].container needs a cluster: apply the file with kubectl, or remove the script "
    "to run the others here": "[{name: a, container: {image: curl}}]",
    "spec.scripts[a].argsFrom[token] is in a Secret of a cluster: apply the file with kubectl, or "
    "let the script read it from an environment variable": (
        "[{name: a, source: x, argsFrom: [{name: token, secretKeyRef: {name: s, key: k}}]}]"
    ),
    "spec.scripts[a].argsFrom[t] is in args, too: remove one of the two\n"
    "spec.scripts[a].argsFrom[t] is in a Secret of a cluster: apply the file with kubectl, or let "
    "the script read it from an environment variable": (
        "[{name: a, source: x, args: {t: 1}, "
        "argsFrom: [{name: t, secretKeyRef: {name: s, key: k}}]}]"
    ),
    "spec.scripts[a].session is 'h', but a container is a session of its own: remove it\n"
    "spec.scripts[a] has args, but a container has no main that takes them: use container.args and "
    "container.env\n"
    "spec.scripts[a].container needs a cluster: apply the file with kubectl, or remove the script "
    "to run the others here": ("[{name: a, session: h, args: {b: 1}, container: {image: curl}}]"),
}


@pytest.mark.parametrize(("sentence", "scripts"), JOBS.items())
def test_a_job_that_cannot_run_here(
    told: Callable[[str | bytes], str], sentence: str, scripts: str
) -> None:
    assert told(spec(f"  scripts: {scripts}\n")) == sentence


def test_scripts_of_one_session_stand_together(told: Callable[[str | bytes], str]) -> None:
    content = spec(
        "  sessions: [{name: a}, {name: b}]\n"
        "  scripts: [{name: x, source: x}, {name: y, source: x, session: b}, "
        "{name: z, source: x, session: a}]\n"
    )
    assert told(content) == (
        "script 'z' goes back to session 'a': the scripts of one session must stand together, with "
        "nothing between them"
    )


def test_at_most_ten_mistakes_are_told(told: Callable[[str | bytes], str]) -> None:
    lines = told(spec(f"  scripts: [{', '.join(['{}'] * 12)}]\n")).splitlines()
    assert lines[9:] == ["spec.scripts[9].name is missing: add it", "and 2 more mistakes"]


def test_a_long_value_is_cut(told: Callable[[str | bytes], str]) -> None:
    assert len(told(script(f"timeoutSeconds: {'x' * 100_000}"))) < 200
