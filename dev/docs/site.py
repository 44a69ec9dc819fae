"""Builds the documentation as a site, for `make docs`.

Pages link to one another, to the README and to examples as they do in the checkout, so the site has
them in the same folders: they are copied beside zensical.toml, and zensical builds what is there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.checkout import CHECKOUT, Failed

CONFIGURATION = Path(__file__).with_name("zensical.toml")
SITE = CHECKOUT / "site"
PUBLISHED = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs",
    "examples",
    "deploy/argocd/argocd-cm.yaml",
    "deploy/flux",
    "deploy/helm/enso-executer/README.md",
    "deploy/policies",
)
"""Files and folders of the checkout that the site has; others cannot be linked to."""


def build(checkout: Path = CHECKOUT, site: Path = SITE) -> Path:
    """Build the site, and return its first page. Raise Failed with all broken links."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / CONFIGURATION.name).write_text(configuration(checkout), "utf-8")
        for name in PUBLISHED:
            _copy(checkout / name, work / "pages" / name)
        zensical = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(
            [*zensical, "--config-file", str(work / CONFIGURATION.name)],
            capture_output=True,
            text=True,
            check=False,
            env=_ENVIRONMENT,
        )
        if done.returncode:
            raise Failed(f"{done.stdout}{done.stderr}")
        shutil.rmtree(site, ignore_errors=True)
        shutil.move(work / "site", site)
    return site / "index.html"


_ENVIRONMENT = {"NO_COLOR": "1", "PATH": ""}
"""Of zensical, which needs no other program."""


def configuration(checkout: Path = CHECKOUT) -> str:
    """Return zensical's configuration, with the pages that a pattern in its navigation names."""

    def pages(pattern: re.Match[str]) -> str:
        found = sorted(page.relative_to(checkout).as_posix() for page in checkout.glob(pattern[1]))
        return "".join(f'"{page}", ' for page in found)

    return re.sub(r'"(docs/[^"*]*\*[^"]*)",', pages, CONFIGURATION.read_text("utf-8"))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
