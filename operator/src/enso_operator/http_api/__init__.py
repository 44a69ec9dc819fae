"""The HTTP API: `app` has its routes, `port` what they stand on, two backends implement that."""
