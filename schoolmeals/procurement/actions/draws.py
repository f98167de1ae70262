"""Drawing a commission: the pool, the announcement of the seed, and the draw that anybody can repeat."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals import audit, identity
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.access import permitted_in
from schoolmeals.procurement.acting import AtHand, acts_of, permitted, record_act
from schoolmeals.procurement.models import CommissionSeat, PoolMember
from schoolmeals.procurement.profiles import Profile, SeatsWanted
from schoolmeals.procurement.queries.commission import full_name, pool_rows
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.queries.tenures import over_limits
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.drafting import NEEDED, OUT_OF_RANGE, TWICE, UNKNOWN
from schoolmeals.procurement.rules.draw import (
    ALGORITHM,
    LONGEST_NAME,
    MOST_DECIMALS,
    MOST_NUMBERS,
    Candidate,
    DrawnSeat,
    SeedPlan,
    draw,
    has_seed_form,
    pool_digest,
    pool_suffices,
    seed_problem,
    written_seed,
)
from schoolmeals.procurement.rules.quorum import is_composed, places_free, too_few_left
from schoolmeals.procurement.table import require
from schoolmeals.verdicts import Refused

CONSTITUENCIES: Final = ("parents", "trustees", "education", "health", "finance", "entrepreneurs", "ngo")
LONGEST_SOURCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPoolMember:
    """Somebody to be entered into a pool. All but name and constituency serve the search for conflicts alone."""

    person_id: UUID
    surname: str
    given_name: str
    constituency: str
    patronymic: str = ""
    address: str = ""
    phone: str = ""
    employer: str = ""
    employer_identifier: str = ""
    founder_of: tuple[str, ...] = field(default_factory=tuple)


def add_pool_member(work: Work, organisation_id: UUID, member: NewPoolMember) -> UUID:
    """Enter somebody with an account into the pool from which commissions are drawn.

    Raises Invalid, NotFound, Conflict ``in-the-pool``.
    """
    permitted_in(work, "add_pool_member", organisation_id)
    problems = {
        "surname": [] if member.surname.strip() else [NEEDED],
        "given_name": [] if member.given_name.strip() else [NEEDED],
        "constituency": [] if member.constituency in CONSTITUENCIES else [UNKNOWN],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    if member.person_id not in identity.people(work, [member.person_id]):
        raise NotFound
    if any(one.person_id == member.person_id for one in pool_rows(work, organisation_id)):
        raise Conflict("in-the-pool", N_("This person is already in the pool."))
    row = PoolMember(
        id=new_id(work.now),
        organisation_id=organisation_id,
        person_id=member.person_id,
        surname=member.surname.strip(),
        given_name=member.given_name.strip(),
        patronymic=member.patronymic.strip(),
        constituency=member.constituency,
        address=member.address.strip(),
        phone=member.phone.strip(),
        employer=member.employer.strip(),
        employer_identifier=member.employer_identifier.strip(),
        founder_of=list(member.founder_of),
        entered_by=work.actor.id,
        entered_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    payload = {"constituency": member.constituency, "person": member.person_id}
    audit.record(work, "procurement.add-pool-member", Subject("pool-member", row.id), payload, personal=_personal(row))
    return row.id


def remove_pool_member(work: Work, member_id: UUID) -> None:
    """Take somebody out of the pool; seats that they already hold stay. Raises NotFound."""
    row = work.session.get(PoolMember, member_id, with_for_update=True)
    if row is None or row.left_at is not None:
        raise NotFound
    permitted_in(work, "remove_pool_member", row.organisation_id)
    row.left_at = work.now
    work.session.flush()
    audit.record(work, "procurement.remove-pool-member", Subject("pool-member", row.id), {})


def announce_draw(work: Work, tender_id: UUID, seed: SeedPlan, *, reason: str = "") -> UUID:
    """Fix the pool and say which public number, not known to anybody yet, will be the seed, and how it is written;
    gives the act's id, under which everybody can read the pool.

    Left out of the pool: whoever is over the limits of rotation, has written in the tender, or sat in this commission
    before. Once the commission is at work, and those who are left can decide nothing, alternates for the free seats
    are drawn in the same way, with a published ``reason``. Raises Invalid, Conflict ``drawn-already``, NotNow
    ``pool-too-small``, ``enough-left``.
    """
    hand = permitted(work, "announce_draw", tender_id)
    profile = profile_of(work, hand.tender)
    _check_announcement(work, seed)
    _check_new_draw(hand, profile, reason)
    seats, alternates = _wanted(hand, profile)
    pool, left_out = _eligible(work, hand, profile)
    require(pool_suffices([_candidate(one) for one in pool], seats, alternates))
    payload = {
        "algorithm": ALGORITHM,
        "pool": [_shown(one) for one in pool],
        "left_out": [{**_shown(one), "code": why.code} for one, why in left_out],
        "pool_sha256": pool_digest(_candidate(one) for one in pool),
        "seats": [_seats_json(one) for one in seats],
        "alternates": [_seats_json(one) for one in alternates],
        "parents": sorted(profile.parents),
        "seed_source": seed.source.strip(),
        "seed_not_before": seed.not_before.isoformat(),
        "seed_numbers": [one.strip() for one in seed.numbers],
        "seed_decimals": seed.decimals,
        **({"reason": reason.strip()} if hand.facts.version else {}),
    }
    return record_act(work, hand, ActKind.DRAW_ANNOUNCED, payload).id


def draw_members(work: Work, tender_id: UUID, seed: str) -> list[UUID]:
    """Draw members and alternates from the announced pool by the public seed; gives the seats' ids by position.

    Raises Invalid, also ``seed-form`` where the seed is not written as announced, and NotNow ``no-draw-announced``,
    ``seed-without-form`` and ``seed-too-early``.
    """
    hand = permitted(work, "draw_members", tender_id)
    announced = hand.facts.draw
    if announced is None:
        raise NotNow("no-draw-announced", N_("Announce the draw first: the pool, and where the seed will come from."))
    if work.now < datetime.fromisoformat(announced.payload["seed_not_before"]):
        raise NotNow("seed-too-early", N_("The seed is not known yet: the announced moment has not come."))
    said = announced.payload
    seed = _seed_as_announced(seed, said)
    drawn = draw(
        [Candidate(UUID(one["id"]), one["constituency"]) for one in said["pool"]],
        seed,
        [SeatsWanted(**one) for one in said["seats"]],
        [SeatsWanted(**one) for one in said["alternates"]],
        frozenset(said["parents"]),
    )
    if said["seats"]:
        _end_all(work, hand)
    rows = _seat(work, hand, drawn, {one["id"]: one["name"] for one in said["pool"]})
    seats = [
        {"seat_id": str(row.id), "candidate_id": str(row.pool_member_id), "part": row.part, "position": row.position}
        for row in rows
    ]
    payload = {"announcement": str(announced.id), "seed": seed, "seats": seats}
    record_act(work, hand, ActKind.MEMBERS_DRAWN, payload, subject_id=announced.id)
    return [row.id for row in rows]


def _seat(work: Work, hand: AtHand, drawn: Iterable[DrawnSeat], names: Mapping[str, str]) -> list[CommissionSeat]:
    people = {row.id: row.person_id for row in pool_rows(work, hand.tender.organiser_id, everybody=True)}
    before = max((seat.position for seat in hand.seats), default=0)
    rows = [
        CommissionSeat(
            id=new_id(work.now),
            tender_id=hand.id,
            person_id=people[one.candidate_id],
            pool_member_id=one.candidate_id,
            name=names[str(one.candidate_id)],
            part=one.part,
            constituency=one.constituency,
            position=before + one.position,
            appointed_at=work.now,
        )
        for one in drawn
    ]
    work.session.add_all(rows)
    work.session.flush()
    return rows


def _end_all(work: Work, hand: AtHand) -> None:
    """The seats of an earlier draw end; the secretary's stays."""
    for seat in hand.seats:
        if seat.ended_at is None and seat.part != "secretary":
            row = work.session.get_one(CommissionSeat, seat.id)
            row.ended_at, row.end_reason = work.now, "removed"


