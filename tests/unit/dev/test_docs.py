"""The documentation as a site, and the links of every page as it is read in the checkout."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dev.checkout import CHECKOUT, Failed
from dev.docs.site import PUBLISHED, build, configuration

from job_execution_framework.domain.values import is_list, is_mapping

PAGES = sorted(
    page
    for name in PUBLISHED
    for page in ([CHECKOUT / name] if (CHECKOUT / name).is_file() else (CHECKOUT / name).rglob("*"))
    if page.suffix == ".md"
)
CODE = re.compile(r"^(`{3,}).*?^\1$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(page: Path) -> list[str]:
    return LINK.findall(CODE.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> list[str]:
    """Return the anchors of a page, as GitHub makes them of its headings but for a second one."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings: list[str] = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = (re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading) for heading in headings)
    return [re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in plain]


def broken(page: Path) -> Iterator[str]:
    for link in links(page):
        path, _, anchor = link.partition("#")
        if re.match(r"https?:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [*broken(page)] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n\n[a](#here) [b](#there) [c](none.md) [d](page.md#here) `[e](no.md)`\n"
    )
    assert [*broken(page)] == ["#there", "none.md"]


def test_what_is_linked_to_is_on_the_site() -> None:
    published = [CHECKOUT / name for name in PUBLISHED]
    for page in PAGES:
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            known = {target, *target.parents}
            assert re.match(r"https?:|#", link) or known & {*published}, f"{page.name}: {link}"


def in_navigation(entry: object) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif is_mapping(entry):
        for inner in entry.values():
            yield from in_navigation(inner)
    elif is_list(entry):
        for inner in entry:
            yield from in_navigation(inner)


def test_every_page_is_in_the_navigation_once() -> None:
    told = [*in_navigation(tomllib.loads(configuration())["project"]["nav"])]
    assert sorted(told) == [str(page.relative_to(CHECKOUT)) for page in PAGES]


class Loaded(HTMLParser):
    """Collects what a page loads: all that it names but for links that people follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            named = (value for name, value in attrs if name in {"href", "src", "srcset"})
            self.found |= {value for value in named if value}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(CHECKOUT, tmp_path_factory.mktemp("built") / "site").parent


def test_the_site_has_every_page_and_its_words(site: Path) -> None:
    for page in PAGES:
        name = page.relative_to(CHECKOUT)
        built = site / name.with_name(
            "index.html" if name.stem == "README" else f"{name.stem}.html"
        )
        read = Loaded()
        read.feed(built.read_text("utf-8"))
        (title, *_) = re.findall(r"^# (.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert title.replace("`", "") in read.text
    found = (site / "search.json").read_text("utf-8")
    assert "endTimeoutSeconds" in found
    assert "spec.resume.sessions[]" in found


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    assert len(pages) >= len(PAGES)
    for page in pages:
        read = Loaded()
        read.feed(page.read_text("utf-8"))
        assert [name for name in read.found if re.match(r"\w+:|//", name)] == []
        for name in read.found:
            assert (page.parent / re.split(r"[?#]", name)[0]).exists() or page.name == "404.html"


def test_what_a_page_would_load_from_elsewhere_is_in_none(site: Path) -> None:
    """The theme's script fetches these where a page has such a part."""
    for page in site.rglob("*.html"):
        assert not re.search(
            r'class="[^"]*\b(mermaid|glightbox|pyodide)\b', page.read_text("utf-8")
        )


def test_a_site_with_a_broken_link_is_not_built(tmp_path: Path) -> None:
    for name in PUBLISHED:
        source, target = CHECKOUT / name, tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    with (tmp_path / "checkout/README.md").open("a") as readme:
        readme.write("\n[nowhere](docs/jobs.md#nowhere)\n")
    with pytest.raises(Failed, match="anchor does not exist"):
        build(tmp_path / "checkout", tmp_path / "site")
    assert not (tmp_path / "site").exists()
