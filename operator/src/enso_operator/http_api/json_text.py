"""JSON as people read it in a terminal; the body of every JSON answer of the HTTP API.

Scripts and people wrote much of it. Characters that a terminal obeys, that reorder a line or that
cannot be seen are escaped in the way of JSON: what a program reads is the same.
"""

from __future__ import annotations

import json
import re

LONGEST_LINE = 200
"""The most characters of a document that is written on one line."""
_DELETE = "\x7f"
_UNSEEN = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Of what `cause.escaped` escapes all but formats of single scripts; JSON itself escapes U+00 to
U+1F. Surrogates are among it, as UTF-8 has none."""


def json_text(content: object) -> str:
    """Return the document, indented if it is long, with a newline at its end."""
    text = json.dumps(content, ensure_ascii=False)
    if len(text) > LONGEST_LINE:
        text = json.dumps(content, ensure_ascii=False, indent=2)
    if not text.isascii() or _DELETE in text:
        text = _UNSEEN.sub(lambda found: json.dumps(found[0]).strip('"'), text)
    return f"{text}\n"
