"""Names of the ControllerRevisions that hold the changed definitions of a job.

`kube/definitions.py` stores and verifies them, and commands of people verify what they show.
"""

from __future__ import annotations

import hashlib
import json

_HASH_CHARACTERS = 20


def definition_name(job: str, uid: str, number: int, changes: object) -> str:
    """Return the name of the definition of this number; another job or content has another one."""
    text = json.dumps([uid, number, changes], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{job}-{number}-{digest}"
