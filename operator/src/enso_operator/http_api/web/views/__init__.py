"""What the templates show, as pure functions: neither HTML nor I/O."""
