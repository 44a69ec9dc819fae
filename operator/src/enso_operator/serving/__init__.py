"""HTTP within an event loop of ours."""
