"""Why a resume is refused: beside the field that is to blame, and in the words of the form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from enso_operator.http_api.blame import Part, Refusal
from enso_operator.http_api.web.views.fields import Field
from enso_operator.http_api.web.views.wrong_values import as_sentence, refused
from enso_operator.manifests.errors import Location

Said = Mapping[str, str]
"""Sentences by the ids of the fields that they are about; those about none by ""."""
_FIELDS: Mapping[Part | None, str] = {"from_script": "from", "skip": "skip"}


def said_of(refusals: Iterable[Refusal], job_id: str, fields: Mapping[str, Field]) -> Said:
    """Return what is said of a resume that is not possible; `fields` are its arguments by id."""
    said = list[tuple[str, str]]()
    for refusal in refusals:
        place = _FIELDS.get(refusal.part, "")
        if refusal.argument and (id_ := argument_id(refusal.script, refusal.argument)) in fields:
            said.append((id_, _of_argument(refusal, fields[id_])))
        else:
            said.append((place, _of_job(refusal.why, job_id)))
    return _joined(said)


def argument_id(script: str, name: str) -> str:
    """Return the id of the field of an argument."""
    return f"arg:{script}:{name}"


def said_of_shape(
    errors: Sequence[tuple[Location, str]], scripts: Sequence[str], fields: Mapping[str, Field]
) -> Said:
    """Return what is said of what makes no request at all; `scripts` are those that it changes."""
    said = list[tuple[str, str]]()
    for location, text in errors:
        match location:
            case ("why", *_) | ("resume", "from" | "skip", *_):
                said.append((str(location[0 if location[0] == "why" else 1]), f"This {text}"))
            case ("resume", "scripts", int(number), _, str(name), *_) if (
                id_ := argument_id(scripts[number], name)
            ) in fields:
                said.append((id_, f"This {text}"))
            case _:
                said.append(("", f"{'.'.join(map(str, location))} {text}"))
    return _joined((place, as_sentence(text)) for place, text in said)


def _of_job(why: str, job_id: str) -> str:
    """Return the sentence without the job's name, which the page has."""
    rest = why.removeprefix(f"job {job_id} ")
    told = rest.removeprefix("cannot be resumed so: ")
    return as_sentence(f"it {rest}" if rest == told != why else told)


def _of_argument(refusal: Refusal, field: Field) -> str:
    if refusal.problem:
        return refused(field, refusal.problem).wrong
    why = refusal.why.partition(": ")[2] or refusal.why
    this = f"args.{refusal.argument} of script {refusal.script!r}"
    return as_sentence(why.replace(this, "this", 1))


def _joined(said: Iterable[tuple[str, str]]) -> Said:
    found = dict[str, str]()
    for place, text in said:
        found[place] = f"{found[place]} {text}" if place in found else text
    return found
