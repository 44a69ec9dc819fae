"""Statuses of EnsoJobs, as the operator writes them, and one of an EnsoAction."""

from __future__ import annotations

from typing import Any

from tests.support.resources import BIG

Document = dict[str, Any]
EARLY, LATE = "2026-11-24T02:00:00Z", "2026-11-24T02:00:41.250000Z"

LINE = "simulate failed: MemoryError: cache exceeded 2 GiB; args frames=240; attempt 3, 41 s"


def condition(kind: str, status: str, reason: str, message: str) -> Document:
    return {
        "type": kind,
        "status": status,
        "observedGeneration": 1,
        "lastTransitionTime": LATE,
        "reason": reason,
        "message": message,
    }


FAILURE: Document = {
    "script": "simulate",
    "attempt": 3,
    "time": LATE,
    "reason": "OutOfMemory",
    "message": "cache exceeded 2 GiB",
    "error": "MemoryError",
    "at": {"file": "simulate.py", "line": 88, "function": "main", "text": "solver.step(frame)"},
    "exitCode": -9,
    "signal": "SIGKILL",
    "said": ["frame 117", "frame 118"],
    "saidLines": 18204,
}

FAILED_JOB: Document = {
    "observedGeneration": 1,
    "conditions": [
        condition("Succeeded", "False", "Failed", LINE),
        condition("Finished", "True", "Failed", LINE),
        condition("Ready", "False", "Failed", LINE),
        condition("Reconciling", "False", "Failed", ""),
        condition("Stalled", "True", "Failed", LINE),
    ],
    "startTime": EARLY,
    "completionTime": LATE,
    "done": "1/4",
    "script": "simulate",
    "reason": "OutOfMemory",
    "pod": "shot-houdini-1-abcde",
    "scripts": [
        {"name": "open", "state": "Succeeded", "attempt": 1, "startTime": EARLY, "done": True},
        {
            "name": "simulate",
            "state": "Failed",
            "attempt": 3,
            "startTime": EARLY,
            "completionTime": LATE,
            "exitCode": -9,
            "reason": "OutOfMemory",
            "message": "MemoryError: cache exceeded 2 GiB",
            "failures": 2,
            "earlier": [
                {"attempt": 1, "state": "Interrupted", "reason": "SessionLost"},
                {"attempt": 2, "state": "Failed", "startTime": EARLY, "completionTime": LATE},
            ],
        },
        {"name": "publish", "state": "NotStarted"},
        {"name": "notify", "state": "NotStarted"},
    ],
    "failure": FAILURE,
    "ledger": {
        "run": {
            "name": "houdini-2",
            "session": "houdini",
            "uid": "0b2c3f2e-6ad1-4cf5-9a58-6b1b0c3d9f11",
            "openTime": EARLY,
            "scripts": ["simulate", "publish"],
        },
        "sessions": [
            {"name": "houdini", "runs": 2, "lost": 1, "lostBy": {"reason": "SessionLost"}}
        ],
        "cursors": {"coordinator": 9, "houdini-1": 4, "houdini-2": 2},
        "failed": FAILURE,
        "skipped": ["notify"],
        "resumes": 1,
        "resumeTime": EARLY,
        "actions": ["2026-11-24"],
    },
    "why": [
        "simulate (2 of 4), attempt 3, failed after 41 s: OutOfMemory",
        "  MemoryError: cache exceeded 2 GiB",
        "at      simulate, line 88 in main: solver.step(frame)",
        "args    frames=240",
    ],
}


def largest_status() -> Document:
    """The status of the largest job: each name, message and list as long as the budget lets it."""
    names = [f"s{i:03}-{BIG[:58]}" for i in range(100)]
    rows = [
        {
            "name": name,
            "state": "Failed",
            "attempt": 100,
            "startTime": LATE,
            "completionTime": LATE,
            "exitCode": 137,
            "reason": "InterpreterDidNotStart",
            "message": "m" * 100,
            "done": True,
            "failures": 100,
            "earlier": [{"attempt": 99, "state": "Failed", "reason": "OutOfMemory"}],
        }
        for name in names
    ]
    ledger = FAILED_JOB["ledger"] | {
        "sessions": [{"name": f"n{i:02}-{BIG}", "runs": 3, "lost": 1} for i in range(20)],
        "cursors": {f"n{i:02}-{BIG}-1": 100 for i in range(20)},
        "actions": [f"{i:02}-{BIG}" for i in range(64)],
    }
    return FAILED_JOB | {"scripts": rows, "ledger": ledger, "why": ["w" * 60] * 17}


_REFUSAL = "cannot skip 'open', which is done already"
REFUSED_ACTION: Document = {
    "observedGeneration": 1,
    "conditions": [
        condition("Finished", "True", "NotPossible", _REFUSAL),
        condition("Succeeded", "False", "NotPossible", _REFUSAL),
        condition("Ready", "False", "NotPossible", _REFUSAL),
        condition("Reconciling", "False", "NotPossible", ""),
        condition("Stalled", "True", "NotPossible", _REFUSAL),
    ],
    "completionTime": LATE,
}
