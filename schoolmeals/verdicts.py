"""Refusals that are values: a normal outcome of a rule, worth storing beside the deed that it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule said no. ``code`` is stable, ``sentence`` an English message id, ``facts`` its parameters."""

    code: str
    sentence: str
    facts: Mapping[str, object] = field(default_factory=dict)


def first_refusal(rules: Iterable[Callable[[Facts], Refused | None]], facts: Facts) -> Refused | None:
    """The first refusal of ``rules`` in their order, or None when every rule lets the facts pass."""
    for rule in rules:
        if (refused := rule(facts)) is not None:
            return refused
    return None
