"""``enso operator``: watches EnsoJobs and runs their scripts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from kubernetes.client import ApiClient
from kubernetes.config import load_config  # pyright: ignore[reportUnknownVariableType]
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from enso_operator import http_server, logs
from enso_operator.bootstrap import operate
from enso_operator.settings import OperatorSettings
from job_execution_framework.domain.errors import EnsoError

STOPPED, COULD_NOT_OPERATE = 0, 2
"""Exit codes."""
NO_SESSIONS = (
    "there is nowhere to run scripts: --sessions=local (or ENSO_SESSIONS=local) runs them as "
    "processes of this machine, under this user, whoever wrote the EnsoJob"
)
LOCAL = (
    "enso: warning: sessions are local: whoever may create an EnsoJob runs programs on this "
    "machine, as this user; use it for development"
)


def operator(arguments: Sequence[str]) -> int:
    """Operate until SIGTERM or SIGINT; return the exit code."""
    try:
        settings = CliApp.run(OperatorSettings, cli_args=[*arguments])
    except (ValidationError, SettingsError) as error:
        return _refuse(str(error))
    if settings.sessions is None:
        return _refuse(NO_SESSIONS)
    logs.configure(settings.log_format, settings.log_level)
    print(LOCAL, file=sys.stderr)
    try:
        load_config(config_file=os.environ.get("KUBECONFIG"))  # type: ignore[no-untyped-call]
        listener = http_server.listen(settings.health_host, settings.health_port)
        asyncio.run(operate(ApiClient(), settings, listener))
    except (EnsoError, OSError) as error:
        return _refuse(str(error))
    return STOPPED


def _refuse(sentence: str) -> int:
    print(f"enso: {sentence}", file=sys.stderr)
    return COULD_NOT_OPERATE
