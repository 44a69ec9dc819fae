"""The HTTP API: `app` has its routes, which call `port`; two backends implement it."""