def _eligible(work: Work, hand: AtHand, profile: Profile) -> tuple[list[PoolMember], list[tuple[PoolMember, Refused]]]:
    """Who of the pool can be drawn, and who is left out and why."""
    pool = pool_rows(work, hand.tender.organiser_id)
    organiser = hand.tender.organiser_id
    tired = over_limits(work, organiser, "commission-member", profile, [one.person_id for one in pool])
    seated = {seat.person_id for seat in hand.seats}
    # Whoever wrote the tender judges no bid on it, however long ago that was.
    own = {act.by_person for act in acts_of(work, hand.id) if act.kind in WRITING} | hand.facts.editors
    refusals = {
        one.id: tired.get(one.person_id)
        or (Refused("own-work", OWN_TENDER) if one.person_id in own else None)
        or (Refused("sat-before", SAT_BEFORE) if one.person_id in seated else None)
        for one in pool
    }
    left_out = [(one, why) for one in pool if (why := refusals[one.id]) is not None]
    return [one for one in pool if refusals[one.id] is None], left_out


def _seed_as_announced(seed: str, said: Mapping[str, Any]) -> str:
    """The seed in its announced form. Who announced before there were forms announces once more."""
    if not has_seed_form(said):
        raise NotNow("seed-without-form", N_("This draw was announced without the form of its seed. Announce it anew."))
    seed = written_seed(seed)
    problem = seed_problem(seed, len(said["seed_numbers"]), said["seed_decimals"])
    if problem is not None:
        raise Invalid(fields={"seed": [problem]})
    return seed


