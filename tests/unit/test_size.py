"""The framework stays something that a stranger can read in an hour (docs/decisions/0003)."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/src/job_execution_framework"
MOST_LINES_OF_A_FILE = 400
MOST_CODE_LINES = 2663
MOST_CODE_LINES_OF_AN_HOUR = 1610
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(file: Path) -> int:
    """Count the lines that are neither blank nor comment nor docstring."""
    text = file.read_text("utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = {n for t in tokens if t.type not in NO_CODE for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


def test_the_domain_and_its_services_can_be_read_in_an_hour() -> None:
    files = [*CORE.glob("domain/*.py"), *CORE.glob("service_layer/*.py")]
    assert sum(map(code_lines, files)) <= MOST_CODE_LINES_OF_AN_HOUR


def test_the_whole_core_does_not_grow() -> None:
    assert sum(map(code_lines, CORE.rglob("*.py"))) <= MOST_CODE_LINES


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    files = [file for place in ("core", "operator", "dev") for file in (ROOT / place).rglob("*.py")]
    longest = max(files, key=lambda file: len(file.read_text("utf-8").splitlines()))
    assert len(longest.read_text("utf-8").splitlines()) <= MOST_LINES_OF_A_FILE, longest
