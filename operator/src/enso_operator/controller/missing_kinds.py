"""Kinds of ours that the API server does not serve: told once, and looked for more and more seldom.

kopf looks for them only as it starts, and lists all objects then. `watch.py` starts it anew.
"""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet

from enso_operator.blocking import pause_of
from enso_operator.kube.ensojob import KIND

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 300.0
"""Bounds of the pause before they are looked for again."""
_log = logging.getLogger(__name__)


class MissingKinds:
    """What is missing, and since how many looks."""

    def __init__(self) -> None:
        self._missing: AbstractSet[str] = frozenset()
        self._looks = 0

    def pause(self, missing: AbstractSet[str]) -> float | None:
        """Return after how many seconds to look again for what is missing; None if nothing is."""
        if missing != self._missing:
            self._missing, self._looks = missing, 0
            if missing:
                kinds = " and ".join(sorted(missing))
                _log.error("the API server does not serve %s: install our CRDs, all of them", kinds)
            else:
                _log.info("the API server serves all of our kinds now")
        if not missing:
            return None
        if KIND in missing:  # nothing runs, and a look costs nothing: there are no jobs to list
            return SHORTEST_PAUSE_SECONDS
        self._looks += 1
        return pause_of(self._looks - 1, SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
