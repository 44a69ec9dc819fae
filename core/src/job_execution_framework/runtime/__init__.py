"""What runs a session: a supervisor in plain Python and one child, the session's interpreter."""
