"""EnsoJobs and EnsoScripts as documents."""

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
