"""What is asked of the API server; `client` is the one way to ask."""
