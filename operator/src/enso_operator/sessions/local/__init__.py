"""Sessions that are processes of this machine, with a journal on disk."""
