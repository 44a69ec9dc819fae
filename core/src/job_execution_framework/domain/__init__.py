"""What a job is and what may happen to it: pure, no I/O, no clock of its own."""
