"""Forms as data: what JSON may say where, checked here and, by the same data, in browsers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from schoolmeals.errors import N_, FieldProblem


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand somewhere. ``least`` and ``most`` bound a number, a text's length or a list's; fields in
    ``optional`` may be left out, which means null."""

    kind: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()
    fields: Mapping[str, "Shape"] | None = None
    optional: frozenset[str] = frozenset()
    of: "Shape | None" = None
    may_be_null: bool = False
    unique: str = ""
    """The field in which no two rows of a list are alike; "." for the rows themselves."""

    def as_json(self) -> dict[str, Any]:
        """The same for the browser."""
        own = {"kind": self.kind, "least": self.least, "most": self.most, "may_be_null": self.may_be_null}
        more: dict[str, Any] = {"choices": list(self.choices), "unique": self.unique, "optional": sorted(self.optional)}
        if self.fields is not None:
            more["fields"] = {name: shape.as_json() for name, shape in self.fields.items()}
        if self.of is not None:
            more["of"] = self.of.as_json()
        return own | more


Faults = Iterable[tuple[str, FieldProblem]]


def faults(shape: Shape, value: Any, path: str = "") -> Faults:
    """What is wrong with ``value``, with its place as ``staff.2.grade``; nothing unknown is taken."""
    if value is None and shape.may_be_null:
        return
    match shape.kind:
        case "object":
            yield from _object_faults(shape, value, path)
        case "list":
            yield from _list_faults(shape, value, path)
        case "whole":
            if not isinstance(value, int) or isinstance(value, bool):
                yield path, _WRONG
            elif not shape.least <= value <= shape.most:
                yield path, FieldProblem.of("out-of-range", OUT_OF_RANGE, least=shape.least, most=shape.most)
        case "flag":
            if not isinstance(value, bool):
                yield path, _WRONG
        case _:
            if not isinstance(value, str) or not _is_text(shape, value):
                yield path, _WRONG


def _is_text(shape: Shape, value: str) -> bool:
    match shape.kind:
        case "choice":
            return value in shape.choices
        case "text":
            return shape.least <= len(value) <= shape.most and not _CONTROL.search(value)
        case "code":
            return len(value) <= shape.most and _CODES.fullmatch(value) is not None
        case "day":
            return _is_day(value)
        case kind:
            return _PATTERNS[kind].fullmatch(value) is not None


def _object_faults(shape: Shape, value: Any, path: str) -> Faults:
    if not isinstance(value, Mapping):
        yield path, _WRONG
        return
    known = shape.fields or {}
    for name in value.keys() - known.keys():
        yield _at(path, str(name)[:60]), UNKNOWN
    for name, inner in known.items():
        if name in value:
            yield from faults(inner, value[name], _at(path, name))
        elif name not in shape.optional:
            yield _at(path, name), MISSING


def _list_faults(shape: Shape, value: Any, path: str) -> Faults:
    if not isinstance(value, list):
        yield path, _WRONG
        return
    if len(value) > shape.most:
        yield path, FieldProblem.of("too-many", TOO_MANY, most=shape.most)
        return
    assert shape.of is not None, "a list has a shape for its rows"
    seen: set[str] = set()
    for place, row in enumerate(value):
        found = list(faults(shape.of, row, _at(path, str(place))))
        yield from found
        if shape.unique and not found:
            key = str(row if shape.unique == "." else row[shape.unique])
            if key in seen:
                yield _at(path, str(place)), _TWICE
            seen.add(key)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CODES: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PATTERNS: Final = {
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "hash": re.compile(r"[0-9a-f]{64}"),
    "currency": re.compile(r"[A-Z]{3}"),
}
OUT_OF_RANGE: Final = N_("Give a whole number from %(least)s to %(most)s.")
TOO_MANY: Final = N_("Give at most %(most)s rows.")
_WRONG: Final = FieldProblem.of("wrong-shape", N_("This is not in the form that is asked for."))
MISSING: Final = FieldProblem.of("missing", N_("This is missing."))
UNKNOWN: Final = FieldProblem.of("unknown", N_("This does not belong here."))
_TWICE: Final = FieldProblem.of("twice", N_("This is in the list twice."))
