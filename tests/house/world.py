"""A small city in which everybody holds every role once, for the test of who may do what to whose things.

Each thing exists four times: one's own, another's in the same school, one in another school, and one that is nowhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from schoolmeals import canteen as canteen_room
from schoolmeals.actors import Role
from schoolmeals.canteen.menu_files import template
from schoolmeals.canteen.views.imports import PURPOSE
from schoolmeals.clock import MovableClock
from schoolmeals.identity.models import Invitation, Passkey
from schoolmeals.ids import new_id
from schoolmeals.pupils.models import ClaimCode, ListedGuardian, RosterImport
from schoolmeals.wallet import take_cash
from schoolmeals.wallet.models import Purse, TopUp
from tests.factories import saved
from tests.factories import session as session_of_factories
from tests.factories.canteen import Canteen, new_canteen, new_card, new_eater
from tests.factories.contract_rows import new_contract, new_security
from tests.factories.files import new_kept_file
from tests.factories.identity import (
    DeviceFactory,
    OrganisationFactory,
    PersonFactory,
    RoleGrantFactory,
    SessionFactory,
    actor_of,
    signed_in,
    signed_in_till,
)
from tests.factories.notices import new_draft, new_notice, new_paper, new_plan_line, new_subscription
from tests.factories.parents import NoticeFactory
from tests.factories.protocols import new_protocol
from tests.factories.pupils import CardFactory, GuardianshipFactory, PhotoFactory
from tests.factories.seats import new_pool_member, new_seat
from tests.factories.suppliers import new_equipment, new_evidence, new_proof, new_register, new_register_upload
from tests.factories.wallet import CASH
from tests.shelf import Shelf

ROLES: Final = ("public", *(role.value for role in Role), "till")
VARIANTS: Final = ("own", "same", "other", "missing")
CITY_WIDE: Final = (Role.AUDITOR, Role.CITY_ADMIN)
"""For these the whole city is their own; another school is no stranger's school."""


@dataclass(frozen=True)
class World:
    """``people`` by role; ``things`` by variant: a mapping from the name of a route's argument to its value."""

    app: Flask
    people: dict[str, UUID]
    till_id: UUID
    things: dict[str, dict[str, Any]]

    def client(self, role: str) -> FlaskClient:
        """A browser of somebody who has ``role`` and nothing else."""
        if role == "public":
            return self.app.test_client()
        if role == "till":
            return signed_in_till(self.app, self.till_id)
        return signed_in(self.app, self.people[role])


def kept(app: Flask, do: Any, shelf: Shelf, clock: MovableClock) -> World:
    """The world of one test, from the shelf, in a database that is empty."""

    def make() -> tuple[Any, ...]:
        world = build(app, do, clock)
        return world.people, world.till_id, world.things

    return World(app, *shelf.kept("house", clock, make))


def build(app: Flask, do: Any, clock: MovableClock) -> World:
    """The world of one test, in a database that was empty."""
    city = OrganisationFactory.create(kind="city").id
    here, there = new_canteen(clock()), new_canteen(clock())
    people = {role.value: PersonFactory.create().id for role in Role}
    for role in Role:
        place = city if role in CITY_WIDE else here.school_id
        RoleGrantFactory.create(person_id=people[role.value], role=role.value, organisation_id=place)
    stranger = PersonFactory.create().id
    RoleGrantFactory.create(person_id=stranger, role=Role.CASHIER.value, organisation_id=there.school_id)
    things = {
        "own": _things(do, here, people["parent"], people["cashier"]),
        "same": _things(do, here, stranger, people["cashier"]),
        "other": _things(do, there, stranger, stranger),
    }
    for variant, keeper in (("own", people["school-office"]), ("same", stranger), ("other", stranger)):
        kept = {"kind": "upload", "purpose": PURPOSE, "ready_at": None, "school_id": things[variant]["school_id"]}
        things[variant]["upload_id"] = new_kept_file(keeper, clock(), template(), **kept)
    new_seat(things["own"]["tender_id"], here.school_id, people["commission-member"], clock())
    for variant, keeper in (("own", people["city-admin"]), ("same", stranger), ("other", stranger)):
        things[variant]["register_upload_id"] = new_register_upload(keeper, clock())
    things["missing"] = {name: new_id() if isinstance(value, UUID) else value for name, value in things["own"].items()}
    things["missing"]["sha256"] = "0" * 64
    till = DeviceFactory.create(school_id=here.school_id, cashier_id=people["cashier"])
    return World(app, people, till.id, things)


