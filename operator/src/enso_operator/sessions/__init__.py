"""The two places where a session may run."""
