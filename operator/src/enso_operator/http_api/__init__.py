"""The HTTP API; `app` has its routes, and the backends are what it stands on."""