def _things(do: Any, canteen: Canteen, guardian: UUID, member: UUID) -> dict[str, Any]:
    """What belongs to one child and its school, by the names of the routes' arguments."""
    school = {"school_id": canteen.school_id}
    pupil_id = new_eater(canteen, do, money_minor=5_000_00, photo_id=PhotoFactory.create(**school).id)
    card_hash = new_card(canteen, pupil_id)
    tie = GuardianshipFactory.create(**school, pupil_id=pupil_id, person_id=guardian)
    sale = canteen.order(card_hash, meal=True)
    do(canteen_room.ring_up, [sale], actor=canteen.till)
    return {
        **school,
        "organisation_id": canteen.school_id,
        "pupil_id": pupil_id,
        "class_id": canteen.class_id,
        "guardianship_id": tie.id,
        "sale_id": sale.id,
        "receipt_id": _cash(do, canteen, pupil_id, member),
        "sitting_id": canteen.sitting_id,
        "menu_id": canteen.menu_id,
        "item_id": canteen.juice,
        "menu_item_id": canteen.juice,
        "person_id": member,
        "day": "2026-11-23",
        **_tender(canteen),
        **_rows(canteen, pupil_id, guardian),
    }


def _tender(canteen: Canteen) -> dict[str, Any]:
    """A published tender for the school, the draw of its commission, and a draft; all the school's own."""
    tender_id, act_id = new_notice(canteen.school_id, canteen.school_id, canteen.now)
    draft_id, lot_id = new_draft(canteen.school_id, canteen.school_id, canteen.now)
    line_id = new_plan_line(canteen.school_id, canteen.school_id, canteen.now)
    protocol: dict[str, Any] = {"sha256": new_protocol(tender_id, canteen.now), "commission_id": tender_id}
    member_id = new_pool_member(canteen.school_id, PersonFactory.create().id, canteen.now)
    protocol |= {"opening_step": "start", "rotation_step": "note", "pool_member_id": member_id}
    chosen: dict[str, Any] = {"deed": "submit", "step": "announce", "move": "publish"}
    chosen |= {"admission_step": "mend", "score_step": "reveal", "bid_id": new_id(canteen.now)}
    about = {**protocol, **chosen, "section": "period", "lot_section": "kitchen"}
    names = {"tender_id": tender_id, "act_id": act_id, "draft_id": draft_id, "lot_id": lot_id, "line_id": line_id}
    return {
        **names,
        **about,
        "enquiry_id": new_id(canteen.now),
        "document_id": new_paper(tender_id, canteen.now),
        "ledger_kind": "equipment",
        "ledger_line_id": new_equipment(canteen.school_id, canteen.now),
        "paper_sha256": new_evidence(canteen.school_id, canteen.now),
        "proof_id": new_proof(canteen.school_id, canteen.now),
        "register_id": new_register(canteen.now),
        "bid_step": "withdraw",
        "change": "explain",
        "subscription_token": new_subscription(tender_id, canteen.now),
        "number": 1,
        **_contract(tender_id, canteen),
    }


def _contract(tender_id: UUID, canteen: Canteen) -> dict[str, Any]:
    """A contract of the tender's, and a complaint about it."""
    rows = new_contract(tender_id, canteen.school_id, canteen.now)
    chosen = {"decision": "suspend", "complaint_move": "refuse", "contract_step": "terminate"}
    chosen |= {"security_step": "end"}
    security_id = new_security(tender_id, rows.contract_id, canteen.school_id, canteen.now)
    ids = {"contract_id": rows.contract_id, "complaint_id": rows.complaint_id, "complaint_file_id": rows.file_id}
    return {**ids, **chosen, "security_id": security_id}


