"""What the operator tells of itself: probes, metrics, its log."""
