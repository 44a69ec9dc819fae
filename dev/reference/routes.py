"""The page of the HTTP API's routes: what its OpenAPI document says, which /docs shows, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from dev.reference.fields import Fields, anchor
from dev.reference.markdown import code, table, text

from enso_operator.http_api.app import create_app
from enso_operator.http_api.auth.viewer import Everybody
from enso_operator.http_api.port import Jobs

Schema = Mapping[str, Any]

ANSWERS = ("status", "when", "body")


def routes_page() -> str:
    """Return the page."""
    routes = create_app(Everybody(cast("Jobs", None)))  # which are described, and never called
    return "".join(_page(routes.openapi()))


def _page(document: Schema) -> Iterator[str]:
    yield "# The HTTP API\n\n"
    yield (
        "The routes of `enso serve`, with and without `--embedded`; `/docs` of a server shows "
        "them, too. How they are used: [the HTTP API](../http.md). What is refused is answered by "
        f"[Problem]({anchor('Problem')}).\n\n"
    )
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    shared = _in_all([operation["responses"] for _, _, operation in operations])
    for method, path, operation in operations:
        yield from _route(method, path, operation, shared)
    yield "## Every route may answer\n\n"
    yield table(ANSWERS[:2], ([code(status), text(said)] for status, said in shared.items()))
    fields = Fields()
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from fields.sections(name, schema)


def _in_all(answers: list[Schema]) -> dict[str, str]:
    """Return the answers that all routes have in common."""
    first, *rest = answers
    return {
        status: str(answer["description"])
        for status, answer in first.items()
        if all(other.get(status) == answer for other in rest)
    }


def _route(method: str, path: str, operation: Schema, shared: Schema) -> Iterator[str]:
    yield f"## {method.upper()} {path}\n\n"
    for paragraph in operation["description"].split("\n\n"):
        yield f"{text(paragraph)}\n\n"
    for parameter in operation.get("parameters", ()):
        if about := parameter.get("description"):
            yield f"{parameter['in'].capitalize()} {code(parameter['name'])}: {text(about)}\n\n"
    if body := operation.get("requestBody"):
        yield f"Body: {_body(body)}.\n\n"
    own = (
        (status, answer)
        for status, answer in operation["responses"].items()
        if status not in shared
    )
    yield table(
        ANSWERS,
        (
            [code(status), text(_when(answer["description"])), _body(answer)]
            for status, answer in own
        ),
    )


def _when(description: str) -> str:
    return "It is done." if description == "Successful Response" else description


def _body(holder: Schema) -> str:
    schema = holder["content"]["application/json"]["schema"]
    if schema.get("type") == "array":
        return f"list of {_link(schema['items'])}"
    return _link(schema)


def _link(schema: Schema) -> str:
    name = str(schema["$ref"]).rpartition("/")[2]
    return f"[{name}]({anchor(name)})"
