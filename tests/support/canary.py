"""A secret that is searched for in everything that people can read, and scripts that reveal it.

The first script gets the secret as an argument and shares it with the others, as a login does. The
second one reveals it, each attempt in another way. The last one prints it and fails.
"""

from __future__ import annotations

import base64
import re
import secrets
from pathlib import Path

from job_execution_framework.domain.retries import Retries
from job_execution_framework.domain.script import Script, Source
from job_execution_framework.domain.secret import Secret

LOGIN = """
import enso
def main(token):
    enso.shared["token"] = token
"""
TELLS = """
import base64, enso, json, subprocess, sys
from urllib.parse import quote, quote_plus

def url(token): raise OSError(f"401 for /x?token={quote(token, '')}&shot=010")
def form(token): raise OSError(f"400 for token={quote_plus(token)}")
def basic(token): raise OSError(base64.b64encode(f"user:{token}".encode()).decode())
def as_json(token): raise OSError(json.dumps({"token": token}))
def shown(token): raise KeyError(token)
def bytes_of(token): raise ValueError(token.encode())
def named(token): raise type(f"Not{token}", (Exception,), {})
def exits(token): sys.exit(f"refused {token}")
def called(token): subprocess.run(["false", "--token", token], check=True)
def placed(token): exec(compile(f"def f(): raise OSError\\nf()", token, "exec"), {})

def caused(token):
    try: plain(token)
    except ValueError as error: raise OSError("publish failed") from error

def plain(token): raise ValueError(f"the tracker refused {token}")

WAYS = url, form, basic, as_json, shown, bytes_of, named, exits, called, placed, caused, plain

def main():
    count = enso.shared["count"] = enso.shared.get("count", 0) + 1
    token = enso.shared["token"]
    if count <= len(WAYS):
        WAYS[count - 1](token)
    if count == len(WAYS) + 1:
        return {"token": token, token: [base64.b64encode(token.encode()).decode()]}
"""
WAYS = 13
PRINTS = """
import enso
def main():
    print("PRINTED", enso.shared["token"])
    raise RuntimeError("with " + enso.shared["token"])
"""
SHOWN, PRINTED = "  | ", "PRINTED"
"""The prefix of lines of output in `enso run`, and the start of the line with the secret."""


class Canary:
    """A random secret, and the search for it."""

    def __init__(self) -> None:
        self._core = f"canary-{secrets.token_hex(8)}"
        self.value = f"{self._core}/+ä?&='x"
        core = self._core.encode()
        # The first and the last characters of base64 depend on the bytes around the secret.
        inner = [base64.b64encode(bytes(before) + core)[4:-4].decode() for before in range(3)]
        self._forms = re.compile("|".join([self._core, *inner]).encode())

    def scripts(self) -> tuple[Script, ...]:
        """Return a job's scripts; the first one has the secret as an argument."""
        return (
            Script("login", Source(LOGIN), {"token": Secret(self.value)}),
            Script("tells", Source(TELLS), retries=Retries(WAYS)),
            Script("prints", Source(PRINTS)),
        )

    def found_in(self, text: bytes | str) -> list[str]:
        """Return the text around each occurrence of the secret, in any encoding."""
        text = text.encode() if isinstance(text, str) else text
        return [
            text[max(0, match.start() - 60) : match.end() + 20].decode("utf-8", "replace")
            for match in self._forms.finditer(text)
        ]

    def found_in_output(self, text: str) -> list[str]:
        """Like `found_in`, but for scripts' output, without the lines that print the secret."""
        assert self.found_in(text), "the search finds what a script printed"
        lines = [line.removeprefix(SHOWN) for line in text.splitlines()]
        kept = [line for line in lines if not line.startswith(PRINTED)]
        return self.found_in("\n".join(kept))

    def keys_in(self, folder: Path) -> set[str]:
        """Return the etcd keys to which the secret was ever written, also if deleted later."""
        keys: set[str] = set()
        for file in folder.glob("member/wal/*.wal"):
            log = file.read_bytes()
            for match in self._forms.finditer(log):
                key = _KEY.match(log, log.rindex(b"/registry/", 0, match.start()))
                keys.add(key[0].decode() if key else "?")
        return keys


_KEY = re.compile(rb"/registry/[!-~]+")
"""A write has the key before the value."""
