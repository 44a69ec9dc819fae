"""What a PromQL expression asks for: metrics, their labels, and the values of these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql

ADDED = {"namespace", "pod"}
"""Labels that Prometheus adds to what a Pod tells."""


@dataclass(frozen=True)
class Selected:
    """One selector of an expression, with the labels by which it is aggregated."""

    metric: str
    wanted: tuple[tuple[str, str], ...]
    """Labels and the values that they must have; of a regular expression each alternative."""


def selectors(expression: str) -> Iterator[Selected]:
    """Yield each selector of an expression. Raise ValueError where it is no PromQL."""
    yield from _in(promql.parse(expression))


def aggregated(expression: str) -> set[str]:
    """Return the labels by which an expression aggregates."""
    return {
        label
        for labels in re.findall(r"\bby \(([^)]*)\)", expression)
        for label in re.split(r",\s*", labels)
    }


def _in(expression: promql.Expr) -> Iterator[Selected]:
    match expression:
        case promql.VectorSelector():
            yield _selected(expression)
        case promql.MatrixSelector():
            yield _selected(expression.vector_selector)
        case promql.Call():
            for argument in expression.args:
                yield from _in(argument)
        case promql.BinaryExpr():
            yield from _in(expression.lhs)
            yield from _in(expression.rhs)
        case promql.AggregateExpr() | promql.ParenExpr():
            yield from _in(expression.expr)
        case promql.NumberLiteral() | promql.StringLiteral():
            pass
        case _:
            raise TypeError(f"no such part was expected: {expression!r}")


def _selected(selector: promql.VectorSelector) -> Selected:
    wanted = [
        (matcher.name, value)
        for matcher in selector.matchers.matchers
        for value in (
            matcher.value.split("|") if matcher.op == promql.MatchOp.Re else [matcher.value]
        )
    ]
    return Selected(str(selector.name), tuple(wanted))
