"""The API server as a person's command asks it: with their kubeconfig, and ready in a moment.

`cli/jobs` calls it. The operator's way, `kube/client.py`, takes a second to import; this one is
made of the standard library and a YAML parser (docs/decisions/0008).
"""
