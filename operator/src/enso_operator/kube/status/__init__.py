"""The status of an EnsoJob: `write` makes it of a job, `read` makes a job of it."""
