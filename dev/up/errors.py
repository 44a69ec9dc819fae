"""What any step raises that cannot go on."""


class Failed(Exception):
    """A sentence for whoever ran `make up`."""
