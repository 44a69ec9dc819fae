"""What a job is and what may happen to it: pure rules, without I/O and without a clock.

Begin with `job`.
"""
