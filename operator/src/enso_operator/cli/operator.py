"""``enso operator``: watches EnsoJobs and runs their scripts."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from kubernetes.client import ApiClient
from kubernetes.config import load_config
from pydantic_settings import CliApp

from enso_operator.bootstrap import operate
from enso_operator.settings import OperatorSettings

STOPPED, COULD_NOT_OPERATE = 0, 2
"""Exit codes."""


def operator(arguments: Sequence[str]) -> int:
    """Operate until SIGTERM or SIGINT; return the exit code."""
    settings = CliApp.run(OperatorSettings, cli_args=[*arguments])
    logging.basicConfig(level=logging.INFO)
    if settings.sessions is None:
        return _refuse("no sessions")
    load_config(config_file=os.environ.get('KUBECONFIG'))  # type: ignore[no-untyped-call]
    asyncio.run(operate(ApiClient(), settings))
    return STOPPED


def _refuse(sentence: str) -> int:
    print(f"enso: {sentence}", file=sys.stderr)
    return COULD_NOT_OPERATE
