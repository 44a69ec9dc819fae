"""Whose rights decide: who asks the HTTP API, and with which credentials the cluster is asked."""
