"""What may go wrong when a person's command asks the API server: each one a sentence for them."""

from __future__ import annotations

from http import HTTPStatus

from job_execution_framework.domain.errors import EnsoError


class NoCluster(EnsoError):
    """There is nobody to ask: no kubeconfig, one that cannot be used, or nobody answers."""


class Answered(EnsoError):
    """The API server answered, but not with what was asked for."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class NoSuchName(Answered):
    """There is no object of this name."""


class NotInstalled(Answered):
    """The API server does not know this kind of object."""


def is_temporary(error: EnsoError) -> bool:
    """Whether the same request may succeed soon: the API server restarts, or is overloaded."""
    if isinstance(error, Answered):
        is_broken = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return is_broken or error.status == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, NoCluster)
