"""Bids in the words of the standard's bids extension: from the end of the opening on, as they stood at an act.

What a bid offers beside its price (its people, its papers) is never told here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement.documents import written
from schoolmeals.procurement.models import FrozenBid, OpenedBid
from schoolmeals.procurement.ocds import amount
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.opening import admitted_bids
from schoolmeals.procurement.rules.pricing import priced

STANDS = "stands"


@dataclass(frozen=True, slots=True)
class BidRows:
    """A tender's frozen list, and what was opened of each bid, in order."""

    frozen: Sequence[FrozenBid]
    opened: Mapping[UUID, Sequence[OpenedBid]]


def bid_rows(work: Work, tender_id: UUID) -> BidRows:
    """The rows of a tender's bids. Not scoped: nothing of them is told before the opening is over."""
    frozen = select(FrozenBid).where(FrozenBid.tender_id == tender_id).order_by(FrozenBid.received_at, FrozenBid.id)
    opened: dict[UUID, list[OpenedBid]] = {}
    for row in work.session.scalars(select(OpenedBid).where(OpenedBid.tender_id == tender_id).order_by(OpenedBid.at)):
        opened.setdefault(row.bid_id, []).append(row)
    return BidRows(list(work.session.scalars(frozen)), opened)


def told_bids(rows: BidRows, document: Mapping[str, Any], so_far: Sequence[Act]) -> dict[str, Any]:
    """``{"statistics", "details"}`` as they were known when ``so_far`` had happened."""
    standing = [one for one in rows.frozen if one.outcome == STANDS]
    at, admitted = so_far[-1].at, _admitted(so_far)
    details = [_bid(one, rows.opened.get(one.id, ()), document, at, admitted) for one in standing]
    counts = {"bids": len(details)}
    if admitted is not None:
        counts |= {"validBids": _count(details, "valid"), "disqualifiedBids": _count(details, "disqualified")}
    counts["withdrawnBids"] = sum(one.outcome == "withdrawn" for one in rows.frozen)
    statistics = [
        {"id": measure, "measure": measure, "value": value, "date": written(at)} for measure, value in counts.items()
    ]
    return {"statistics": statistics, **({"details": details} if details else {})}


def tenderers_of(rows: BidRows) -> list[UUID]:
    """Who bids, each once, in the order in which their first bids were received."""
    return list(dict.fromkeys(one.tenderer_id for one in rows.frozen if one.outcome == STANDS))


def _bid(
    row: FrozenBid,
    opened: Iterable[OpenedBid],
    document: Mapping[str, Any],
    at: datetime,
    admitted: frozenset[str] | None,
) -> dict[str, Any]:
    known = [one for one in opened if one.at <= at]
    is_unreadable = any(one.unreadable is not None for one in known)
    if admitted is None:
        status = "disqualified" if is_unreadable else "pending"
    else:
        status = "valid" if str(row.id) in admitted else "disqualified"
    found: dict[str, Any] = {
        "id": str(row.id),
        "date": written(row.received_at),
        "status": status,
        "tenderers": [{"id": str(row.tenderer_id)}],
        "relatedLots": [str(row.lot_id)],
    }
    prices = [line for one in known if one.plaintext is not None for line in one.plaintext.get("prices", ())]
    items: Sequence[Mapping[str, Any]] = next(
        (lot["items"] for lot in document["lots"] if lot["id"] == str(row.lot_id)), []
    )
    if prices and items:
        value = priced(prices, items, Profile.from_json(document["profile"]).price_mode)
        found["value"] = amount(value.value_minor, items[0]["currency"])
    return found


def _admitted(so_far: Iterable[Act]) -> frozenset[str] | None:
    """The bids that were admitted; None before that is decided."""
    payload = next((one.payload for one in so_far if one.kind is ActKind.ADMITTED), None)
    return admitted_bids(payload) if payload is not None else None


def _count(details: Iterable[Mapping[str, Any]], status: str) -> int:
    return sum(one["status"] == status for one in details)
