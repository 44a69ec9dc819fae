"""The recording in the README: what is typed and said, drawn without loss."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from dev.checkout import CHECKOUT, Failed
from dev.pictures.commands import FOLDER, recording
from dev.pictures.svg import draw
from dev.pictures.terminal import COLUMNS, Said, lines_of, record

SVG = "{http://www.w3.org/2000/svg}"


def read(picture: str) -> list[str]:
    """Return the lines of a picture, as somebody reads them."""
    root = ET.fromstring(picture)  # noqa: S314  # ours
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_hostile_output_is_drawn_as_it_was_printed() -> None:
    said = Said(
        "enso <b> & 'c'", lines_of('\x1b[31m</text><script>\x1b[0m "quoted" & フレーム\n\nend\n')
    )

    assert read(draw("title", [said])) == [
        "$ enso <b> & 'c'",
        '</text><script> "quoted" & フレーム',
        "end",
    ]


def test_a_long_line_is_broken_and_none_of_it_is_lost() -> None:
    lines = lines_of("x" * (2 * COLUMNS + 1))

    assert ["".join(segment.text for segment in line) for line in lines] == [
        "x" * COLUMNS,
        "x" * COLUMNS,
        "x",
    ]


def test_lines_appear_in_their_order() -> None:
    picture = draw("title", [Said("a", lines_of("b\nc")), Said("d", lines_of("e"))])

    delays = [float(delay) for delay in re.findall(r"animation-delay:([0-9.]+)s", picture)]
    assert delays == sorted(delays)
    assert len(delays) == len(read(picture))


def test_a_command_that_goes_otherwise_is_no_recording() -> None:
    with pytest.raises(Failed, match=r"exited with 2, not 0: .*there-is-no-such"):
        record({"enso run there-is-no-such.yaml": 0})


def test_the_committed_recording_is_what_the_commands_say_today(tmp_path: Path) -> None:
    made = recording(tmp_path)

    assert _without_times(made.read_text("utf-8")) == _without_times(
        (FOLDER / made.name).read_text("utf-8")
    )


def test_the_readme_shows_it() -> None:
    assert "docs/pictures/failing-job.svg" in (CHECKOUT / "README.md").read_text("utf-8")


def _without_times(picture: str) -> list[str]:
    """Leave out how long scripts took, and the digest of the checkout's path in a folder's name.

    Words and not lines: where a long line is broken depends on how long a script took.
    """
    told = re.compile(r"\d+(\.\d)? m?s\b|(?<=publish-shot-broken-)[0-9a-f]{8}")
    return told.sub("", unescape("\n".join(read(picture)))).split()
