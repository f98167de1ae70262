"""The API's documentation as one page: made from its OpenAPI document on the server, loading nothing from anywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or one parameter: its name, its type in words, whether it must be given, what it means."""

    name: str
    type: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body_type: str
    body: tuple[Field, ...]
    answers: tuple[tuple[str, str, tuple[Field, ...]], ...]
    """Status, meaning and fields of each answer."""


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of one room. ``title`` is a message id."""

    name: str
    title: str
    operations: tuple[Operation, ...]


def sections(document: Mapping[str, Any]) -> list[Section]:
    """An OpenAPI 3.1 document, room by room, in the order of its addresses."""
    by_tag: dict[str, list[Operation]] = {}
    for path, item in sorted(document.get("paths", {}).items()):
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                operation = _operation(document, path, method, item[method], shared)
                by_tag.setdefault((item[method].get("tags") or [""])[0], []).append(operation)
    titles = {tag["name"]: tag.get("description", tag["name"]) for tag in document.get("tags", [])}
    return [Section(name, titles.get(name, name), tuple(found)) for name, found in sorted(by_tag.items())]


def _operation(
    document: Mapping[str, Any], path: str, method: str, spec: Mapping[str, Any], shared: list[Any]
) -> Operation:
    parameters = [_resolved(document, one) for one in [*shared, *spec.get("parameters", [])]]
    body_type, body = _content(document, spec.get("requestBody", {}))
    return Operation(
        id=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        description=spec.get("description", ""),
        parameters=tuple(
            Field(
                one["name"],
                _type(document, one.get("schema", {})),
                one.get("required", False),
                one.get("description", ""),
            )
            for one in parameters
        ),
        body_type=body_type,
        body=body,
        answers=tuple(_answers(document, spec.get("responses", {}))),
    )


def _answers(document: Mapping[str, Any], responses: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[Field, ...]]]:
    for status, response in sorted(responses.items()):
        resolved = _resolved(document, response)
        _, fields = _content(document, resolved)
        yield status, resolved.get("description", ""), fields


def _content(document: Mapping[str, Any], holder: Mapping[str, Any]) -> tuple[str, tuple[Field, ...]]:
    for media_type, content in holder.get("content", {}).items():
        schema = _resolved(document, content.get("schema", {}))
        if schema.get("type") == "array":
            schema = _resolved(document, schema.get("items", {}))
        return media_type, tuple(_fields(document, schema))
    return "", ()


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        resolved = _resolved(document, one)
        yield Field(name, _type(document, one), name in required, resolved.get("description", ""))


def _type(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    named = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    if named:
        return named
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"] if one is not None)
    kind = schema.get("type", "any")
    kinds = [kind] if isinstance(kind, str) else list(kind)
    words = [f"list of {_type(document, schema.get('items', {}))}" if one == "array" else one for one in kinds]
    return " | ".join(words) + (f" ({schema['format']})" if "format" in schema else "")


def _resolved(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value
