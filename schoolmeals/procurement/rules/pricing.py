"""What a bid costs: its prices times the quantities of its lot, or why they cannot be taken."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from schoolmeals.errors import N_

FIXED: Final = "fixed"


@dataclass(frozen=True, slots=True)
class Priced:
    """``value_minor`` is what a contract would come to, ``price_minor`` the same where the bidder has named prices.

    ``out`` is a code of :data:`OUT_NAMES` where the prices cannot be taken; empty where they can.
    """

    value_minor: int
    price_minor: int | None
    out: str = ""


def priced(prices: Iterable[Mapping[str, Any]], items: Iterable[Mapping[str, Any]], mode: str) -> Priced:
    """The value of a bid. Where the price is fixed, it is the ceiling; else each item has a price, none above it."""
    listed = list(items)
    if mode == FIXED:
        return Priced(sum(item["quantity"] * item["ceiling_minor"] for item in listed), None)
    named = {one["lot_item_id"]: one["price_minor"] for one in prices}
    total = sum(item["quantity"] * named.get(item["id"], 0) for item in listed)
    if any(item["id"] not in named for item in listed):
        return Priced(total, None, "prices-incomplete")
    above = any(named[item["id"]] > item["ceiling_minor"] for item in listed)
    return Priced(total, total, "above-ceiling" if above else "")


OUT_NAMES: Final = {
    "prices-incomplete": N_("Not every item has a price"),
    "above-ceiling": N_("A price is above the ceiling"),
    "low-price-rejected": N_("The explanation of the low price was not accepted"),
}
"""Why an admitted bid is not ranked."""
