"""Regular expressions of users: a subset of `re` whose matching cannot take for ever.

`re` backtracks: some patterns take longer than anybody waits on a text of thirty characters. A
pattern here is one of `re` with these limits, and `why_not` says which of them it breaks:

- no look-around, no back-references, no conditions; of what begins with ``(?`` only ``(?:``,
  ``(?P<name>`` and, at the start, the flags i, m and s
- a quantifier stands on no group that holds a quantifier or ``|``; only ``?`` stands on any group
- at most MOST_UNBOUNDED of ``*``, ``+`` and ``{n,}``
- all other choices (``?``, ``{m,n}``, ``|``) multiply to at most MOST_CHOICES
- of a text only the first LONGEST_TEXT characters count

`domain.arguments` matches arguments with them, and `domain.fail_on` searches lines of output: a
search begins a match at each character, so that of a line less is looked at (`Pattern.reach`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST_PATTERN = 512
LONGEST_TEXT = 4096
MOST_UNBOUNDED = 2
MOST_CHOICES = 4096
MOST_STEPS = 2**22
"""Ways in which a pattern may match a text: the limit of how long one match may take."""

MOST_SEARCH_STEPS = 2**28
"""The same of a search, which harms nobody but the session whose output it is about."""
SHORTEST_REACH = 256
"""Characters of a text that a pattern must be able to search."""

_TOKEN = re.compile(
    r"""
    (?P<escape> \\ (?: [0-9]+ | . ))
    | (?P<set> \[ \^? \]? (?: \\. | [^\]\\] )* \])
    | (?P<flags> \(\? [ims]+ \))
    | (?P<open> \( (?: \?: | \?P<\w+> | (?!\?) ))
    | (?P<foreign> \(\? .?.?)
    | (?P<close> \))
    | (?P<branch> \|)
    | (?P<quantifier> (?: [*+?] | \{ (?P<least> \d*) (?P<comma> ,?) (?P<most> \d*) \} ) [?+]?)
    | (?P<other> .)
    """,
    re.VERBOSE | re.DOTALL,
)
_ANCHORED = re.compile(r"(\(\?[is]+\))?\^")
"""Searched from the begin of a text only."""
_ESCAPE, _SET_OPERATION = re.compile(r"\\."), re.compile(r"\[|--|&&|\|\||~~")


class _Refused(Exception):
    """The pattern breaks a limit; the message is the end of a sentence that begins with it."""


@dataclass
class _Group:
    """A group that is open, or the whole pattern."""

    branches: int = 1
    has_choice: bool = False
    """Whether it holds a quantifier, or a group with several branches."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression within the limits."""

    regex: re.Pattern[str]
    choices: int
    """How many ways to match it has by its optional and alternative parts."""
    unbounded: int
    """How many of its parts may repeat as often as the text allows."""

    @property
    def reach(self) -> int:
        """How many characters of a text are searched."""
        is_anchored = "|" not in self.regex.pattern and _ANCHORED.match(self.regex.pattern)
        power = self.unbounded + (0 if is_anchored else 1)
        reach = (MOST_SEARCH_STEPS / self.choices) ** (1 / max(power, 1))
        return min(LONGEST_TEXT, int(reach + 1e-6))  # 512, not 511.9999999

    def is_in(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the first `reach` characters of the text."""
        return self.regex.search(text[: self.reach]) is not None

    def is_whole(self, text: str) -> bool:
        """Whether the pattern matches the whole text, which must not be `is_too_long`."""
        return self.regex.fullmatch(text) is not None

    def is_too_long(self, text: str) -> bool:
        """Whether a match may take too long, or the text is longer than what is looked at."""
        steps = self.choices * (len(text) + 1) ** self.unbounded
        return len(text) > LONGEST_TEXT or steps > MOST_STEPS


def why_not(pattern: str) -> str:
    """Return why a pattern is not taken, as the end of a sentence that begins with it; or ''."""
    try:
        compiled(pattern)
    except ValueError as error:
        return str(error)
    return ""


def why_not_searchable(pattern: str) -> str:
    """Return the same of a pattern that is to be looked for in lines."""
    if why := why_not(pattern):
        return why
    found = compiled(pattern)
    if found.is_in(""):
        return "is found even in an empty line: write what such a line has"
    if found.reach < SHORTEST_REACH:
        return (
            f"repeats {found.unbounded} parts without a bound and can match in {found.choices} "
            f"ways by its '?', '{{m,n}}' and '|', so that searching a line takes too long: begin "
            f"it with '^', or leave out one of the two repeats"
        )
    return ""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """Return the pattern. Raises ValueError, with the end of a sentence that begins with it."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"has {len(pattern)} characters: use at most {LONGEST_PATTERN}")
    try:
        choices, unbounded = _counted(pattern)
        return Pattern(re.compile(pattern), choices, unbounded)
    except _Refused as refused:
        raise ValueError(str(refused)) from None
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from None


def _counted(pattern: str) -> tuple[int, int]:
    """Return the pattern's choices and its unbounded repeats. Raises _Refused."""
    choices, unbounded = 1, 0
    groups = [_Group()]
    closed: _Group | None = None
    """The group that ends right before the token."""
    for token in _TOKEN.finditer(pattern):
        kind, text, before = token.lastgroup, token.group(), closed
        closed = None
        _check_syntax(token)
        if kind == "open":
            groups.append(_Group())
        elif kind == "close" and len(groups) > 1:
            closed = groups.pop()
            choices *= closed.branches
            closed.has_choice |= closed.branches > 1
            groups[-1].has_choice |= closed.has_choice
        elif kind == "branch":
            groups[-1].branches += 1
        elif least_most := _repeats(token):
            least, most = least_most
            if before and most != 1 and before.has_choice:
                raise _Refused(
                    f"has the quantifier {text} on a group that holds a quantifier or '|': repeat "
                    "a set of characters such as [a-z0-9] instead"
                )
            groups[-1].has_choice = True
            unbounded += most is None
            choices *= 1 if most is None else max(1, most - least + 1)
    choices *= groups[0].branches
    if unbounded > MOST_UNBOUNDED:
        raise _Refused(
            f"has {unbounded} of '*', '+' and '{{n,}}': use at most {MOST_UNBOUNDED}, and write "
            "the others as {0,16}"
        )
    if choices > MOST_CHOICES:
        raise _Refused(
            f"can match in {choices} ways by its '?', '{{m,n}}' and '|': simplify it to at most "
            f"{MOST_CHOICES}"
        )
    return choices, unbounded


def _check_syntax(token: re.Match[str]) -> None:
    """Raise _Refused for what begins with ``(?`` or a backslash and is not in the subset."""
    text = token.group()
    if token.lastgroup == "foreign" or (token.lastgroup == "flags" and token.start() > 0):
        raise _Refused(
            f"has {text!r}: of what begins with '(?' only '(?:', '(?P<name>' and, at the start, "
            "the flags i, m and s are taken"
        )
    if token.lastgroup == "escape" and text[1] in "123456789":
        raise _Refused(f"has the back-reference {text!r}: write what it should match")
    if token.lastgroup == "set" and _SET_OPERATION.search(_ESCAPE.sub("", text[1:])):
        raise _Refused(
            f"has the set {text}, whose '[', '--', '&&', '||' or '~~' may mean something else in "
            "later releases of Python: put a backslash before each"
        )


def _repeats(token: re.Match[str]) -> tuple[int, int | None] | None:
    """Return how often a quantifier repeats at least and at most; None where it is none.

    To `re`, ``{}`` and ``{x}`` are plain text, and so are ``{,}`` and ``{,n}`` to some releases.
    """
    if token.lastgroup != "quantifier":
        return None
    simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if (found := simple.get(token.group()[0])) is not None:
        return found
    least, comma, most = token["least"], token["comma"], token["most"]
    if not least and not most and not comma:
        return None
    if len(least) > 4 or len(most) > 4:  # noqa: PLR2004  # no text is that long
        raise _Refused(f"has the quantifier {token.group()}: use numbers of at most 4 digits")
    return int(least or 0), (int(most) if most else None) if comma else int(least)
