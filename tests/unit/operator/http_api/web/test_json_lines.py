"""JSON in narrow columns: as it is, and with nothing to break a line at behind its indentation."""

from __future__ import annotations

from enso_operator.http_api.web.views.json_lines import indented


def test_the_spaces_of_a_line_stay_with_what_follows_them() -> None:
    assert indented('{\n  "a": "b c"\n}') == (
        '{\n<span class="indent">  &#34;</span>a&#34;: &#34;b c&#34;\n}'
    )


def test_nothing_in_it_is_html_or_reorders_a_line() -> None:
    shown = indented('[\n  "<b>\u202e\x1b",\n"<i>\u202e"')
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "\u202e" not in shown
    assert "\x1b" not in shown
