"""What an error says of many mistakes."""

from __future__ import annotations

from job_execution_framework.domain.errors import InvalidJob


def test_the_first_of_many_mistakes_are_told_and_how_many_more_there_are() -> None:
    sentences = [f"argument {number} is wrong" for number in range(100)]
    error = InvalidJob(*sentences)
    assert str(error) == f"{'; '.join(sentences[:10])}; and 90 more of this kind"
    assert error.sentences == tuple(sentences)
    assert str(InvalidJob(*sentences[:10])) == "; ".join(sentences[:10])
