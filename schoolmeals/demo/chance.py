"""Chance in the demo: the same every time, so that two cities made on the same day are alike."""

from random import Random
from typing import Final

SEED: Final = 20_260_901


def chance_of(*what: object) -> Random:
    """The chances of one thing, e.g. of one day in one school."""
    return Random(f"{SEED} {what}")  # noqa: S311 (nothing here is secret)
