"""The style, the scripts and the pictures of the pages, at addresses that change with them.

All are in the package, and in memory; nothing is loaded from elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Kinds of files that are served: whatever else is in the folder is for people who read it."""
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    media_type: str


class StaticFiles:
    """The files of the folder `static`, by their names and by their addresses."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._by_name: dict[str, StaticFile] = {}
        for entry in (files(__package__ or __name__) / "static").iterdir():
            path = PurePath(entry.name)
            if path.suffix in TYPES:
                content = entry.read_bytes()
                digest = hashlib.sha256(content).hexdigest()[:12]
                name = f"{path.stem}-{digest}{path.suffix}"
                self._addresses[entry.name] = f"/static/{name}"
                self._by_name[name] = StaticFile(content, TYPES[path.suffix])

    def address(self, name: str) -> str:
        """Return the address of a file; raise KeyError where there is none."""
        return self._addresses[name]

    async def icon(self, request: Request) -> Response:
        """Answer a browser that shows a plain text, and looks for an icon where icons once were."""
        del request
        return RedirectResponse(self.address("enso.svg"))

    async def serve(self, request: Request) -> Response:
        """Answer a request for a file. Its address has its hash: it may be kept for good."""
        file = self._by_name.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404, "this server has no such file: reload the page")
        headers = {"Cache-Control": FOREVER}
        return Response(file.content, media_type=file.media_type, headers=headers)
