"""A tender of the demo, told deed by deed: each by whoever does it, at an instant of its own, on the way to a stage."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Actor, Grant, Role, person
from schoolmeals.database import Work, reading
from schoolmeals.demo.bidders import Bidder, Sealed, content_of, hire, seal
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.dishes import BUFFET
from schoolmeals.demo.notices import BIDDING_DAYS, CEILINGS_MINOR, lot_sections, tender_sections, title_of
from schoolmeals.demo.passkeys import Device
from schoolmeals.demo.schools import Site
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import (
    admission,
    awarding,
    bidding,
    closing,
    commission,
    contracts,
    drafting,
    draws,
    evaluation,
    opening,
    publishing,
    reviewing,
    scoring,
    signing,
)
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.bids import PART_BYTES, key_set_of
from schoolmeals.procurement.rules.contracts import BuffetItem
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.draw import SeedPlan
from schoolmeals.procurement.rules.need import AGE_GROUPS
from schoolmeals.procurement.rules.quorum import SeatFacts, heads, voters
from schoolmeals.procurement.sealing import Manifest, new_member_key, open_share

PROFILE: Final = "kz-catering-points"
SEED_SOURCE: Final = "Ұлттық банктің ресми бағамдары / Официальные курсы Национального банка"
SEED_NUMBERS: Final = ("USD", "EUR", "RUB")
BUFFET_LIST: Final = tuple(BuffetItem(item.dish.names, "piece", item.price_minor * 11 // 10) for item in BUFFET)
"""What the buffets of the demo sell, a tenth dearer at most than they do."""


@dataclass(slots=True)
class Town:
    """Who makes tenders, for which schools, who bids and who judges."""

    city_id: UUID
    review_body_id: UUID
    officer: Actor
    reviewer: Actor
    review_body: Actor
    schools: Sequence[identity.OrganisationFacts]
    bidders: list[Bidder]
    server_keys: ServerKeys
    evidence_key: bytes
    people_key: bytes
    passkey_site: identity.Site
    phones: dict[UUID, Device] = field(default_factory=dict)
    """Who has a passkey, by person."""


@dataclass(slots=True)
class Story:
    """A tender on its way. ``at`` is the instant of the last deed; every further deed is later."""

    site: Site
    town: Town
    name: str
    school: identity.OrganisationFacts
    meal: str
    first: date
    last: date
    at: datetime
    tender_id: UUID
    lot_id: UUID = field(default_factory=lambda: UUID(int=0))
    member_keys: dict[UUID, str] = field(default_factory=dict)
    bids: list[tuple[Bidder, Sealed]] = field(default_factory=list)

    @contextmanager
    def deed(self, actor: Actor, **later: float) -> Iterator[Work]:
        """One deed, so much later than the one before."""
        self.at += timedelta(**later) if later else timedelta(minutes=3)
        with self.site.deed(actor, self.at) as work:
            yield work

    def wait_for(self, day_after: datetime, local: time) -> None:
        """Go on at a local time of the day after an instant."""
        day = day_after.astimezone(self.site.zone).date() + timedelta(days=1)
        self.at = max(self.at, self.site.at(day, local))

    def draft(self) -> None:
        """A draft that lacks nothing but its commission."""
        title = title_of(self.school, self.meal, self.first)
        with self.deed(self.town.officer) as work:
            drafting.open_draft(
                work,
                self.town.city_id,
                profile_code=PROFILE,
                title=title,
                review_body_id=self.town.review_body_id,
                id=self.tender_id,
            )
            self.lot_id = drafting.add_lot(work, self.tender_id, self.school.id)
            days = len(identity.calendar_of(work, self.school.id).school_days(self.first, self.last))
            for name, content in tender_sections(title, self.first, self.last).items():
                drafting.edit_section(work, self.tender_id, name, content)
            for name, content in lot_sections(self.meal, days).items():
                drafting.edit_section(work, self.tender_id, name, content, lot_id=self.lot_id)
            ceilings = CEILINGS_MINOR[self.meal]
            items = [NewItem(age_group=group, meal=self.meal, ceiling_minor=ceilings[group]) for group in AGE_GROUPS]
            drafting.set_items(work, self.tender_id, self.lot_id, items)
            drafting.compute_need(work, self.tender_id, self.lot_id)

    def draw(self) -> None:
        """The commission: announced one day, drawn the next; who was drawn accepts and makes a key."""
        with self.deed(self.town.officer, hours=2) as work:
            seed = SeedPlan(
                source=SEED_SOURCE, not_before=work.now + timedelta(days=1), numbers=SEED_NUMBERS, decimals=2
            )
            draws.announce_draw(work, self.tender_id, seed)
        with self.deed(self.town.officer, days=1, minutes=5) as work:
            rates = chance_of("rates", work.today).sample(range(600, 60_000), 3)
            draws.draw_members(work, self.tender_id, " ".join(f"{rate / 100:.2f}" for rate in rates))
            commission.appoint_secretary(work, self.tender_id, _id_of(self.town.reviewer))
        for seat in self.seats():
            if seat.accepted_at is None:
                private, public = new_member_key()
                with self.deed(self.member(seat)) as work:
                    commission.accept_appointment(work, self.tender_id)
                    commission.publish_key(work, self.tender_id, public)
                self.member_keys[seat.id] = private

    def submit(self) -> None:
        """Sent for review."""
        with self.deed(self.town.officer, hours=1) as work:
            reviewing.submit_for_review(work, self.tender_id)

    def approve(self) -> None:
        """Read and approved by a second person."""
        with self.deed(self.town.reviewer, hours=2) as work:
            reviewing.approve_tender(work, self.tender_id)

    def publish(self) -> None:
        """Shown to everybody."""
        with self.deed(self.town.officer, hours=2) as work:
            publishing.publish_tender(work, self.tender_id, act_id=new_id(work.now), zone=self.site.zone)

    def hand_in(self, bidder: Bidder) -> None:
        """A bid: people hired for it, sealed, submitted, its file sent."""
        staff = hire(self.site, bidder, self.name, self.at, key=self.town.evidence_key, people_key=self.town.people_key)
        with reading(SYSTEM, self.site.now) as look:
            document = tender_queries.version(look, self.tender_id).document
        items = document["lots"][0]["items"]
        share = 100 - bidder.firm.under_percent
        prices = {UUID(item["id"]): item["ceiling_minor"] * share // 10_000 * 100 for item in items}
        content = content_of(bidder, self.tender_id, self.lot_id, staff, prices)
        self.wait_for(self.until("discussion"), time(10))
        sealed = seal(bidder, key_set_of(document), self.lot_id, content, self.name, self.at)
        how: dict[str, Any] = {"keys": self.town.server_keys, "clock": deed_clock}
        with self.deed(bidder.actor, hours=1) as work:
            bidding.submit_bid(work, self.tender_id, bidder.id, sealed.manifest, **how)
        step = PART_BYTES * bidding.PARTS_AT_ONCE
        for start in range(0, len(sealed.file), step):
            about = (self.tender_id, bidder.id, sealed.id, sealed.envelope, start // PART_BYTES)
            with self.deed(bidder.actor) as work:
                bidding.receive_part(work, *about, sealed.file[start : start + step], **how)
        self.bids.append((bidder, sealed))

    def close(self) -> None:
        """The deadline passes, and the list is frozen."""
        self.at = max(self.at, self.until("bidding"))
        with self.deed(SYSTEM, minutes=1) as work:
            closing.close_bidding(work, self.tender_id, keys=self.town.server_keys, clock=deed_clock)

    def start_opening(self, come: int) -> None:
        """The morning after: the opening begins, and so many members give their shares."""
        self.wait_for(self.until("bidding"), time(10))
        how: dict[str, Any] = {"keys": self.town.server_keys, "clock": deed_clock}
        with self.deed(self.town.reviewer) as work:
            opening.start_opening(work, self.tender_id, zone=self.site.zone, **how)
        if not self.bids:
            return
        for seat in self.voters()[:come]:
            shares = [
                open_share(Manifest.from_bytes(bid.manifest), bid.envelope, str(seat.id), self.member_keys[seat.id])
                for _, bid in self.bids
            ]
            with self.deed(self.member(seat)) as work:
                opening.give_shares(work, self.tender_id, [one.to_bytes() for one in shares])

    def finish_opening(self) -> None:
        """Every bid is opened, and the protocol written."""
        how: dict[str, Any] = {"keys": self.town.server_keys, "clock": deed_clock}
        for _, bid in self.bids:
            with self.deed(self.town.reviewer) as work:
                opening.reveal_bid(work, self.tender_id, bid.id, bid.envelope, **how)
        with self.deed(self.town.reviewer) as work:
            opening.finish_opening(work, self.tender_id, clock=deed_clock)

    def admit(self) -> None:
        """Nobody has an interest; who is admitted follows from what was found."""
        for seat in self.voters():
            with self.deed(self.member(seat)) as work:
                for bidder, _ in self.bids:
                    commission.declare_interest(work, self.tender_id, bidder.id, has_interest=False, nature="none")
        with self.deed(self.town.reviewer, hours=3) as work:
            admission.finish_admission(work, self.tender_id, zone=self.site.zone)

    def score(self) -> None:
        """Each member alone; then all at once."""
        judged = [one for one in self._profile().criteria if one.kind == "judged"]
        chance = chance_of("scores", self.name)
        for seat in self.voters():
            with self.deed(self.member(seat), hours=1) as work:
                for _, bid in self.bids:
                    for criterion in judged:
                        points = chance.randrange(3, 2 * criterion.most.value // 1000 + 1) * 500
                        scoring.give_score(work, self.tender_id, bid.id, criterion.code, points)
        with self.deed(self.town.reviewer) as work:
            scoring.reveal_scores(work, self.tender_id)

    def evaluate(self) -> None:
        """The score sheet."""
        with self.deed(self.town.reviewer, hours=2) as work:
            evaluation.finish_evaluation(work, self.tender_id, zone=self.site.zone)

    def award(self) -> None:
        """The chair signs for all who are there."""
        chair = heads(list(self.seats()))[0]
        assert chair is not None, "the commission has its seats"
        present = [seat.id for seat in self.voters()]
        self.wait_for(self.at, time(11))
        with self.deed(self.member(chair)) as work:
            awarding.sign_award(work, self.tender_id, present=present, zone=self.site.zone)

    def contract(self) -> UUID:
        """Made of the award once the standstill is over."""
        self.wait_for(self.until("standstill"), time(11))
        contract_id = new_id(self.at)
        with self.deed(self.town.officer) as work:
            about = (self.tender_id, self.lot_id, contract_id)
            contracts.make_contract(work, *about, zone=self.site.zone, buffet=BUFFET_LIST)
        return contract_id

    def sign(self, contract_id: UUID) -> None:
        """The supplier signs first, then the school; the lease follows, and the tender is complete."""
        with reading(SYSTEM, self.site.now) as look:
            made = contract_queries.contract(look, contract_id)
            office = identity.people_in(look, self.school.id, Role.SCHOOL_OFFICE)[0]
        supplier = next(bidder for bidder, _ in self.bids if bidder.id == made.line.supplier_id)
        for actor in (supplier.actor, person(office.id, [Grant(Role.SCHOOL_OFFICE, self.school.id)])):
            phone = self._phone(actor)
            with reading(actor, self.site.now) as look:
                digest = contract_queries.digest_to_sign(look, contract_id)
            with self.deed(actor, hours=4) as work:
                about = (self.tender_id, contract_id)
                signing.sign_contract(
                    work, *about, site=self.town.passkey_site, credential=phone.sign(digest), zone=self.site.zone
                )

    def complete(self, contract_id: UUID) -> None:
        """The lease is signed too, and nothing is left to do."""
        with self.deed(self.town.officer, days=2) as work:
            signed_on = work.now.astimezone(self.site.zone).date()
            contracts.sign_lease(
                work, self.tender_id, contract_id, signed_on=signed_on, number="А-1", zone=self.site.zone
            )
            contracts.complete_tender(work, self.tender_id)

    def seats(self) -> tuple[SeatFacts, ...]:
        """All seats of the commission."""
        with reading(SYSTEM, self.site.now) as look:
            return tuple(commission_queries.commission(look, self.tender_id).seats)

    def voters(self) -> list[SeatFacts]:
        """The seats with a vote."""
        return voters(self.seats())

    def member(self, seat: SeatFacts) -> Actor:
        """Whoever sits there."""
        return person(seat.person_id, [Grant(Role.COMMISSION_MEMBER, self.town.city_id)])

    def until(self, term: str) -> datetime:
        """The end of a term."""
        with reading(SYSTEM, self.site.now) as look:
            return tender_queries.tender(look, self.tender_id).terms[term].until

    def _profile(self) -> Profile:
        with reading(SYSTEM, self.site.now) as look:
            document: Mapping[str, Any] = tender_queries.version(look, self.tender_id).document
        return Profile.from_json(document["profile"])

    def _phone(self, actor: Actor) -> Device:
        id = _id_of(actor)
        if id not in self.town.phones:
            self.town.phones[id] = Device(actor, self.town.passkey_site)
            with self.deed(actor) as work:
                self.town.phones[id].enrol(work)
        return self.town.phones[id]


def published_before(days: int) -> timedelta:
    """How long ago a tender was begun whose bids ended ``days`` ago: drawing, review and bidding come before."""
    return timedelta(days=days + BIDDING_DAYS + 3)


def _id_of(actor: Actor) -> UUID:
    assert actor.id is not None, "an officer is a person"
    return actor.id
