"""Looking at commissions: the pool, the draw that everybody can repeat, the seats, and one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.access import parties_in
from schoolmeals.procurement.acting import act_of, at_hand
from schoolmeals.procurement.models import InterestDeclaration, PoolMember, Tender, TenderAct
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.conflicts import MemberTraits, PersonTraits
from schoolmeals.procurement.rules.permissions import DRAFT_READERS, Party
from schoolmeals.procurement.rules.quorum import SeatFacts, heads, is_composed, keys_suffice, voters
from schoolmeals.procurement.rules.stages import UNPUBLISHED
from schoolmeals.verdicts import Refused


@dataclass(frozen=True, slots=True)
class CommissionFacts:
    """A tender's commission now. ``refused`` says what keeps it from being one; None where nothing does."""

    seats: tuple[SeatFacts, ...]
    voting: tuple[SeatFacts, ...]
    chair: SeatFacts | None
    deputy: SeatFacts | None
    refused: Refused | None
    keys_refused: Refused | None


@dataclass(frozen=True, slots=True)
class DrawRecord:
    """A draw with everything that is needed to repeat it. It names no tender, so that it can be shown before one is
    published. ``seed`` and ``seats`` are empty until the draw.
    """

    id: UUID
    announced_at: datetime
    announcement: Mapping[str, Any]
    """As ``announce_draw`` has fixed it: algorithm, pool, pool_sha256, seats, alternates, parents, seed_source."""
    drawn_at: datetime | None
    seed: str | None
    seats: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PoolLine:
    """Somebody in a pool, as the public may know them."""

    id: UUID
    name: str
    constituency: str


def commission(work: Work, tender_id: UUID) -> CommissionFacts:
    """A tender's commission, for everybody who may see the tender. Raises NotFound."""
    tender = work.session.get(Tender, tender_id)
    if tender is None:
        raise NotFound
    hand = at_hand(work, tender, work.now)
    if hand.stage in UNPUBLISHED and hand.parties.isdisjoint(DRAFT_READERS):
        raise NotFound
    profile = profile_of(work, tender)
    chair, deputy = heads(hand.seats)
    return CommissionFacts(
        tuple(hand.seats),
        tuple(voters(hand.seats)),
        chair,
        deputy,
        is_composed(hand.seats, profile),
        keys_suffice(hand.seats, profile),
    )


def draw_record(work: Work, announcement_id: UUID) -> DrawRecord:
    """A draw by the id of its announcement, for everybody. Raises NotFound."""
    row = work.session.get(TenderAct, announcement_id)
    if row is None or row.kind != ActKind.DRAW_ANNOUNCED:
        raise NotFound
    announced = act_of(row)
    found = select(TenderAct).where(TenderAct.subject_id == announced.id, TenderAct.kind == ActKind.MEMBERS_DRAWN.value)
    drawn = work.session.scalar(found)
    if drawn is None:
        return DrawRecord(announced.id, announced.at, announced.payload, None, None, ())
    said = drawn.payload
    return DrawRecord(announced.id, announced.at, announced.payload, drawn.at, said["seed"], tuple(said["seats"]))


def pool(work: Work, organisation_id: UUID) -> list[PoolLine]:
    """An organisation's pool, by name: names and whom they speak for are public."""
    return [PoolLine(row.id, full_name(row), row.constituency) for row in pool_rows(work, organisation_id)]


def pool_member(work: Work, member_id: UUID) -> PoolMember:
    """Everything about somebody in a pool, for the officers of its organisation, admins and auditors. Raises
    NotFound.
    """
    row = work.session.get(PoolMember, member_id)
    keepers = {Party.OFFICER, Party.CITY_ADMIN, Party.AUDITOR, Party.SYSTEM}
    if row is None or parties_in(work, row.organisation_id).isdisjoint(keepers):
        raise NotFound
    return row


def pool_rows(work: Work, organisation_id: UUID, *, everybody: bool = False) -> list[PoolMember]:
    """An organisation's pool by name; ``everybody`` also has those who have left. Not scoped."""
    found = select(PoolMember).where(PoolMember.organisation_id == organisation_id)
    if not everybody:
        found = found.where(PoolMember.left_at.is_(None))
    return list(work.session.scalars(found.order_by(PoolMember.surname, PoolMember.given_name, PoolMember.id)))


def full_name(row: PoolMember) -> str:
    """Surname, given name and patronymic."""
    return " ".join(part for part in (row.surname, row.given_name, row.patronymic) if part)


def member_traits(work: Work, seat: SeatFacts) -> MemberTraits:
    """What is known of a seat's holder, for the search for conflicts. Not scoped."""
    assert seat.pool_member_id is not None, "a secretary decides nothing"
    row = work.session.get_one(PoolMember, seat.pool_member_id)
    person = PersonTraits(
        row.surname,
        row.patronymic,
        (row.address,) if row.address else (),
        (row.phone,) if row.phone else (),
    )
    employers = frozenset({row.employer_identifier} if row.employer_identifier else ())
    return MemberTraits(person, employers, frozenset(row.founder_of))


def declaration_of(work: Work, seat_id: UUID, tenderer_id: UUID) -> InterestDeclaration | None:
    """What a seat has said of a tenderer. Not scoped."""
    return work.session.scalar(
        select(InterestDeclaration).where(
            InterestDeclaration.seat_id == seat_id, InterestDeclaration.tenderer_id == tenderer_id
        )
    )
