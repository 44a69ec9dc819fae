"""What holds for all properties that are tested with random examples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No example has to be quick: a busy machine stops for longer than hypothesis waits by default.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
