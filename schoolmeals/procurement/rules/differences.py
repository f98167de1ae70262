"""What is different between two published texts, told by place. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from schoolmeals.procurement.rules.drafting import is_empty

COMPARED: Final = ("sections", "lots", "documents", "terms", "commission", "profile")
"""The parts of a document that say something; the others are its number, version and moment."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs. ``before`` or ``after`` is None where nothing was or is there."""

    path: tuple[str, ...]
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """All places at which two documents of one tender differ, in the order of the text.

    Rows that have an ``id`` (lots, items, documents) are matched by it, all others by their place.
    """
    return [one for part in COMPARED for one in _compare(before.get(part), after.get(part), (part,))]


def _compare(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[Difference]:
    if before == after or (is_empty(before) and is_empty(after)):
        return
    if all(_is_node(one) or one is None for one in (before, after)):
        old, new = _children(before), _children(after)
        for name in dict.fromkeys([*old, *new]):
            yield from _compare(old.get(name), new.get(name), (*path, name))
        return
    yield Difference(path, before, after)


def _is_node(value: Any) -> bool:
    return isinstance(value, Mapping | list)


def _children(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items() if name != "id"}
    rows = value if isinstance(value, list) else []
    return {_name(row, place): row for place, row in enumerate(rows, start=1)}


def _name(row: Any, place: int) -> str:
    return str(row["id"]) if isinstance(row, Mapping) and "id" in row else str(place)
