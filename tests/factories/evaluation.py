"""Bids at a commission's table: opened as rows, with all that they prove, and members who decide on them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import admission, commission, drafting, scoring
from schoolmeals.procurement.admitting import Cell
from schoolmeals.procurement.models import FrozenBid, OpenedBid
from schoolmeals.procurement.queries.admission import AdmissionBoard, admission_board
from schoolmeals.procurement.queries.drafts import items_of, lots_of
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import ALMATY, TENDER_SECTIONS, Procurement, path_to, somebody, texts

PRICE_MINOR: Final = 800_00
ASKED_EVIDENCE: Final = ("legal-capacity", "no-conviction")
JUDGED: Final = "menu-quality"


def digest(text: str) -> str:
    """The digest of a file that is called so."""
    return hashlib.sha256(text.encode()).hexdigest()


def person(
    name: str, post: str = "cook", grade: int | None = 4, *, fte: int = 100, proven: bool = True
) -> dict[str, Any]:
    """Somebody who is offered, with one diploma; the same name is the same person."""
    return {
        "staff_id": str(new_id()),
        "person_key": digest(f"person {name}"),
        "name": name,
        "post": post,
        "grade": grade,
        "education": "college",
        "fte_percent": fte,
        "evidence": [digest(f"diploma {name}")] if proven else [],
    }


def work_done(first: date, last: date, *, public: bool = True, proven: bool = True) -> dict[str, Any]:
    """Work for a customer, with its contract."""
    return {
        "customer": "School 5" if public else "Private firm",
        "public": public,
        "subject": "Meals",
        "starts_on": first.isoformat(),
        "ends_on": last.isoformat(),
        "evidence": [digest(f"contract {first} {last} {public}")] if proven else [],
    }


def proof(code: str) -> dict[str, Any]:
    """A document for a requirement or criterion."""
    return {"for": code, "file": f"{code}.pdf", "sha256": digest(f"{code}.pdf")}


@dataclass
class Planted:
    """A bid as it lies on the table, and who may speak for it."""

    id: UUID
    lot_id: UUID
    tenderer_id: UUID
    supplier: Actor
    content: dict[str, Any]
    files: list[dict[str, Any]] = field(default_factory=list)


def plant(
    world: Procurement,
    tender_id: UUID,
    *,
    supplier: Actor | None = None,
    staff: Sequence[Mapping[str, Any]] | None = None,
    price_minor: int = PRICE_MINOR,
    unreadable: str | None = None,
    envelopes: Sequence[str] = ("qualification",),
    without_files: bool = False,
    **content: Any,
) -> Planted:
    """A bid that meets everything, but for what is said otherwise. With two envelopes the price stays sealed."""
    who = supplier or somebody(Role.SUPPLIER, OrganisationFactory.create(kind="supplier").id)
    tenderer_id = next(iter(who.schools_as(Role.SUPPLIER)))
    bid_id = new_id(world.clock())
    people = [person(f"{bid_id} {place}") for place in (1, 2)] if staff is None else [dict(one) for one in staff]

    def write(work: Work) -> Planted:
        lot_id = lots_of(work, tender_id)[0].id
        bid = FrozenBid(
            id=bid_id,
            tender_id=tender_id,
            lot_id=lot_id,
            tenderer_id=tenderer_id,
            place=0,
            manifest=b"{}",
            manifest_sha256=digest(f"manifest {bid_id}"),
            received_at=work.now,
            tender_version=1,
            outcome="stands",
        )
        work.session.add(bid)
        work.session.flush()
        said = {
            "format": "schoolmeals-bid/1",
            "envelope": envelopes[0],
            "tender_id": str(tender_id),
            "lot_id": str(lot_id),
            "tenderer": {
                "organisation_id": str(tenderer_id),
                "name": "Дәм",
                "scheme": "KZ-BIN",
                "identifier": "000140000012",
            },
            "declared": ["no-relatives"],
            "staff": people,
            "equipment": [],
            "experience": [],
            "taxes": [],
            "evidence": [proof(code) for code in ASKED_EVIDENCE],
            "menu_note": "",
            **content,
        }
        if len(envelopes) == 1:
            said |= prices(work, lot_id, price_minor)
        files = [] if without_files else files_of(said)
        work.session.add(opened(bid, envelopes[0], said, files, unreadable, work))
        work.session.flush()
        return Planted(bid_id, lot_id, tenderer_id, who, said, files)

    made: Planted = world.do(write, actor=SYSTEM)
    return made


def open_price(world: Procurement, tender_id: UUID, bid: Planted, price_minor: int) -> None:
    """Let a price envelope have been opened."""

    def write(work: Work) -> None:
        row = work.session.get_one(FrozenBid, bid.id)
        head = {name: bid.content[name] for name in ("format", "tender_id", "lot_id", "tenderer")}
        said = {**head, "envelope": "price", **prices(work, bid.lot_id, price_minor)}
        work.session.add(opened(row, "price", said, [], None, work))

    world.do(write, actor=SYSTEM)


def prices(work: Work, lot_id: UUID, price_minor: int) -> dict[str, Any]:
    """The same price for each item."""
    rows = [{"lot_item_id": str(item.id), "price_minor": price_minor} for item in items_of(work, lot_id)]
    return {"prices": rows, "currency": "KZT"}


def opened(
    bid: FrozenBid, envelope: str, said: dict[str, Any], files: list[Any], unreadable: str | None, work: Work
) -> OpenedBid:
    return OpenedBid(
        bid_id=bid.id,
        envelope=envelope,
        tender_id=bid.tender_id,
        at=work.now,
        plaintext=None if unreadable else said,
        files=[] if unreadable else files,
        plaintext_sha256=None if unreadable else digest(json.dumps(said)),
        unreadable=unreadable,
        faults=[],
        recovery=None,
    )


def files_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A file for each digest that the content names."""
    hashes = {sha for rows in ("staff", "experience", "taxes") for row in said[rows] for sha in row["evidence"]}
    named = {row["sha256"]: row["file"] for row in said["evidence"]}
    return [
        {"name": named.get(sha, f"{sha[:8]}.pdf"), "media_type": "application/pdf", "bytes": 10, "sha256": sha}
        for sha in sorted(hashes | set(named))
    ]