def _check_announcement(work: Work, seed: SeedPlan) -> None:
    names = [one.strip() for one in seed.numbers]
    named = 0 < len(names) <= MOST_NUMBERS and all(_can_be_named(one) for one in names)
    problems = {
        "seed_source": [] if seed.source.strip() and len(seed.source) <= LONGEST_SOURCE else [NEEDED],
        "seed_not_before": [] if seed.not_before > work.now else [SEED_KNOWN],
        "seed_numbers": ([] if len(set(names)) == len(names) else [TWICE]) if named else [SEED_NAMES],
        "seed_decimals": [] if 0 <= seed.decimals <= MOST_DECIMALS else [SEED_DECIMALS],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})


def _can_be_named(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


def _wanted(hand: AtHand, profile: Profile) -> tuple[Sequence[SeatsWanted], Sequence[SeatsWanted]]:
    """The seats and the alternates to be drawn: all of them, or those that fell free in a commission at work."""
    if not hand.facts.version:
        return profile.seats, profile.alternate_seats
    return (), tuple(SeatsWanted(constituency, count) for constituency, count in places_free(hand.seats))


def _check_new_draw(hand: AtHand, profile: Profile, reason: str) -> None:
    """A commission is drawn once; again only where everybody has answered and too few remain."""
    if hand.facts.draw is not None and has_seed_form(hand.facts.draw.payload):
        raise Conflict("draw-announced", N_("A draw is already announced. Draw by its seed."))
    if hand.facts.version:
        require(too_few_left(hand.seats, profile))
        if not reason.strip():
            raise Invalid(fields={"reason": [NEEDED]})
        return
    drawn = [seat for seat in hand.seats if seat.part != "secretary"]
    waiting = any(seat.stands and seat.accepted_at is None for seat in drawn)
    if drawn and (waiting or is_composed(drawn, profile) is None):
        raise Conflict("drawn-already", N_("The commission is drawn. A new draw needs that too few have accepted."))


def _candidate(row: PoolMember) -> Candidate:
    return Candidate(row.id, row.constituency)


def _shown(row: PoolMember) -> dict[str, Any]:
    return {"id": str(row.id), "name": full_name(row), "constituency": row.constituency}


def _seats_json(seats: SeatsWanted) -> dict[str, Any]:
    return {"constituency": seats.constituency, "count": seats.count}


def _personal(row: PoolMember) -> dict[str, Any]:
    names = ("surname", "given_name", "patronymic", "address", "phone", "employer", "employer_identifier")
    return {name: getattr(row, name) for name in names}


WRITING: Final = frozenset({ActKind.OPENED_DRAFT, ActKind.EDITED, ActKind.LOT_ADDED})
SEED_KNOWN: Final = FieldProblem.of("seed-known", N_("Name a moment to come: a seed that is known is no seed."))
SEED_NAMES: Final = FieldProblem.of(
    "seed-names", N_("Name one to %(most)s numbers, with commas between."), most=MOST_NUMBERS
)
SEED_DECIMALS: Final = FieldProblem.of("out-of-range", OUT_OF_RANGE, least=0, most=MOST_DECIMALS)
OWN_TENDER: Final = N_("Has written in this tender.")
SAT_BEFORE: Final = N_("Was in this commission before.")
