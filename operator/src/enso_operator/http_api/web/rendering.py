"""From a template and what it shows to an answer.

Whatever scripts and people wrote is escaped twice: control characters become visible, so that none
reorders a line, and then what would be HTML becomes text.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from enso_operator.http_api.auth.forms import FIELD
from enso_operator.http_api.auth.session_cookie import token_cookie
from enso_operator.http_api.auth.viewer import Viewer
from enso_operator.http_api.web.static_files import StaticFiles
from enso_operator.http_api.web.views import words
from enso_operator.http_api.web.views.field_hints import hint_of
from enso_operator.http_api.web.views.json_lines import indented
from enso_operator.http_api.web.views.parts import Part
from enso_operator.http_api.web.views.query import Query
from job_execution_framework.domain.cause import escaped


class Page(HTMLResponse):
    """An answer in HTML."""

    def render(self, content: object) -> bytes:
        """Return the document in UTF-8."""
        return str(content).encode("utf-8", "backslashreplace")


def _visible(value: object) -> object:
    return escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value


class Templates:
    """The templates of the pages."""

    def __init__(self, static: StaticFiles) -> None:
        self._environment = Environment(
            loader=PackageLoader("enso_operator.http_api.web"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_visible,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["static"] = static.address  # pyright: ignore[reportArgumentType]  # typed there as the defaults
        self._environment.filters |= words.FILTERS
        self._environment.filters["hint"] = hint_of
        self._environment.filters["indented"] = indented

    async def page(
        self,
        request: Request,
        viewer: Viewer | None,
        name: str,
        shown: object,
        *,
        status: int = 200,
        live: str = "",
    ) -> Page:
        """Return a page; `shown` is what its template calls `page`.

        `live` is the address of the stream that tells what changes. Rendered in a thread: that of a
        large job takes a moment.
        """
        address = request.url
        context = {
            "page": shown,
            "viewer": viewer,
            "path": address.path,
            "query": f"?{address.query}" if address.query else "",
            "place": Query(namespace=request.query_params.get("namespace", "")).address(""),
            "now": time.time(),
            "posted": request.method == "POST",
            "live": live,
            FIELD: getattr(request.state, FIELD, ""),
            "can_sign_out": bool(token_cookie(request.headers)),
        }
        template = self._environment.get_template(name)
        return Page(await asyncio.to_thread(template.render, context), status)

    def part(self, part: Part) -> str:
        """Return the content of one part of a page."""
        module = self._environment.get_template(part.template).make_module({"now": time.time()})
        macro: Callable[..., str] = getattr(module, part.macro)
        return str(macro(*part.shown))
