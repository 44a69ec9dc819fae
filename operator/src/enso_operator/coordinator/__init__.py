"""Drives one job over any store and any sessions; `actor` is where to begin."""
