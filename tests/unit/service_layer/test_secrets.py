"""A secret reaches its script, and nothing that anybody reads: events, records, texts, lists."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from job_execution_framework.domain.cause import Cause, Frame
from job_execution_framework.domain.events import ScriptFailed
from job_execution_framework.domain.failure_card import failure_card
from job_execution_framework.domain.job import Job
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import HIDDEN, Redactor, Secret, revealed, shown
from job_execution_framework.domain.steps import Open
from job_execution_framework.service_layer.library import ScriptLibrary
from job_execution_framework.service_layer.plan import Plan
from job_execution_framework.service_layer.records import to_line
from job_execution_framework.service_layer.report import result_of
from job_execution_framework.service_layer.services import add, execute
from job_execution_framework.service_layer.unit_of_work import InMemoryJobUnitOfWork

CANARY = "canary-8261"
LONG = f"{CANARY}-" * 500
LINES = f"-----BEGIN-----\n{CANARY}-one\n\t{CANARY}-two\n-----END-----\n"
QUOTED = f"é'\"\\{CANARY}\"'"
NUMBER = 826182618261
VALUES = {
    "a word": CANARY,
    "longer than a message": LONG,
    "many lines": LINES,
    "quotes": QUOTED,
    "a number": NUMBER,
    "a mapping": {"user": "ann", "password": CANARY},
    "a list of mappings": [{"keys": [LINES, NUMBER]}, CANARY],
    "bytes": CANARY.encode(),
}
FAILURES = {
    "its value": "raise ValueError('refused: %s' % (token,))",
    "its repr": "raise ValueError('refused: %r' % (token,))",
    "its value many times": "raise ValueError('x %s ' % (token,) * 50)",
    "its value behind much text": "raise ValueError('x' * 970 + '%s' % (token,))",
    "as JSON": "from json import dumps; raise ValueError(dumps(token, default=str))",
    "as other JSON": (
        "from json import dumps; raise ValueError(dumps(token, default=str, ensure_ascii=False))"
    ),
    "on a line of its own": "raise ValueError('refused:\\n%s\\nthat was it' % (token,))",
    "as a key": "raise KeyError(str(token))",
    "as the reason to exit": "import sys; sys.exit('refused %s' % (token,))",
    "from a cause": "try: raise ValueError(token)\n    except ValueError as e: raise OSError(e)",
}


def canaries() -> Iterator[str]:
    yield CANARY
    yield str(NUMBER)


def tells(text: str) -> str:
    """Return the secrets that the text contains."""
    return ", ".join(canary for canary in canaries() if canary in text)


def failed(source: str, **parameters: object) -> Job:
    """Execute one script in this process and return its job."""
    uow = InMemoryJobUnitOfWork()
    job_id = add([Script("publish", Source(source), parameters)], job_uow=uow)
    execute(job_id, job_uow=uow)
    return uow.jobs.get(job_id)


def failed_cause(job: Job) -> Cause:
    event = job.events[-2]
    assert isinstance(event, ScriptFailed)
    return event.cause


def everything_said(job: Job) -> str:
    """Return every text that a person or a program can read of the job."""
    card = failure_card(job, on="here", log="a log", resume="enso run --resume")
    texts = [str(job), repr(job), repr(job.rows), str(card)]
    for event in job.events:
        texts += [str(event), repr(event), to_line(event).decode()]
    return "\n".join(texts)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_failure_that_contains_a_secret_hides_it(value: object, failure: str) -> None:
    job = failed(f"def main(token):\n    {failure}\n", token=Secret(value))
    assert HIDDEN in failed_cause(job).message, "it is said that something is hidden"
    assert not tells(everything_said(job))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_secret_within_a_parameter_is_hidden(value: object) -> None:
    nested = {"tracker": {"url": "https://t", "tokens": [Secret(value), "open"]}}
    job = failed("def main(to): raise ValueError(to['tracker']['tokens'][0])", to=nested)
    assert not tells(everything_said(job))
    assert '"url": "https://t"' in str(job.events[2])
    assert f'["{HIDDEN}", "open"]' in str(job.events[2])


@pytest.mark.parametrize("value", [CANARY, NUMBER, {"a": [CANARY]}], ids=str)
def test_a_script_that_returns_a_secret_fails(value: object) -> None:
    for what in ("{'same': token}", "{str(token): 1}", "[['x %s' % (token,)]]"):
        job = failed(f"def main(token): return {what}", token=Secret(value))
        assert failed_cause(job).reason == "BadResult"
        assert "contains a secret" in failed_cause(job).message
        assert job.rows["publish"].output is None
        assert not tells(everything_said(job))


def test_the_script_itself_gets_the_value() -> None:
    source = f"def main(token, deep):\n    assert (token, deep) == ({CANARY!r}, [{NUMBER}])\n"
    job = failed(source, token=Secret(CANARY), deep=[Secret(NUMBER)])
    assert str(job.state) == "Succeeded", job.events[-1]
    assert revealed({"a": (Secret([Secret(1)]), 2)}) == {"a": ([1], 2)}


def test_a_failure_still_explains_itself() -> None:
    source = "def main(token, path): raise OSError(f'{path}: no such file, said {token}')"
    job = failed(source, token=Secret(CANARY), path="/a.hip")
    assert "OSError: /a.hip: no such file, said ***" in str(job.events[-2])
    assert "args token=*** path=/a.hip" in str(job.events[-2])
    job = failed("def main(token): raise OSError('short')", token=Secret(LONG))
    assert str(job.events[-1]).endswith("OSError: short")


def test_a_line_of_code_that_holds_the_value_hides_it() -> None:
    job = failed(f"def main(token):\n    raise ValueError if token == {CANARY!r} else OSError\n",
                 token=Secret(CANARY))  # fmt: skip
    assert not tells(str(job.events))
    assert HIDDEN in str(job.events[-2])


def test_parameters_that_do_not_fit_are_refused_without_the_value() -> None:
    job = failed("def main(path): pass", token=Secret(CANARY))
    assert "does not take token" in str(job.events[-1])
    assert not tells(everything_said(job))


@pytest.mark.parametrize("cut", range(1, len(CANARY) + 1))
def test_a_text_that_was_cut_inside_of_a_secret_does_not_tell_its_start(cut: int) -> None:
    redactor = Redactor({"token": Secret(CANARY)})
    assert CANARY[:3] not in redactor.hide(f"refused: {CANARY[:cut]}", cut=True)


def test_a_secret_is_shown_as_stars_however_it_is_asked_for() -> None:
    secret = Secret(CANARY)
    assert {str(secret), repr(secret), f"{secret}", f"{secret!r:>3}"} == {HIDDEN}
    assert repr([secret]) == f"[{HIDDEN}]"
    assert not tells(repr(Script("a", Source(""), {"token": secret})))
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_a_plan_carries_names_instead_of_secrets() -> None:
    job = Job("job", (Script("a", Source(""), {"token": Secret(LINES), "to": "/b"}),))
    plan = Plan.of(job, Open("main-1", "main", ("a",)), ScriptLibrary([]))
    assert not tells(plan.to_json())
    assert not tells(repr(plan))
    read = Plan.from_json(plan.to_json(), plan.secrets())
    assert read.scripts[0].parameters["token"] == Secret(LINES)


def test_a_plan_carries_secrets_within_parameters_too() -> None:
    to = {"tracker": {"url": "https://t", "tokens": [Secret(LINES), "open"]}, "7": Secret(NUMBER)}
    scripts = (Script("a", Source(""), {"to": to, "token": Secret(CANARY), "path": "/b"}),)
    plan = Plan.of(Job("job", scripts), Open("main-1", "main", ("a",)), ScriptLibrary([]))
    assert not tells(plan.to_json())
    read = Plan.from_json(plan.to_json(), plan.secrets())
    assert read.scripts[0].parameters == scripts[0].parameters
    assert read.scripts[0].parameters["path"] == "/b"


def test_a_secret_of_one_script_is_hidden_in_what_another_tells() -> None:
    login = "import enso\ndef main(token): enso.shared['token'] = token"
    publish = "import enso\ndef main(): raise OSError('401 for /x?token=' + enso.shared['token'])"
    uow = InMemoryJobUnitOfWork()
    scripts = [Script("login", Source(login), {"token": Secret(CANARY)})]
    job_id = add([*scripts, Script("publish", Source(publish))], job_uow=uow)
    execute(job_id, job_uow=uow)
    job = uow.jobs.get(job_id)
    assert not tells(everything_said(job))
    assert "OSError: 401 for /x?token=***" in str(job.events[-1])


def test_a_secret_of_a_later_script_is_hidden_before_that_has_run() -> None:
    scripts = [
        Script("open", Source(f"def main(): raise ValueError('{CANARY}')")),
        Script("publish", Source("def main(token): pass"), {"token": Secret(CANARY)}),
    ]
    uow = InMemoryJobUnitOfWork()
    job_id = add(scripts, job_uow=uow)
    execute(job_id, job_uow=uow)
    event = uow.jobs.get(job_id).events[-1]
    assert str(event).endswith("open: ValueError: ***")


RAISES = """
def main(token):
    source = f"def at_{token}(): raise type('Not' + token, (Exception,), {{}})"
    space = {"token": token}
    exec(compile(source, __file__, "exec"), space)
    space["at_" + token]()
