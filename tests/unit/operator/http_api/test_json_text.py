"""What a terminal gets to see of the answers of the HTTP API."""

from __future__ import annotations

import json
import unicodedata

import pytest

from enso_operator.http_api.json_text import json_text
from tests.support.api import Api

pytestmark = pytest.mark.anyio
OBEYED = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
REORDER = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = "\u200b\u2028\u2029\u2060\ufeff\U000e0001\U000e0041"


@pytest.mark.parametrize("text", [OBEYED, REORDER, UNSEEN, "\ud800 alone", "\x7f"])
def test_what_a_terminal_obeys_is_escaped_and_means_the_same(text: str) -> None:
    for document in ({"text": text}, {text: [text] * 100}):
        written = json_text(document)
        kinds = {unicodedata.category(c) for c in written.replace("\n", "")}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert json.loads(written) == document


def test_what_people_write_stays_as_it_is() -> None:
    text = "旗のシミュレーション\u3000フレーム 12, é, 👩\u200d🎨, \u00a0 \ue000"
    assert text in json_text({"text": text})


async def test_answers_are_written_so(api: Api) -> None:
    evil = "\x9b31m\u202e\u2028"
    jobid = await api.add(["say", {"text": evil}])

    answer = await api.get(f"/get-job/{jobid}")

    assert "\\u009b31m\\u202e\\u2028" in answer.text
    assert not {"\x9b", "\u202e", "\u2028"} & set(answer.text)
    assert answer.json()["scripts"][0]["parameters"] == {"text": evil}
