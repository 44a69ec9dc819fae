"""A script that fails with too few substeps, and writes what a page must not take for HTML."""

from typing import Annotated


def main(
    substeps: Annotated[int, {"minimum": 1, "maximum": 64}] = 1, title: str = "banner"
) -> dict[str, int]:
    """Simulate the banner.

    Args:
        substeps: Steps in each frame.
        title: What it is called.

    """
    print(f"simulating {title} & 'quoted' \x1b[31mred\x1b[0m </pre><script>alert(1)</script>")
    if substeps < 2:
        needed = "stiffness 5000 needs at least 2 substeps"
        raise RuntimeError(f"the banner exploded at frame 3: {needed}, not {substeps}")
    return {"frames": 48}
