"""Abnormally low prices: which price must be explained before it may win, and what the commission made of that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import LowPrice


class LowPriceState(StrEnum):
    """How far a price that must be explained has got."""

    TO_ASK = "to-ask"
    ASKED = "asked"
    TO_JUDGE = "to-judge"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class LowPriceFacts:
    """Why a price is abnormally low, as shares of what it is compared with; None where that is not there."""

    bid_id: str
    price_minor: int
    mean_of_others_minor: int
    next_minor: int | None
    under_mean: bool
    under_next: bool


def abnormally_low(prices: Mapping[str, int], rule: LowPrice) -> list[LowPriceFacts]:
    """Those of the lowest prices, by bid, that are at least so far under the mean of the others or under the next.

    Only who is about to win must explain. Where such a bid is out, ask again with the prices that are left. The next
    price is the lowest that is higher; the mean is rounded down for show, and compared exactly.
    """
    if len(prices) < 2:
        return []
    lowest = min(prices.values())
    found = (_facts(bid_id, prices, rule) for bid_id in sorted(prices) if prices[bid_id] == lowest)
    return [one for one in found if one.under_mean or one.under_next]


def _facts(bid_id: str, prices: Mapping[str, int], rule: LowPrice) -> LowPriceFacts:
    price = prices[bid_id]
    others = [other for id, other in prices.items() if id != bid_id]
    following = min((other for other in others if other > price), default=None)
    mean_share = 100 - rule.under_mean_percent.value
    next_share = 100 - rule.under_next_percent.value
    return LowPriceFacts(
        bid_id=bid_id,
        price_minor=price,
        mean_of_others_minor=sum(others) // len(others),
        next_minor=following,
        under_mean=price * 100 * len(others) <= sum(others) * mean_share,
        under_next=following is not None and price * 100 <= following * next_share,
    )


def judged(votes: Mapping[str, bool], voters: Iterable[str], quorum: int) -> bool | None:
    """Whether an explanation is accepted, by the votes of those who have one; None while too few have voted.

    Without a majority against it, it is accepted.
    """
    cast = [accepted for seat, accepted in votes.items() if seat in set(voters)]
    if len(cast) < quorum:
        return None
    return 2 * sum(not accepted for accepted in cast) <= len(cast)


def low_price_term(bid_id: UUID) -> str:
    """What the term for explaining a price is called."""
    return f"low-price:{bid_id}"


NOT_LOW: Final = N_("This price is not abnormally low. Nothing has to be explained.")
ASKED_ALREADY: Final = N_("The supplier was already asked to explain this price.")
NOT_ASKED: Final = N_("Nobody has asked for an explanation of this price.")
EXPLANATION_RUNS: Final = N_("The supplier may still explain the price. Judge it after that.")
EXPLAINED_LATE: Final = N_("The time for explaining the price is over.")
EXPLAINED_ALREADY: Final = N_("The price was already explained. An explanation is given once.")
