"""A script of the shots that the tests of pages show."""


def main(path: str) -> None:
    """Open a shot.

    Args:
        path: Where its scene is.

    """
    print(f"opened {path}")
