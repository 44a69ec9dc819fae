"""The scripts of a template, read out of it: what each runs and gets, and what speaks against it.

Values of parameters are not known: what depends on them is shown as it is written, and not judged.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from enso_operator.api.template import EnsoJobTemplate
from enso_operator.http_api.offers import MOST_OFFERS, Offer, TemplateScript, Verdict
from job_execution_framework.domain.arguments import problems
from job_execution_framework.domain.secret import Secret
from job_execution_framework.domain.values import is_list, is_mapping, leaves

Described = Mapping[object, object]
"""A script as a template describes it."""
OWN_SOURCE = "a source of its own"
_REFERENCE = "$("


@dataclass(frozen=True)
class KnownScripts:
    """What is known of a library."""

    offers: Mapping[str, Offer]
    """Its scripts, by the spelling in which names are compared."""
    is_complete: bool
    """Whether what is not among them is not there."""

    @classmethod
    def of(cls, offers: Sequence[Offer]) -> Self:
        """Return what a list of scripts says; an empty one is of a library that has no list."""
        is_complete = 0 < len(offers) < MOST_OFFERS
        return cls({_key(offer.name): offer for offer in offers}, is_complete)

    def verdict(self, name: str, arguments: Mapping[str, object]) -> Verdict:
        """Return what speaks against a job that runs this script so."""
        key = _key(name)
        if offer := self.offers.get(key):
            if offer.problem:
                why = f"script {name!r} of the library cannot be used: {offer.problem}"
                return Verdict(would_fail=why)
            found = problems(name, offer.takes, arguments) if offer.takes else ()
            return Verdict("; ".join(f"argument {one.parameter!r} {one.why}" for one in found))
        if not self.is_complete or ":" in name or _REFERENCE in name:
            return NOTHING
        near = difflib.get_close_matches(key, self.offers, n=1)
        hint = f"did you mean {self.offers[near[0]].name!r}?" if near else "add it to the library"
        return Verdict(would_fail=f"there is no script {name!r} in the library: {hint}")


NOTHING = Verdict()
"""Nothing is known against it."""
UNKNOWN = KnownScripts({}, is_complete=False)
"""A library of which nothing is known."""


def scripts_in(
    template: EnsoJobTemplate,
    known: KnownScripts,
    verdict_here: Callable[[Described], Verdict] = lambda _: NOTHING,
) -> tuple[TemplateScript, ...]:
    """Return the scripts of a template, in order, its finally scripts last.

    `verdict_here` says what speaks against a script that is of no library.
    """
    return tuple(
        _script(script, known, verdict_here, is_final=field == "finally")
        for field in ("scripts", "finally")
        for script in _mappings(template.spec.job.get(field))
    )


def _script(
    script: Described,
    known: KnownScripts,
    verdict_here: Callable[[Described], Verdict],
    *,
    is_final: bool,
) -> TemplateScript:
    library = _text(script, "scriptRef", "name")
    return TemplateScript(
        str(script.get("name") or ""),
        _runs(script, library),
        "" if _REFERENCE in library else library,
        dict(_gets(script)),
        is_final,
        known.verdict(library, dict(_judged(script))) if library else verdict_here(script),
    )


def _runs(script: Described, library: str) -> str:
    if library:
        return library
    if image := _text(script, "container", "image"):
        return f"a container of {image}"
    return str(script.get("function") or OWN_SOURCE)


def _gets(script: Described) -> Iterator[tuple[str, object]]:
    arguments = script.get("args")
    if is_mapping(arguments):
        yield from ((str(name), value) for name, value in arguments.items())
    for argument in _mappings(script.get("argsFrom")):
        name = str(argument.get("name") or "")
        if of := _text(argument, "outputOf", "script"):
            key = _text(argument, "outputOf", "key")
            yield name, f"{f'{key} of ' if key else ''}the output of {of}"
        else:
            yield name, f"of the Secret {_text(argument, 'secretKeyRef', 'name')}"


def _judged(script: Described) -> Iterator[tuple[str, object]]:
    """Yield the arguments; of those whose values are not known yet only that they are given."""
    for name, value in _gets(script):
        texts = (leaf for leaf in leaves(value) if isinstance(leaf, str))
        yield name, Secret(value) if any(_REFERENCE in text for text in texts) else value
    for argument in _mappings(script.get("argsFrom")):
        yield str(argument.get("name") or ""), Secret(argument)


def _mappings(items: object) -> Iterator[Described]:
    if is_list(items):
        yield from (item for item in items if is_mapping(item))


def _text(document: Described, block: str, field: str) -> str:
    found = document.get(block)
    return str(found.get(field) or "") if is_mapping(found) else ""


def _key(name: str) -> str:
    return name.replace("-", "_").lower()
