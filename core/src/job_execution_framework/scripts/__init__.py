"""Scripts that come with the package; each has a ``main``, as every library script."""
