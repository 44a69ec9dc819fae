"""From a file or an object to a job, and back; `load` reads a file."""
