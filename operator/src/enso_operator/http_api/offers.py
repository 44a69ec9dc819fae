"""What there is to run: the scripts of the library and the templates, with what they take."""

from __future__ import annotations

from dataclasses import dataclass

from job_execution_framework.domain.parameters import Parameters

MOST_OFFERS = 1000
"""Scripts, or templates, of one list; further ones are found by their names only."""


@dataclass(frozen=True)
class Offer:
    """A script of the library, or a template."""

    name: str
    description: str = ""
    takes: Parameters | None = None
    """None where nothing is known of it: then any arguments are taken."""
    problem: str = ""
    """Why it cannot be used; "" where it can."""
