"""Bids as the opening leaves them, made as rows alone: what comes after an evaluation needs no sealing."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import at_hand
from schoolmeals.procurement.models import FrozenBid, InterestDeclaration, LotItem, OpenedBid, Tender
from schoolmeals.procurement.queries.drafts import items_of, lots_of
from schoolmeals.procurement.queries.interests import undeclared
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.quorum import voters
from tests.factories.identity import OrganisationFactory

if TYPE_CHECKING:
    from tests.factories.procurement import Procurement

PRICE_MINOR: Final = 800_00
COOK_KEY: Final = hashlib.sha256(b"cook").hexdigest()


def cook(person_key: str = COOK_KEY, *, fte_percent: int = 100) -> dict[str, Any]:
    """Somebody who is offered as a cook."""
    return {
        "staff_id": str(new_id()),
        "person_key": person_key,
        "name": "Айша Серікқызы",
        "post": "cook",
        "grade": 4,
        "education": "college",
        "fte_percent": fte_percent,
        "evidence": [],
    }


def plant_bid(
    world: "Procurement",
    tender_id: UUID,
    tenderer_id: UUID,
    *,
    staff: Sequence[Mapping[str, Any]] = (),
    price_minor: int = PRICE_MINOR,
) -> UUID:
    """An opened bid for the tender's first lot."""

    def plant(work: Work) -> UUID:
        lot_id, bid_id = lots_of(work, tender_id)[0].id, new_id(work.now)
        items = items_of(work, lot_id)
        work.session.add(
            FrozenBid(
                id=bid_id,
                tender_id=tender_id,
                lot_id=lot_id,
                tenderer_id=tenderer_id,
                place=0,
                manifest=b"{}",
                manifest_sha256="0" * 64,
                received_at=work.now,
                tender_version=1,
                outcome="stands",
            )
        )
        work.session.flush()
        content = bid_content(tender_id, lot_id, tenderer_id, items, staff, price_minor)
        work.session.add(
            OpenedBid(
                bid_id=bid_id,
                envelope="qualification",
                tender_id=tender_id,
                at=work.now,
                plaintext=content,
                files=[],
                plaintext_sha256=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
                unreadable=None,
                faults=[],
                recovery=None,
            )
        )
        work.session.flush()
        return bid_id

    made: UUID = world.do(plant, actor=SYSTEM)
    return made


def bid_content(
    tender_id: UUID,
    lot_id: UUID,
    tenderer_id: UUID,
    items: Sequence[LotItem],
    staff: Sequence[Mapping[str, Any]] = (),
    price_minor: int = PRICE_MINOR,
) -> dict[str, Any]:
    """What a bid says in its one envelope."""
    return {
        "format": "schoolmeals-bid/1",
        "envelope": "qualification",
        "tender_id": str(tender_id),
        "lot_id": str(lot_id),
        "tenderer": {
            "organisation_id": str(tenderer_id),
            "name": "Дәм",
            "scheme": "KZ-BIN",
            "identifier": "000140000012",
        },
        "declared": [],
        "staff": [dict(one) for one in staff],
        "equipment": [],
        "experience": [],
        "taxes": [],
        "evidence": [],
        "menu_note": "",
        "prices": [{"lot_item_id": str(item.id), "price_minor": price_minor} for item in items],
        "currency": "KZT",
    }


def evaluate(world: "Procurement", tender_id: UUID, bids: Sequence[tuple[UUID, UUID]]) -> None:
    """Let the evaluation have ranked ``bids`` (id, tenderer), the best first."""
    lot_id = world.look(lots_of, tender_id, actor=SYSTEM)[0].id
    rows = [
        {
            "bid_id": str(bid_id),
            "tenderer_id": str(tenderer_id),
            "rank": rank,
            "points_milli": 20_000 - rank * 1_000,
            "price_minor": None,
            "value_minor": 43_200_000,
        }
        for rank, (bid_id, tenderer_id) in enumerate(bids, start=1)
    ]
    declared_by_all(world, tender_id)
    world.act(tender_id, ActKind.EVALUATED, {"lots": {str(lot_id): rows}, "sheet_sha256": "0" * 64})


def declared_by_all(world: "Procurement", tender_id: UUID) -> None:
    """Whoever has a vote, and has not said so yet, has no interest in anybody."""

    def declare(work: Work) -> None:
        hand = at_hand(work, work.session.get_one(Tender, tender_id), work.now)
        for seat in voters(hand.seats):
            for tenderer_id in undeclared(work, hand, seat):
                work.session.add(
                    InterestDeclaration(
                        id=new_id(work.now),
                        tender_id=tender_id,
                        seat_id=seat.id,
                        tenderer_id=tenderer_id,
                        has_interest=False,
                        nature="none",
                        statement="",
                        at=work.now,
                    )
                )
        work.session.flush()

    world.do(declare, actor=SYSTEM)


def two_ranked(
    world: "Procurement", tender_id: UUID, *, staff: Sequence[Mapping[str, Any]] = ()
) -> tuple[UUID, UUID, UUID]:
    """The world's supplier first, a rival second: both bids' ids, and the rival."""
    rival = OrganisationFactory.create(kind="supplier").id
    best = plant_bid(world, tender_id, world.supplier_id, staff=staff)
    second = plant_bid(world, tender_id, rival, price_minor=PRICE_MINOR + 10_00)
    evaluate(world, tender_id, [(best, world.supplier_id), (second, rival)])
    return best, second, rival