"""


def test_names_that_hold_a_secret_hide_it() -> None:
    job = failed(RAISES, token=Secret("canary_8261"))
    cause = failed_cause(job)
    assert (cause.error, cause.at and cause.at.function) == (f"Not{HIDDEN}", f"at_{HIDDEN}")
    assert "canary" not in everything_said(job)


def test_all_that_a_report_says_is_hidden() -> None:
    report = {"error": CANARY, "message": CANARY, "frame": [CANARY, 1, CANARY, CANARY]}
    cause = result_of(report, 1, Redactor(Secret(CANARY)), ([CANARY], 1)).cause
    assert cause
    assert cause.at == Frame(HIDDEN, 1, HIDDEN, HIDDEN)
    assert (cause.error, cause.message, cause.said) == (HIDDEN, HIDDEN, (HIDDEN,))


class Odd:
    """An object that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


def name_of(value: object) -> str:
    return type(value).__name__


CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (10**400, None),
        (10**5000, None),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("x" * 300, f"{'x' * 256}… (300 characters)"),
        (list(range(1000)), None),
        ("\ud800", "\\ud800"),
        ({"\ud800": 1}, None),
        ({1: {2}}, {"1": "{2}"}),
        (Odd(), "<Odd>"),
        (CYCLE, None),
    ],
    ids=name_of,
)
def test_any_parameter_can_be_shown_and_recorded(value: object, said: object) -> None:
    seen = shown({"value": value})
    assert said is None or seen == {"value": said}
    assert len(json.dumps(seen).encode()) < 5000


@pytest.mark.parametrize(
    "value", [Odd(), None, True, "", b"\xff", 0.5], ids=lambda value: type(value).__name__
)
def test_any_value_can_be_a_secret(value: object) -> None:
    job = failed("def main(token): raise ValueError('it is None or True')", token=Secret(value))
    assert str(job.events[-1]).endswith("ValueError: it is None or True")
