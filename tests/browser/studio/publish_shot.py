"""A script of the shots that the tests of pages show."""


def main(release: str) -> None:
    """Publish a shot."""
    print(f"published {release}")
