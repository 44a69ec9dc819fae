"""A route whose errors are pages, too."""

from __future__ import annotations

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.routing import Match, Route
from starlette.types import Scope

from enso_operator.http_api.web.problems import IS_PAGE


class _AttemptNumber(IntegerConvertor):
    """A number that no address can make too long for Python to read."""

    regex = "[0-9]{1,9}"


register_url_convertor("attempt", _AttemptNumber())


class PageRoute(Route):
    """The route of a page."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Mark the requests that are for it."""
        match, child = super().matches(scope)
        return match, {**child, IS_PAGE: True} if match is not Match.NONE else child
