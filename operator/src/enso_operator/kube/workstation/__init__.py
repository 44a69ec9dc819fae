"""A small client of the API server for commands that people type, with their kubeconfig.

`cli/jobs` calls it. The operator's client, `kube/client.py`, takes a second to import; this one
needs the standard library and a YAML parser only (docs/decisions/0008).
"""
