"""Sessions as Pods: how each is made, released, followed and ended."""
