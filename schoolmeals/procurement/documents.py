"""A tender's published document: everything that it says, as one canonical JSON text with a digest. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import rfc8785

from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.terms import Term, as_payload
from schoolmeals.procurement.sealing import KeySet, Member

FORMAT: Final = "schoolmeals-tender/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LotText:
    """A lot of the working copy, in plain JSON."""

    id: UUID
    position: int
    school: Mapping[str, Any]
    plan_line_id: UUID | None
    sections: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderText:
    """The working copy of a tender, in plain JSON, with the commission and the profile that go into the document."""

    tender_id: UUID
    organiser: Mapping[str, Any]
    review_body: Mapping[str, Any] | None
    profile: Profile
    sections: Mapping[str, Any]
    lots: Sequence[LotText]
    seats: Sequence[SeatFacts]
    files: Sequence[Mapping[str, Any]]


def document_of(
    text: TenderText,
    *,
    number: str,
    version: int,
    published_at: datetime,
    terms: Mapping[str, Term],
    commission: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document of a version. ``commission`` is that of the version before: bids are sealed to its keys."""
    return {
        "format": FORMAT,
        "tender_id": str(text.tender_id),
        "number": number,
        "version": version,
        "published_at": written(published_at),
        "organiser": dict(text.organiser),
        "review_body": dict(text.review_body) if text.review_body is not None else None,
        "profile": dict(text.profile.json),
        "sections": dict(text.sections),
        "lots": [_lot(lot) for lot in text.lots],
        "commission": dict(commission or _commission(text.tender_id, text.seats, text.profile)),
        "documents": [dict(one) for one in text.files],
        "terms": as_payload(terms),
    }


def canonical_text(document: Any) -> str:
    """``document`` as RFC 8785 JSON."""
    return rfc8785.dumps(document).decode()


def digest_of(text: str) -> bytes:
    """SHA-256 of a canonical text: what is published of it."""
    return hashlib.sha256(text.encode()).digest()


def key_set(tender_id: UUID, seats: Sequence[SeatFacts], profile: Profile) -> KeySet:
    """The keys that bids are sealed to: those of the seats that vote, by position."""
    members = [Member(str(seat.id), seat.key_public) for seat in voters(seats) if seat.key_public is not None]
    return KeySet(str(tender_id), profile.commission("shares_needed").value, tuple(members))


def with_key(commission: Mapping[str, Any], tender_id: UUID, seat_id: UUID, recipient: str) -> dict[str, Any] | None:
    """A notice's commission with another key for one of its members; None where it has no such member."""
    if str(seat_id) not in {one["seat_id"] for one in commission["members"]}:
        return None
    own = {"key": recipient, "fingerprint": Member(str(seat_id), recipient).fingerprint}
    members = [{**one, **(own if one["seat_id"] == str(seat_id) else {})} for one in commission["members"]]
    chosen = tuple(Member(one["seat_id"], one["key"]) for one in members)
    keys = KeySet(str(tender_id), commission["shares_needed"], chosen)
    return {**commission, "members": members, "key_set_sha256": keys.sha256}


def written(instant: datetime) -> str:
    """An instant in UTC, as all of our JSON has it."""
    return instant.isoformat().replace("+00:00", "Z")


def _lot(lot: LotText) -> dict[str, Any]:
    return {
        "id": str(lot.id),
        "position": lot.position,
        "school": dict(lot.school),
        "plan_line_id": str(lot.plan_line_id) if lot.plan_line_id is not None else None,
        "sections": dict(lot.sections),
        "items": [dict(item) for item in lot.items],
    }


def _commission(tender_id: UUID, seats: Sequence[SeatFacts], profile: Profile) -> dict[str, Any]:
    keys = key_set(tender_id, seats, profile)
    fingerprints = {member.id: member.fingerprint for member in keys.members}
    return {
        "shares_needed": keys.k,
        "key_set_sha256": keys.sha256,
        "members": [
            {
                "seat_id": str(seat.id),
                "name": seat.name,
                "part": seat.part,
                "constituency": seat.constituency,
                "key": seat.key_public,
                "fingerprint": fingerprints[str(seat.id)],
            }
            for seat in voters(seats)
        ],
        "secretary": next((seat.name for seat in seats if seat.part == "secretary" and seat.stands), None),
    }
