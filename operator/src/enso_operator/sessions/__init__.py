"""The two adapters that run sessions: Pods and local processes."""