def _rows(canteen: Canteen, pupil_id: UUID, guardian: UUID) -> dict[str, Any]:
    """Things of which a row is all that a door needs to find them."""
    now, school_id = canteen.now, canteen.school_id
    session = SessionFactory.create(person_id=guardian, token_hash=uuid4().bytes)
    return {
        "photo_id": PhotoFactory.create(school_id=school_id).id,
        "device_id": DeviceFactory.create(school_id=school_id).id,
        "session_id": session.id,
        "notice_id": NoticeFactory.create(school_id=school_id, pupil_id=pupil_id, person_id=guardian).id,
        "card_id": CardFactory.create(school_id=school_id, pupil_id=pupil_id).id,
        "top_up_id": _top_up(canteen, pupil_id),
        "file_id": new_kept_file(guardian, now, school_id=school_id),
        "passkey_id": _passkey(guardian, now),
        "invitation_id": _invitation(school_id, now),
        "import_id": _import(school_id, now),
        "claim_code_id": _claim_code(school_id, pupil_id, now),
        "listed_id": _listed(school_id, pupil_id, now),
        "provider": "stripe",
        "language": "kk",
    }


def _cash(do: Any, canteen: Canteen, pupil_id: UUID, clerk: UUID) -> UUID:
    """Cash over the desk, as it is taken there: the only kind of top-up with a receipt."""
    office = actor_of(clerk, (Role.SCHOOL_OFFICE, canteen.school_id))
    receipt_id = new_id(canteen.now)
    do(take_cash, canteen.school_id, pupil_id, actor=office, top_up_id=receipt_id, amount_minor=2_000_00, bounds=CASH)
    return receipt_id


def _top_up(canteen: Canteen, pupil_id: UUID) -> UUID:
    purse_id = session_of_factories().scalar(select(Purse.id).where(Purse.pupil_id == pupil_id))
    row = TopUp(
        school_id=canteen.school_id,
        id=new_id(canteen.now),
        purse_id=purse_id,
        amount_minor=1_000_00,
        currency="KZT",
        method="hosted-page",
        intended_at=canteen.now,
        provider="stripe",
    )
    found: UUID = saved(row).id
    return found


def _passkey(person_id: UUID, now: datetime) -> UUID:
    row = Passkey(
        id=new_id(now),
        person_id=person_id,
        credential_id=uuid4().bytes,
        public_key=b"key",
        sign_count=0,
        transports=[],
        name="Phone",
        created_at=now,
    )
    found: UUID = saved(row).id
    return found


def _invitation(school_id: UUID, now: datetime) -> UUID:
    row = Invitation(
        id=new_id(now),
        code_hash=uuid4().bytes,
        role=Role.CASHIER.value,
        organisation_id=school_id,
        name="Somebody",
        created_at=now,
        expires_at=now + timedelta(days=7),
    )
    found: UUID = saved(row).id
    return found


def _import(school_id: UUID, now: datetime) -> UUID:
    row = RosterImport(
        school_id=school_id,
        id=new_id(now),
        file_name="roll.csv",
        sha256=b"",
        uploaded_at=now,
        preview={},
        rows_total=0,
        rows_done=0,
    )
    found: UUID = saved(row).id
    return found


def _listed(school_id: UUID, pupil_id: UUID, now: datetime) -> UUID:
    names = {"sourced_id": "G1", "name": "Somebody", "relation": "parent"}
    row = ListedGuardian(school_id=school_id, id=new_id(now), pupil_id=pupil_id, listed_at=now, **names)
    found: UUID = saved(row).id
    return found


def _claim_code(school_id: UUID, pupil_id: UUID, now: datetime) -> UUID:
    row = ClaimCode(
        school_id=school_id,
        id=new_id(now),
        pupil_id=pupil_id,
        code_hash=uuid4().bytes,
        printed_at=now,
        expires_at=now + timedelta(days=60),
    )
    found: UUID = saved(row).id
    return found
