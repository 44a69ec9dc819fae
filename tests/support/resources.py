"""EnsoJobs, EnsoScripts and EnsoActions as documents, to be applied or refused."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

EMPTY: Document = {}

BIG = "y" * 59
"""Fills a name up to the longest that is allowed."""


def job(spec: Document, name: str = "shot") -> Document:
    return {
        "apiVersion": "enso.dev/v1alpha1",
        "kind": "EnsoJob",
        "metadata": {"name": name},
        "spec": spec,
    }


def of_scripts(*scripts: Document, **spec: object) -> Document:
    """A job of these scripts, each of which has a source unless it says otherwise."""
    kinds = {"scriptRef", "source", "function", "container"}
    return job(
        {
            "scripts": [
                described
                if kinds & described.keys() or "nothing" in described
                else described | {"source": "x"}
                for described in (
                    {"name": f"script-{i}"} | script for i, script in enumerate(scripts)
                )
            ],
            **spec,
        }
    )


def in_session(**fields: object) -> Document:
    return of_scripts({}, sessions=[{"name": "houdini", **fields}])


def library_script(name: str = "open-scene", **spec: object) -> Document:
    return job(spec, name) | {"kind": "EnsoScript"}


def largest_job() -> Document:
    """A job with as many scripts, sessions and variables as there may be."""
    sessions: list[Document] = [
        {
            "name": f"n{i:02}-{BIG}",
            "env": [{"name": f"V{j}", "value": "1"} for j in range(100)],
            "volumes": [{"name": f"v{j:02}-{BIG}", "emptyDir": {}} for j in range(50)],
            "volumeMounts": [
                {"name": f"v{j:02}-{BIG}", "mountPath": f"/mnt/{j}"} for j in range(50)
            ],
            "nodeSelector": {f"studio.example/{j}": "yes" for j in range(50)},
            "resources": {"limits": {f"studio.example/{j}": "1" for j in range(16)}},
        }
        for i in range(20)
    ]
    scripts: list[Document] = [
        {
            "name": f"s{i:02}-{BIG}",
            "session": f"n{i // 5:02}-{BIG}",
            "args": {f"a{j}": {"nested": [1, {"deep": "z" * 50}]} for j in range(50)},
        }
        for i in range(100)
    ]
    return of_scripts(*scripts, sessions=sessions, suspend=True)


def action(verb: str, name: str = "again", **spec: object) -> Document:
    """An action on the job `shot`."""
    return job({"job": "shot", "verb": verb, **spec}, name) | {"kind": "EnsoAction"}


def change_of_script(**fields: object) -> Document:
    """A resume that changes one script."""
    return action("resume", resume={"scripts": [{"name": "simulate", **fields}]})


def change_of_session(**fields: object) -> Document:
    """A resume that changes one session."""
    return action("resume", resume={"sessions": [{"name": "houdini", **fields}]})


def largest_action() -> Document:
    """A resume that changes as much as it may of as many scripts and sessions as there may be."""
    return action(
        "resume",
        "a" * 63,
        job="b" * 52,
        jobUID="0c9f3ba2-0000-4000-8000-000000000000",
        why="w" * 256,
        resume={
            "from": f"f-{BIG}",
            "skip": [f"k{i:02}-{BIG}" for i in range(100)],
            "scripts": [
                {
                    "name": f"s{i:02}-{BIG}",
                    "args": {f"a{j}": {"nested": [1, {"deep": "z" * 50}]} for j in range(50)},
                    "unsetArgs": [f"b{j}" for j in range(100)],
                    "source": "x",
                    "timeoutSeconds": 1,
                    "retries": {"limit": 1},
                }
                for i in range(100)
            ],
            "sessions": [
                {
                    "name": f"n{i:02}-{BIG}",
                    "image": "i" * 512,
                    "interpreter": ["hython"] * 64,
                    "env": [{"name": f"V{j}", "value": "1"} for j in range(100)],
                    "nodeSelector": {f"studio.example/{j}": "yes" for j in range(50)},
                    "tolerations": [{"operator": "Exists"}] * 50,
                    "resources": {"limits": {f"studio.example/{j}": "1" for j in range(16)}},
                    "startTimeoutSeconds": 1,
                }
                for i in range(20)
            ],
        },
    )
