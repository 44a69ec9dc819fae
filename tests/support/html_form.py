"""The form of a page, as a browser reads it and sends it back."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class HtmlForm(HTMLParser):
    """The fields of a page's forms by their names, with what the browser has in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.options: dict[str, dict[str, str]] = {}
        """What each choice sends, by its label."""
        self.required: set[str] = set()
        self._name = self._option = self._area = ""
        self.feed(page.replace("\r\n", "\n").replace("\r", "\n"))

    def fields(self, **entered: str) -> list[tuple[str, str]]:
        """Return what is sent: what was entered, and all else as it stands there."""
        sent = {**self.values, **entered}
        return [(name, re.sub(r"\r\n|\r|\n", "\r\n", value)) for name, value in sent.items()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if "required" in given:
            self.required.add(name)
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = given.get("value", "").replace("\n", "")
        elif tag in ("textarea", "select"):
            self._name, self._area = name, name if tag == "textarea" else ""
            if "multiple" not in given:
                self.values[name] = ""
            self.options[name] = {}
        elif tag == "option":
            self._option = given["value"]
            if "selected" in given:
                self.values[self._name] = self._option

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data
        elif self._name and data.strip():
            self.options[self._name][data.strip()] = self._option

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._area] = self.values[self._area].removeprefix("\n")
        if tag in ("textarea", "select"):
            self._name = self._area = ""
