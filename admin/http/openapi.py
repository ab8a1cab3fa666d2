"""The description of everything that can be asked: OpenAPI 3.1, made from the operations and nothing else.

Invariant: each operation lists every status it may answer with; a schema with a title is told once, as a component.
"""

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from admin.http.operations import Operation, Parameter
from admin.http.problems import KINDS, SCHEMA
from admin.workspace.readers import Reader, Schema

_REF = "#/components/schemas/{name}"
_VARIABLE = re.compile(r"{(\w+)}")
_EVERYBODYS = (400, 401, 403, 503)
_BODYS = (413, 415, 422)
_TITLES = {kind.status: kind.title for kind in KINDS}


def description(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI document."""
    components: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, components)
    _hoisted(SCHEMA, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Samtale",
            "version": version("samtale-server"),
            "description": "Everything that an admin sets, sees and undoes. Times are milliseconds since 1970.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}, {"browser": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "an API key"},
                "browser": {"type": "apiKey", "in": "cookie", "name": "samtale_session"},
            },
        },
    }


def _operation(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _answers(operation, components),
    }
    if operation.scope is not None:
        said["description"] = f"Needs `{operation.scope}`."
    if operation.open:
        said["security"] = []
    if operation.body is not None:
        content = {"application/json": {"schema": schema_of(operation.body, components)}}
        said["requestBody"] = {"required": not operation.body_optional, "content": content}
    if operation.bytes_of:
        said["requestBody"] = {"required": True, "content": {type_: {} for type_ in operation.bytes_of}}
    return said


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _VARIABLE.findall(operation.path)
    ]
    query = [_parameter(parameter) for parameter in operation.parameters]
    headers = []
    if operation.guarded:
        headers.append(_header("If-Match", "the ETag of the thing as you know it, or *", required=True))
    if operation.once:
        headers.append(_header("Idempotency-Key", "asked again under it within a day, the answer is the same"))
    return [*path, *query, *headers]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    about = {"description": parameter.about} if parameter.about else {}
    return {"name": parameter.name, "in": "query", **about, "schema": parameter.schema}


def _header(name: str, about: str, *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": about, "schema": schema}


def _answers(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done"}
    if operation.answer is not None:
        good["content"] = {operation.media: {"schema": schema_of(operation.answer, components)}}
    statuses = {*_EVERYBODYS, *operation.problems, *(_BODYS if operation.body is not None else ())}
    if operation.once:
        statuses.add(409)
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    said = {str(status): {"description": _TITLES[status], "content": problem} for status in sorted(statuses)}
    status = operation.status if operation.answer is not None or operation.status != 200 else 204
    gone = {"204": {"description": "Done, and nothing is left to show"}} if operation.or_nothing else {}
    return {str(status): good, **gone, **said}


def schema_of(body: Any, components: dict[str, Any]) -> Schema:
    """Return the schema of a body or an answer, with what has a title in `components`."""
    if isinstance(body, Reader | dict):
        told: Schema = _hoisted(body.schema if isinstance(body, Reader) else body, components)
        return told
    [schema], found = msgspec.json.schema_components([body], ref_template=_REF)
    components.update(found)
    return schema


def _hoisted(schema: Any, components: dict[str, Any]) -> Any:
    """Return `schema` with each titled object in it put into `components` and referred to."""
    if isinstance(schema, list):
        return [_hoisted(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {name: _hoisted(each, components) for name, each in schema.items()}
    title = inside.get("title")
    if not isinstance(title, str) or inside.get("type") != "object":
        return inside
    known = components.setdefault(title, inside)
    assert known == inside, f"two schemas are called {title}"
    return {"$ref": _REF.format(name=title)}
