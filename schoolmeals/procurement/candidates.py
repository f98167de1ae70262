"""The bids that a commission decides on, read from what the opening brought to light. Not scoped: whoever calls has a
tender at hand, or has looked whether the actor may know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import Invalid
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.models import FrozenBid, OpenedBid
from schoolmeals.procurement.rules import bid_form
from schoolmeals.procurement.rules.bid_form import BidContent, PriceLine


@dataclass(frozen=True, slots=True)
class BidFile:
    """A file that came in one of a bid's envelopes."""

    envelope: str
    name: str
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bid that was opened, as far as it can be read. ``unreadable`` says why its first envelope cannot."""

    row: FrozenBid
    content: BidContent | None
    prices: tuple[PriceLine, ...]
    content_sha256: str
    unreadable: str
    files: tuple[BidFile, ...]

    @property
    def id(self) -> UUID:
        return self.row.id

    @property
    def digests(self) -> frozenset[str]:
        """Everything of the bid that a decision can rest on."""
        return frozenset({self.content_sha256, *(file.sha256 for file in self.files)} - {""})


def candidates(work: Work, hand: AtHand, envelopes: tuple[str, ...]) -> list[Candidate]:
    """All bids whose first envelope was opened, or was found to be unreadable, in the order of receipt."""
    opened: dict[UUID, dict[str, OpenedBid]] = {}
    for row in work.session.scalars(select(OpenedBid).where(OpenedBid.tender_id == hand.id)):
        opened.setdefault(row.bid_id, {})[row.envelope] = row
    found = select(FrozenBid).where(FrozenBid.tender_id == hand.id).order_by(FrozenBid.received_at, FrozenBid.id)
    return [
        _candidate(bid, opened[bid.id], envelopes)
        for bid in work.session.scalars(found)
        if envelopes[0] in opened.get(bid.id, {})
    ]


def _candidate(bid: FrozenBid, opened: Mapping[str, OpenedBid], envelopes: tuple[str, ...]) -> Candidate:
    first = opened[envelopes[0]]
    content, unreadable = _content(bid, first, envelopes)
    last = opened.get(envelopes[-1])
    priced = content if last is first else (_content(bid, last, envelopes)[0] if last is not None else None)
    return Candidate(
        row=bid,
        content=content,
        prices=priced.prices if priced is not None else (),
        content_sha256=first.plaintext_sha256 or bid.manifest_sha256,
        unreadable=unreadable,
        files=tuple(
            BidFile(name, file["name"], file["media_type"], file["sha256"])
            for name in envelopes
            if name in opened
            for file in opened[name].files
        ),
    )


def _content(bid: FrozenBid, row: OpenedBid, envelopes: tuple[str, ...]) -> tuple[BidContent | None, str]:
    """What an envelope says, and why it says nothing."""
    if row.unreadable is not None or row.plaintext is None:
        return None, row.unreadable or "no-content"
    try:
        content = bid_form.read(row.plaintext)
    except Invalid as refusal:
        return None, refusal.code
    refused = bid_form.belongs(
        content,
        envelope=row.envelope,
        envelopes=envelopes,
        tender_id=bid.tender_id,
        lot_id=bid.lot_id,
        tenderer_id=bid.tenderer_id,
    )
    return (None, refused.code) if refused is not None else (_proven(content, row.files), "")


def _proven(content: BidContent, files: list[Mapping[str, Any]]) -> BidContent:
    """The content without evidence that did not come with it: a digest alone proves nothing."""
    there = {file["sha256"] for file in files}

    def kept(hashes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sha256 for sha256 in hashes if sha256 in there)

    return replace(
        content,
        staff=tuple(replace(one, evidence=kept(one.evidence)) for one in content.staff),
        equipment=tuple(replace(one, evidence=kept(one.evidence)) for one in content.equipment),
        experience=tuple(replace(one, evidence=kept(one.evidence)) for one in content.experience),
        taxes=tuple(replace(one, evidence=kept(one.evidence)) for one in content.taxes),
        evidence=tuple(one for one in content.evidence if one.sha256 in there),
    )
