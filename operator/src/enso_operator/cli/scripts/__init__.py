"""The commands about the scripts of a library: ``enso scripts``."""
