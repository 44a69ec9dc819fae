"""Shortens messages of kubelets, container runtimes and registries to their last, useful part.

A failure's line holds some 300 characters, and their useful part stands last in a long message.
"""

from __future__ import annotations

import re

_PULL = re.compile(
    r"""Back-off\ pulling\ image\ "[^"]*":?\s* | ErrImagePull:\s* | rpc\ error:.*?desc\ =\s
    | failed\ to\ pull\ (and\ unpack\ )?image\ "[^"]*":\s
    | failed\ to\ resolve\ (image|reference(\ "[^"]*")?):\s
    | failed\ to\ (copy|do\ request|authorize|fetch\ (anonymous|oauth)\ token|open):\s
    | httpReadSeeker:\s | failed\ open:\s
    | unexpected\ status(\ code)?(\ from\ [A-Z]+\ request\ to\ \S+?)?:\s(?=[0-9]{3}\s)
    """,
    re.VERBOSE,
)
_START = "unable to start container process: "


def of_pull(image: str, message: str) -> str:
    """Return why an image cannot be pulled: its name, and the registry's own message."""
    why = " ".join(_PULL.sub("", message).split())
    return f"{image}: {why or 'it cannot be pulled'}"


def of_start(message: str) -> str:
    """Return why a process could not be started: the message of the kernel or the runtime."""
    return message.rpartition(_START)[2]
