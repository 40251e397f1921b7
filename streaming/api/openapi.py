"""The OpenAPI description of the HTTP API, made from its routes and records. Pure."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from streaming import __version__
from streaming.api.answers import VERSION, ErrorAnswer, Levels
from streaming.api.routes import JSON, ROUTES, ApiPath, Question

_REF: Final = "#/components/schemas/{name}"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFUSALS: Final = {
    400: "What was asked is not understood.",
    401: "The token is missing or wrong.",
    403: "Another machine's name, or a web page of an origin that API_ORIGINS does not name.",
    404: "There is no such path, no current snapshot, or not in those points or expiries.",
    429: "More than API_REQUESTS_PER_MINUTE, or too many event streams.",
    503: "Redis does not answer.",
}


@cache
def description() -> bytes:
    """The whole description as JSON."""
    return msgspec.json.encode(described())


def described() -> dict[str, Any]:
    """The whole description."""
    components = _components([*(route.answer for route in ROUTES if route.answer is not None), ErrorAnswer], _REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gexcord",
            "version": f"{VERSION}",
            "summary": "Dealer gamma exposure of this Gexcord, read-only.",
            "description": "null is unknown, never zero. Fields are only ever added. See specs/http-api.md.",
            "x-program-version": __version__,
        },
        "security": [{"bearer": []}, {"key": []}],
        "paths": {path: {"get": _operation(route, path)} for route in ROUTES for path in (route.path, *route.also)},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "query", "name": "key"},
            },
        },
    }


def levels_schema() -> dict[str, Any]:
    """The contract of the levels as a JSON schema of its own (specs/schemas/levels.json)."""
    found = _components([Levels], "#/$defs/{name}")
    return {"$schema": _DIALECT, "$id": "levels.json", **found.pop("Levels"), "$defs": found}


def _components(records: Iterable[type], ref: str) -> dict[str, Any]:
    """Every field of an answer is always there, so all are required."""
    _, found = msgspec.json.schema_components(list(dict.fromkeys(records)), ref_template=ref)
    for schema in found.values():
        if "properties" in schema:
            schema["required"] = list(schema["properties"])
    return found


def _operation(route: ApiPath, path: str) -> dict[str, Any]:
    schema = {"type": "string"} if route.answer is None else {"$ref": _REF.format(name=route.answer.__name__)}
    trouble = {"schema": {"$ref": _REF.format(name=ErrorAnswer.__name__)}}
    refusals = {f"{status}": {"description": words, "content": {JSON: trouble}} for status, words in _REFUSALS.items()}
    return {
        "operationId": f"{route.name}_v2" if path.startswith("/v2/") else route.name,
        "summary": route.words,
        "parameters": [*_parameters(route.question, path)],
        "responses": {"200": {"description": "The answer.", "content": {route.media: {"schema": schema}}}} | refusals,
    }


def _parameters(question: type[Question], path: str) -> Iterable[Mapping[str, Any]]:
    _, found = msgspec.json.schema_components([question], ref_template=_REF)
    for name, schema in found[question.__name__]["properties"].items():
        within = f"{{{name}}}" in path
        words = {"description": schema.pop("description")} if "description" in schema else {}
        yield {"name": name, "in": "path" if within else "query", "required": within, "schema": schema} | words
