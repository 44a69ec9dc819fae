"""Draws recorded commands as a picture that moves: each line appears after the one before it.

A browser shows it without a script. Where motion is unwanted (`prefers-reduced-motion`) all lines
are there from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from dev.pictures.terminal import COLUMNS, Line, Said
from rich.segment import Segment
from rich.terminal_theme import SVG_EXPORT_THEME

CHARACTER_WIDTH, LINE_HEIGHT, MARGIN = 7.8, 19, 20
"""In pixels, at the font size below."""
TYPING_SECONDS, LINE_SECONDS, READING_SECONDS = 1.2, 0.12, 4.0
"""Before the output of a command, between its lines, and after its last one."""
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>{title}</title>
<style>
text {{ font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre;
  fill: #d8dee3 }}
.bold {{ font-weight: 700 }}
.dim {{ opacity: .62 }}
.typed {{ fill: #fff; font-weight: 700 }}
.prompt {{ fill: #6bb8c9 }}
.line {{ animation: appear 1ms both }}
@keyframes appear {{ from {{ visibility: hidden }} to {{ visibility: visible }} }}
@media (prefers-reduced-motion: reduce) {{ .line {{ animation: none }} }}
</style>
<rect width="100%" height="100%" rx="8" fill="#16191d"/>
"""


def draw(title: str, recorded: Sequence[Said]) -> str:
    """Return the picture, as SVG."""
    rows = list(_rows(recorded))
    width = round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN)
    height = len(rows) * LINE_HEIGHT + 2 * MARGIN
    return "".join(
        (
            _HEAD.format(width=width, height=height, title=escape(title)),
            *(_drawn(number, at, spans) for number, (at, spans) in enumerate(rows)),
            "</svg>\n",
        )
    )


def _rows(recorded: Sequence[Said]) -> Iterator[tuple[float, str]]:
    """Yield each line of the picture, and the second at which it appears."""
    at = 0.5
    for number, said in enumerate(recorded):
        if number:
            yield at, ""
        yield (
            at,
            f'<tspan class="prompt">$ </tspan><tspan class="typed">{escape(said.command)}</tspan>',
        )
        at += TYPING_SECONDS
        for line in said.lines:
            yield at, _spans(line)
            at += LINE_SECONDS
        at += READING_SECONDS


def _drawn(number: int, at: float, spans: str) -> str:
    if not spans:
        return ""
    y = MARGIN + (number + 1) * LINE_HEIGHT - 5
    place = f'style="animation-delay:{at:.2f}s" x="{MARGIN}" y="{y}"'
    return f'<text class="line" {place}>{spans}</text>\n'


def _spans(line: Line) -> str:
    return "".join(map(_span, Segment.simplify(line)))


def _span(segment: Segment) -> str:
    style = segment.style
    if not style:
        return escape(segment.text)
    classes = " ".join(_classes(bold=bool(style.bold), dim=bool(style.dim)))
    attributes = f' class="{classes}"' if classes else ""
    if style.color and not style.color.is_default:
        attributes += f' fill="{style.color.get_truecolor(SVG_EXPORT_THEME).hex}"'
    return f"<tspan{attributes}>{escape(segment.text)}</tspan>"


def _classes(*, bold: bool, dim: bool) -> Iterable[str]:
    if bold:
        yield "bold"
    if dim:
        yield "dim"
