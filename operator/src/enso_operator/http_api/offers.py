"""What there is to run: the scripts of the library and the templates, with what they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from job_execution_framework.domain.parameters import Parameters

MOST_OFFERS = 1000
"""Scripts, or templates, of one list; further ones are found by their names only."""


@dataclass(frozen=True)
class Verdict:
    """What is known against a script: each the end of a sentence, or ''."""

    why_not: str = ""
    """Why no job may have it: whoever adds one is refused."""
    would_fail: str = ""
    """Why it would fail as things are now; it may be mended until a job starts it."""


@dataclass(frozen=True)
class TemplateScript:
    """A script of a template; the template's parameters stand in it as ``$(params.NAME)``."""

    name: str
    runs: str
    """What it runs, in words."""
    library: str = ""
    """The script of the library that it runs; "" where it is another, or not known yet."""
    gets: Mapping[str, object] = field(default_factory=dict[str, object])
    """Its arguments, as they are written."""
    is_final: bool = False
    verdict: Verdict = Verdict()
    """What is known against it."""


@dataclass(frozen=True)
class Offer:
    """A script of the library, or a template."""

    name: str
    description: str = ""
    takes: Parameters | None = None
    """None where nothing is known of it: then any arguments are taken."""
    problem: str = ""
    """Why it cannot be used; "" where it can."""
    scripts: tuple[TemplateScript, ...] = ()
    """Those of a template, in order."""

    @property
    def why_not(self) -> str:
        """Why a run of it is refused, as far as that is known; "" otherwise."""
        said = ((one.name, one.verdict.why_not) for one in self.scripts)
        return self.problem or _joined(said)

    @property
    def would_fail(self) -> str:
        """Why a run of it would fail as things are now, as far as that is known; "" otherwise."""
        return _joined((one.name, one.verdict.would_fail) for one in self.scripts)


def _joined(said: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in said if why)