@dataclass
class Table:
    """The members of a tender's commission, and what they do."""

    world: Procurement
    tender_id: UUID

    @property
    def seats(self) -> list[SeatFacts]:
        """Those with a vote."""
        return voters(self.world.seats(self.tender_id))

    @property
    def members(self) -> list[Actor]:
        return [self.world.holder(seat) for seat in self.seats]

    def declare(self, *bids: Planted) -> None:
        """Everybody has no interest in anybody."""
        for member in self.members:
            for tenderer_id in {bid.tenderer_id for bid in bids}:
                said = {"has_interest": False, "nature": "none"}
                self.world.do(commission.declare_interest, self.tender_id, tenderer_id, **said, actor=member)

    def vote(self, bid: Planted, requirement: str, *, met: bool = True, by: int = 5, **why: Any) -> None:
        """The first ``by`` members decide alike."""
        for member in self.members[:by]:
            about = (self.tender_id, bid.id, requirement)
            self.world.do(admission.decide_requirement, *about, met=met, zone=ALMATY, **why, actor=member)

    def admit(self, *bids: Planted) -> Any:
        """Everybody finds met what people have to look at, and the list is closed."""
        for bid in bids:
            for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation"):
                self.vote(bid, code, by=4)
        return self.finish_admission()

    def finish_admission(self) -> Any:
        return self.world.do(admission.finish_admission, self.tender_id, zone=ALMATY, actor=self.world.secretary)

    def board(self) -> AdmissionBoard:
        """What an auditor sees of admission."""
        found: AdmissionBoard = self.world.look(admission_board, self.tender_id, ALMATY, actor=self.world.auditor)
        return found

    def cell(self, bid: Planted, requirement: str) -> Cell:
        """What is known and decided about a requirement of a bid."""
        found = self.board().row(bid.id).cell(requirement)
        assert found is not None, f"the procedure asks for {requirement}"
        return found

    def score(self, *bids: Planted, points_milli: int = 1500) -> None:
        """Every member gives every bid the same points, and they are revealed."""
        for member in self.members:
            for bid in bids:
                self.world.do(scoring.give_score, self.tender_id, bid.id, JUDGED, points_milli, actor=member)
        self.world.do(scoring.reveal_scores, self.tender_id, actor=self.world.secretary)


def goods_table(world: Procurement) -> Table:
    """A tender for goods, where the price decides and comes in an envelope of its own; in admission."""
    tender_id = goods_draft(world)
    world.draw_commission(tender_id)
    for step in path_to(TenderStage.ADMISSION):
        step(world, tender_id)
    return Table(world, tender_id)


def goods_draft(world: Procurement) -> UUID:
    """A draft for goods that lacks nothing but its commission."""
    tender_id = world.bare_draft(profile_code="kz-goods-price")
    lot_id = world.do(drafting.add_lot, tender_id, world.school_id)
    for name, content in TENDER_SECTIONS.items():
        world.do(drafting.edit_section, tender_id, name, content)
    delivery = {"address": texts("Abay 12"), "deliveries_week": 2}
    world.do(drafting.edit_section, tender_id, "delivery", delivery, lot_id=lot_id)
    goods = {"name": texts("Milk"), "group": "dairy", "unit": "l"}
    item = NewItem(goods=goods, quantity=1000, ceiling_minor=500_00)
    world.do(drafting.set_items, tender_id, lot_id, [item])
    return tender_id
