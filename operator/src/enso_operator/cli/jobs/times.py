"""Times and durations for people: parsed from options, and formatted as kubectl does."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from job_execution_framework.domain.errors import EnsoError

MINUTE, HOUR, DAY = 60, 3600, 86400
_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_PART = re.compile(r"([0-9]+)([smhdwy])")
_YEAR = 365 * DAY


class InvalidTime(EnsoError):
    """An option's value is no time or no duration."""


def age(seconds: float) -> str:
    """Return a duration as kubectl shows it: ``41s``, ``12m``, ``5h12m``, ``3d``."""
    whole = max(0, int(seconds))
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 10 * MINUTE:
        return _two_units(whole, MINUTE, "m", 1, "s")
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR:
        return _two_units(whole, HOUR, "h", MINUTE, "m")
    if whole < 2 * DAY:
        return f"{whole // HOUR}h"
    if whole < 8 * DAY:
        return _two_units(whole, DAY, "d", HOUR, "h")
    return f"{whole // DAY}d"


def seconds_of_age(text: str) -> float:
    """Return the smallest number of seconds that is shown as this age; 0 if it is no age."""
    units = {**_UNITS, "y": _YEAR}
    return sum(int(number) * units[unit] for number, unit in _PART.findall(text))


def duration(text: str) -> float:
    """Return the seconds of ``90``, ``90s``, ``10m``, ``2h`` or ``1h30m``; raise InvalidTime."""
    if text.isdecimal():
        return int(text)
    if not re.fullmatch(r"([0-9]+[smhdw])+", text):
        raise InvalidTime(f"{text!r} is no duration: write 90s, 10m, 2h or 1h30m")
    return seconds_of_age(text)


def since(text: str, now: datetime) -> datetime:
    """Return the time for ``20:00``, ``2h`` or ``2026-11-29``; raise InvalidTime.

    A time of day is the latest one before now. Times without a time zone are in that of `now`.
    """
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
        hour, minute = map(int, text.split(":"))
        try:
            at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        except ValueError:
            raise _not_a_time(text) from None
        return at if at <= now else at - timedelta(days=1)
    if re.fullmatch(r"([0-9]+[smhdw])+", text):
        return now - timedelta(seconds=seconds_of_age(text))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _not_a_time(text) from None
    return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)


def _not_a_time(text: str) -> InvalidTime:
    return InvalidTime(f"{text!r} is no time: write 20:00, 2h, 2026-11-29 or 2026-11-29T20:00")


def _two_units(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")
