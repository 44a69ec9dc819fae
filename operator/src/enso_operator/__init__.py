"""enso-executer around the core: command line, HTTP API, and what reaches the outside world."""
