"""What the protocol of an opening says: who came, what each envelope came to, and everything that was not as it
should be. Plain JSON, with names beside ids, so that it can be read without this system.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.acting import AtHand, acts_of
from schoolmeals.procurement.documents import written
from schoolmeals.procurement.freezing import frozen_list, payload_of
from schoolmeals.procurement.models import OpenedBid, OpeningShare, TenderVersion
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.bids import FrozenFacts
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.unsealing import profile_at


def opening_minutes(work: Work, hand: AtHand) -> dict[str, Any]:
    """The content of an opening's protocol, as it stands when the opening is finished."""
    listed = frozen_list(work, hand.id)
    acts = acts_of(work, hand.id)
    names = {str(seat.id): seat.name for seat in hand.seats}
    found = work.session.scalars(select(OpenedBid).where(OpenedBid.tender_id == hand.id).order_by(OpenedBid.envelope))
    opened: dict[UUID, list[OpenedBid]] = {}
    for row in found:
        opened.setdefault(row.bid_id, []).append(row)
    lots, profile = _lots(work, hand), profile_at(work, hand)
    tenderers = {one.tenderer_id: _tenderer(work, one.tenderer_id) for one in listed}
    return {
        "list_sha256": str(payload_of(work, hand.id, ActKind.CLOSED)["list_sha256"]),
        "began_at": _at(acts, ActKind.OPENING_STARTED),
        "shares_needed": profile.commission("shares_needed").value,
        "envelopes": list(profile.envelopes),
        "members": _members(work, hand),
        "secretary": next((seat.name for seat in hand.seats if seat.part == "secretary" and seat.stands), None),
        "adjourned": [_adjourned(one) for one in acts if one.kind is ActKind.OPENING_ADJOURNED],
        "bids": [
            {
                **_bid(one),
                "lot": lots[one.lot_id],
                "tenderer": tenderers[one.tenderer_id],
                "envelopes": [_envelope(row, names) for row in opened.get(one.id, ())],
            }
            for one in listed
        ],
    }


def named(member: str, names: Mapping[str, str]) -> str:
    """The names of the members whose seats a fault has, which are ids with commas between."""
    return ", ".join(names.get(one, one) for one in member.split(", ")) if member else ""


def _lots(work: Work, hand: AtHand) -> dict[UUID, dict[str, Any]]:
    """The lots as the notice has them, by id."""
    version = work.session.get_one(TenderVersion, (hand.id, hand.tender.version))
    return {
        UUID(lot["id"]): {"id": lot["id"], "position": lot["position"], "school": lot["school"]["name"]}
        for lot in json.loads(version.text)["lots"]
    }


def _tenderer(work: Work, tenderer_id: UUID) -> dict[str, Any]:
    found = identity.organisation(work, tenderer_id)
    return {
        "id": str(found.id),
        "name": {"kk": found.name_kk, "ru": found.name_ru, "en": found.name_en},
        "scheme": found.identifier_scheme,
        "identifier": found.identifier,
    }


def _members(work: Work, hand: AtHand) -> list[dict[str, Any]]:
    """Everybody with a vote, and whoever left and gave a share: how many were good, and how many were not."""
    rows = list(work.session.scalars(select(OpeningShare).where(OpeningShare.tender_id == hand.id)))
    gave = {row.seat_id for row in rows}
    left = [seat for seat in hand.seats if not seat.stands and seat.id in gave]
    listed = [(seat, False) for seat in voters(hand.seats)] + [(seat, True) for seat in left]
    return [{**_seat(seat), **_given(seat, rows), "left": has_left} for seat, has_left in listed]


def _seat(seat: SeatFacts) -> dict[str, Any]:
    return {"seat_id": str(seat.id), "name": seat.name, "part": seat.part, "constituency": seat.constituency}


def _given(seat: SeatFacts, rows: Iterable[OpeningShare]) -> dict[str, Any]:
    own = [row for row in rows if row.seat_id == seat.id]
    good = sum(row.ok for row in own)
    return {"present": bool(own), "shares_good": good, "shares_bad": len(own) - good}


def _adjourned(act: Act) -> dict[str, Any]:
    said = act.payload
    return {
        "at": written(act.at),
        "waiting": len(said["waiting"]),
        "present": said["present"],
        "needed": said["needed"],
        "asked_bidders": said["asks_bidders"],
    }


def _bid(one: FrozenFacts) -> dict[str, Any]:
    return {
        "bid_id": str(one.id),
        "received_at": written(one.received_at),
        "manifest_sha256": one.manifest_sha256,
        "outcome": one.outcome.value,
    }


def _envelope(row: OpenedBid, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "envelope": row.envelope,
        "plaintext_sha256": row.plaintext_sha256,
        "unreadable": row.unreadable,
        "disclosed_by_bidder": row.recovery is not None,
        "faults": [{"code": one["code"], "members": named(one["member"], names)} for one in row.faults],
        "files": [{"name": one["name"], "bytes": one["bytes"], "sha256": one["sha256"]} for one in row.files],
    }


def _at(acts: Iterable[Act], kind: ActKind) -> str | None:
    return next((written(one.at) for one in acts if one.kind is kind), None)
