"""A city that buys school meals, for tests: its officers, a school, a pool, and tenders brought to any stage by deeds.

``Procurement(clock)`` makes the people; ``tender_in(TenderStage.X)`` gives a tender's id at that stage and leaves the
clock there.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from schoolmeals.actors import PUBLIC, SYSTEM, Actor, Role
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work, reading, transaction
from schoolmeals.procurement.acting import AtHand, at_hand, lock_tender, record_act
from schoolmeals.procurement.actions import (
    commission,
    drafting,
    draws,
)
from schoolmeals.procurement.actions.draws import NewPoolMember
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.draw import SeedPlan
from schoolmeals.procurement.rules.need import AGE_GROUPS
from schoolmeals.procurement.rules.quorum import SeatFacts, heads, voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.procurement.sealing import new_member_key
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of
from tests.factories.pupils import PupilFactory, SchoolClassFactory
from tests.factories.tender_stages import KEYS as KEYS
from tests.factories.tender_stages import SERVER_SECRET as SERVER_SECRET
from tests.factories.tender_stages import path_to as path_to
from tests.shelf import Shelf

ALMATY: Final = ZoneInfo("Asia/Almaty")
TITLE: Final = {"kk": "2027 жылғы мектеп асы", "ru": "Школьное питание на 2027 год", "en": "School meals 2027"}
CEILING_MINOR: Final = 850_00
POOL: Final = (
    ("parents", 4),
    ("trustees", 1),
    ("education", 3),
    ("health", 3),
    ("ngo", 2),
)
SEED: Final = "525.31 567.89 6.71"
SEED_NUMBERS: Final = ("USD", "EUR", "RUB")
STARTS_ON: Final = "2027-01-11"
ENDS_ON: Final = "2027-05-25"


def rates_of(not_before: datetime) -> SeedPlan:
    """The announced seed: three rates with two digits after the point."""
    return SeedPlan(source="Rates of the National Bank", not_before=not_before, numbers=SEED_NUMBERS, decimals=2)


def texts(text: str) -> dict[str, str]:
    """The same words in each language; tests compare ids, not translations."""
    return {"kk": text, "ru": text, "en": text}


TENDER_SECTIONS: Final[Mapping[str, dict[str, Any]]] = {
    "notice": {
        "title": TITLE,
        "description": texts("Lunch for every pupil"),
        "contact_name": "Гүлнар Омарова",
        "contact_phone": "+7 7172 55 00 00",
        "contact_email": "omarova@example.kz",
    },
    "period": {"starts_on": STARTS_ON, "ends_on": ENDS_ON},
    "terms": {"bidding_days": 15, "payment_days": 10, "penalty_permille_day": 1},
}
LOT_SECTIONS: Final[Mapping[str, dict[str, Any]]] = {
    "meals": {"planned_days": 90, "meals": [{"age_group": group, "meal": "lunch"} for group in AGE_GROUPS]},
    "kitchen": {
        "kitchen": "cook-on-site",
        "capacity_day": 600,
        "seats": 180,
        "shifts": 2,
        "address": texts("Abay 12"),
    },
    "serving": {"times": [{"meal": "lunch", "shift": 1, "opens_at": "11:00", "closes_at": "13:00"}]},
    "lease": {"area_m2": 120, "rent_minor_month": 241_000_00},
    "staff": {"posts": [{"post": "cook", "count": 2, "fte_percent": 100, "grade": 4}]},
    "menu": {
        "season": "winter-spring",
        "days": [
            {"week": week, "weekday": weekday, "meal": "lunch", "dishes": texts("Borscht"), "kcal": 700}
            for week in range(1, 5)
            for weekday in range(1, 6)
        ],
    },
    "diets": {"diets": [{"diet": "gluten-free", "pupils": 2}]},
    "origin": {"domestic_percent": 60},
}


@dataclass(slots=True)
class Procurement:
    """The people of a tender. Actors are made once; ``do`` is one deed in a transaction of its own."""

    clock: MovableClock
    city_id: UUID = field(init=False)
    school_id: UUID = field(init=False)
    review_body_id: UUID = field(init=False)
    supplier_id: UUID = field(init=False)
    editor: Actor = field(init=False)
    """The officer who writes drafts."""
    officer: Actor = field(init=False)
    """Another officer, who reviews."""
    city_admin: Actor = field(init=False)
    auditor: Actor = field(init=False)
    supplier: Actor = field(init=False)
    buyer: Actor = field(init=False)
    review_body: Actor = field(init=False)
    stranger: Actor = field(init=False)
    secretary: Actor = field(init=False)
    other_school_id: UUID = field(init=False)
    officer_id: UUID = field(init=False)
    """Of one more officer, who has nothing to do with any tender."""
    chair_id: UUID = field(init=False)
    """The chair's seat in the tender that was remembered last."""
    pool: list[UUID] = field(default_factory=list)
    identities: dict[UUID, str] = field(default_factory=dict)
    """The private keys of members by seat, as only their browsers would have them."""
    shelf: Shelf | None = None
    """Where tenders are kept for the tests after this one; None where the product is not as it is elsewhere."""

    def __post_init__(self) -> None:
        self.city_id = OrganisationFactory.create(kind="city").id
        self.school_id = OrganisationFactory.create().id
        self.review_body_id = OrganisationFactory.create(kind="state").id
        self.supplier_id = OrganisationFactory.create(kind="supplier").id
        self.editor = somebody(Role.PROCUREMENT_OFFICER, self.city_id)
        self.officer = somebody(Role.PROCUREMENT_OFFICER, self.city_id)
        self.secretary = somebody(Role.PROCUREMENT_OFFICER, self.city_id)
        self.city_admin = somebody(Role.CITY_ADMIN, self.city_id)
        self.auditor = somebody(Role.AUDITOR, self.city_id)
        self.supplier = somebody(Role.SUPPLIER, self.supplier_id)
        self.buyer = somebody(Role.SCHOOL_OFFICE, self.school_id)
        self.review_body = somebody(Role.AUDITOR, self.review_body_id)
        self.stranger = actor_of(PersonFactory.create().id)
        self.other_school_id = OrganisationFactory.create().id
        other_officer = somebody(Role.PROCUREMENT_OFFICER, self.city_id)
        assert other_officer.id is not None
        self.officer_id = other_officer.id
        self._enrol()
        self._fill_pool()

    def do(self, deed: Callable[..., Any], *args: Any, actor: Actor | None = None, **kwargs: Any) -> Any:
        """Do one deed; the writing officer's by default."""
        with transaction(actor or self.editor, self.clock()) as work:
            return deed(work, *args, **kwargs)

    def look(self, look_up: Callable[..., Any], *args: Any, actor: Actor | None = None, **kwargs: Any) -> Any:
        """Look once; the writing officer's by default."""
        with reading(actor or self.editor, self.clock()) as work:
            return look_up(work, *args, **kwargs)

    def stage(self, tender_id: UUID) -> TenderStage:
        """The stage of a tender now."""
        found: TenderStage = self.look(tender_queries.tender, tender_id, actor=SYSTEM).line.stage
        return found

    def tender_in(self, stage: TenderStage, *, profile_code: str = "kz-catering-points") -> UUID:
        """A tender at ``stage``; the clock stands where that is so."""

        def bring() -> UUID:
            tender_id = self.draft(profile_code=profile_code)
            for step in path_to(stage):
                step(self, tender_id)
            assert self.stage(tender_id) is stage
            return tender_id

        return self.kept((stage, profile_code), bring)

    def draft(self, *, profile_code: str = "kz-catering-points") -> UUID:
        """A draft that lacks nothing, with a drawn commission whose members have accepted and made their keys."""

        def make() -> UUID:
            tender_id = self.drafted(profile_code=profile_code)
            self.draw_commission(tender_id)
            return tender_id

        return self.kept(("draft", profile_code), make)

    def kept(self, name: Any, make: Callable[[], UUID]) -> UUID:
        """The tender that ``make`` makes, from the shelf where this world has one."""
        if self.shelf is None:
            return make()
        then, tender_id = self.shelf.kept(name, self.clock, lambda: (self, make()))
        for one in fields(self):
            if hasattr(then, one.name):
                setattr(self, one.name, getattr(then, one.name))
        return tender_id

    def drafted(self, *, profile_code: str = "kz-catering-points") -> UUID:
        """A draft that lacks nothing but its commission."""
        tender_id = self.bare_draft(profile_code=profile_code)
        lot_id = self.do(drafting.add_lot, tender_id, self.school_id)
        for name, content in TENDER_SECTIONS.items():
            self.do(drafting.edit_section, tender_id, name, content)
        for name, content in LOT_SECTIONS.items():
            self.do(drafting.edit_section, tender_id, name, content, lot_id=lot_id)
        items = [NewItem(age_group=group, meal="lunch", ceiling_minor=CEILING_MINOR) for group in AGE_GROUPS]
        self.do(drafting.set_items, tender_id, lot_id, items)
        self.do(drafting.compute_need, tender_id, lot_id)
        return tender_id

    def bare_draft(self, *, profile_code: str = "kz-catering-points") -> UUID:
        """A draft with nothing in it but its title."""
        made: UUID = self.do(
            drafting.open_draft,
            self.city_id,
            profile_code=profile_code,
            title=TITLE,
            review_body_id=self.review_body_id,
        )
        return made

    def draw_commission(self, tender_id: UUID) -> None:
        """Announce, wait a minute, draw; everybody accepts and makes a key."""
        self.draw_by_lot(tender_id)
        self.do(commission.appoint_secretary, tender_id, self.secretary.id)
        for seat in self.seats(tender_id):
            if seat.accepted_at is None:
                self.accept(tender_id, seat)

    def draw_by_lot(self, tender_id: UUID) -> None:
        """Announce, wait a minute, draw; nobody has answered yet."""
        soon = self.clock() + timedelta(minutes=1)
        self.do(draws.announce_draw, tender_id, rates_of(soon))
        self.clock.move(timedelta(minutes=2))
        self.do(draws.draw_members, tender_id, SEED)

    def accept(self, tender_id: UUID, seat: SeatFacts) -> None:
        """Let a seat's holder accept and publish a key."""
        identity, recipient = new_member_key()
        self.do(commission.accept_appointment, tender_id, actor=self.holder(seat))
        self.do(commission.publish_key, tender_id, recipient, actor=self.holder(seat))
        self.identities[seat.id] = identity

    def seats(self, tender_id: UUID) -> tuple[SeatFacts, ...]:
        """All seats of the commission, by position."""
        found: tuple[SeatFacts, ...] = self.look(commission_queries.commission, tender_id, actor=SYSTEM).seats
        return found

    def seat(self, tender_id: UUID, part: str) -> SeatFacts:
        """The first standing seat of a part."""
        return next(seat for seat in self.seats(tender_id) if seat.part == part and seat.stands)

    def voters(self, tender_id: UUID) -> list[UUID]:
        """The seats that have a vote."""
        return [seat.id for seat in voters(self.seats(tender_id))]

    def chair(self, tender_id: UUID) -> Actor:
        """Whoever chairs the commission now."""
        seat = heads(self.seats(tender_id))[0]
        assert seat is not None
        return self.holder(seat)

    def remember(self, tender_id: UUID) -> None:
        """Keep in mind what deeds on this tender need to name."""
        self.chair_id = self.seat(tender_id, "chair").id

    def holder(self, seat: SeatFacts) -> Actor:
        """The person in a seat."""
        return actor_of(seat.person_id, (Role.COMMISSION_MEMBER, self.city_id))

    def until(self, tender_id: UUID, term: str) -> datetime:
        """The last instant of a running term."""
        found: Term = self.look(tender_queries.tender, tender_id, actor=SYSTEM).terms[term]
        return found.until

    def act(self, tender_id: UUID, kind: ActKind, payload: Mapping[str, Any] | None = None, **about: Any) -> None:
        """Let something have happened, by itself, where its deed does not matter."""

        def happen(work: Work) -> None:
            record_act(work, self._at_hand(work, tender_id), kind, payload, **about)

        self.do(happen, actor=SYSTEM)

    def actors(self, tender_id: UUID) -> dict[str, Actor]:
        """Everybody who could come to a tender's doors, by what they are to it."""
        seats = {seat.part: self.holder(seat) for seat in reversed(self.seats(tender_id)) if seat.part != "secretary"}
        return {
            "editor": self.editor,
            "officer": self.officer,
            "secretary": self.secretary,
            "city-admin": self.city_admin,
            "auditor": self.auditor,
            "review-body": self.review_body,
            "supplier": self.supplier,
            "buyer": self.buyer,
            "person": self.stranger,
            "public": PUBLIC,
            "system": SYSTEM,
            **{part: seats[part] for part in ("chair", "deputy", "member", "alternate") if part in seats},
        }

    def _at_hand(self, work: Work, tender_id: UUID) -> AtHand:
        return at_hand(work, lock_tender(work, tender_id), work.now)

    def _enrol(self) -> None:
        for grade, pupils in ((2, 3), (7, 2), (11, 1)):
            room = SchoolClassFactory.create(school_id=self.school_id, grade=grade)
            for _ in range(pupils):
                PupilFactory.create(school_id=self.school_id, class_id=room.id)

    def _fill_pool(self) -> None:
        for constituency, count in POOL:
            for place in range(count):
                person = PersonFactory.create()
                member = NewPoolMember(
                    person_id=person.id,
                    surname=f"{constituency.title()}ов",
                    given_name=f"N{place}",
                    constituency=constituency,
                )
                self.pool.append(self.do(draws.add_pool_member, self.city_id, member))


def kept_world(shelf: Shelf, clock: MovableClock, request: pytest.FixtureRequest) -> Procurement:
    """The people of a tender, from the shelf; but where a test may have changed the product, nothing is kept."""
    if "monkeypatch" in request.fixturenames:
        return Procurement(clock)
    return shelf.kept("procurement", clock, lambda: Procurement(clock, shelf=shelf))


class TakenBack(Exception):
    """Ends a transaction without a trace."""


@contextmanager
def rehearsal(actor: Actor, now: datetime) -> Iterator[Work]:
    """A transaction whose deeds are all taken back at its end."""
    with suppress(TakenBack), transaction(actor, now) as work:
        yield work
        raise TakenBack


def somebody(role: Role, organisation_id: UUID) -> Actor:
    """A new person with a role."""
    person = PersonFactory.create(roles=[(role, organisation_id)])
    return actor_of(person.id, (role, organisation_id))
