"""The order of the admitted bids of a lot: by points, or by the lowest price, and between equals by the tender's own
rule, the same for everybody. Nothing here is left to anybody's judgement.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schoolmeals.procurement.profiles import Profile

BY_PRICE: Final = "price"
BY_POINTS: Final = "points"
RECEIVED: Final = "received-at"
BID: Final = "bid-id"
"""Last of all, for bids that arrived in the same millionth of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An admitted bid with what it is ranked by. ``points`` by criterion, in thousandths."""

    bid_id: str
    tenderer_id: str
    points: Mapping[str, int]
    price_minor: int | None
    value_minor: int
    received_at: str
    """RFC 3339 in UTC."""

    @property
    def points_milli(self) -> int:
        return sum(self.points.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A bid's place, from 1. ``decided_by`` is what puts it behind the one before; empty for the first."""

    bid_id: str
    tenderer_id: str
    rank: int
    points_milli: int
    price_minor: int | None
    value_minor: int
    decided_by: str

    def as_json(self) -> dict[str, Any]:
        """For a score sheet and an act."""
        return {
            "bid_id": self.bid_id,
            "tenderer_id": self.tenderer_id,
            "rank": self.rank,
            "points_milli": self.points_milli,
            "price_minor": self.price_minor,
            "value_minor": self.value_minor,
            "decided_by": self.decided_by,
        }


def ranked(entries: Iterable[Entry], profile: Profile) -> list[Ranked]:
    """The bids, the best first. Where price competes, a bid without one is not ranked at all."""
    by_price = profile.price_mode == "competitive"
    listed = [one for one in entries if one.price_minor is not None or not by_price]
    marks = {one.bid_id: _marks(one, profile, by_price=by_price) for one in listed}
    order = sorted(listed, key=lambda one: [mark for _, mark in marks[one.bid_id]])
    found: list[Ranked] = []
    for place, one in enumerate(order):
        before = marks[order[place - 1].bid_id] if place else []
        found.append(_ranked(one, place + 1, _difference(before, marks[one.bid_id])))
    return found


def _marks(one: Entry, profile: Profile, *, by_price: bool) -> list[tuple[str, Any]]:
    """What decides, in its order; the smaller mark is the better one."""
    first = (BY_PRICE, one.price_minor) if by_price else (BY_POINTS, -one.points_milli)
    ties = [(code, _tie(one, code)) for code in profile.tie_break]
    return [first, *ties, (BID, one.bid_id)]


def _tie(one: Entry, code: str) -> Any:
    return datetime.fromisoformat(one.received_at) if code == RECEIVED else -one.points.get(code, 0)


def _difference(before: list[tuple[str, Any]], own: list[tuple[str, Any]]) -> str:
    return next((name for (name, mark), (_, other) in zip(own, before, strict=False) if mark != other), "")


def _ranked(one: Entry, rank: int, decided_by: str) -> Ranked:
    return Ranked(
        bid_id=one.bid_id,
        tenderer_id=one.tenderer_id,
        rank=rank,
        points_milli=one.points_milli,
        price_minor=one.price_minor,
        value_minor=one.value_minor,
        decided_by=decided_by,
    )
