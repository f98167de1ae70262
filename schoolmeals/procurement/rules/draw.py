"""The random draw of a commission, which anybody can repeat.

First the organiser publishes the pool and says which public number, not yet known to anybody, will be the seed: the
exchange rates of a coming day, say. It also says what those numbers are called, in which order, and how many digits
they have after the point: so one public value is written in one way only (:func:`seed_problem`), and gives one draw.
Once it is known, the draw is only arithmetic::

    pool digest  = SHA-256 of the lines "<id> <constituency>\\n", sorted by id
    ticket of id = SHA-256 of "schoolmeals-draw/v1\\n" + pool digest (hex) + "\\n" + seed + "\\n" + id

Candidates are ranked by their tickets, as hexadecimal text, the smallest first. Each constituency in turn, in the order
of the notice, takes its first so many; then the alternates are taken in the same way from who is left. The chair is the
drawn member with the smallest ticket who speaks for neither parents nor trustees, where there is one; the deputy is the
next of all members.

Where a commission at work has become too small, alternates alone are drawn in the same way, with a pool and a seed that
are announced anew.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.profiles import SeatsWanted
from schoolmeals.verdicts import Refused

ALGORITHM: Final = "schoolmeals-draw/v1"
MOST_NUMBERS: Final = 6
MOST_DECIMALS: Final = 6
LONGEST_NAME: Final = 40
LEFT_AFTER: Final = timedelta(days=60)
"""A draft that is not published so long after its draw was announced counts as left."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody in the pool."""

    id: UUID
    constituency: str


@dataclass(frozen=True, slots=True)
class DrawnSeat:
    """A place that the draw gave. ``position`` counts from 1; alternates come after the members."""

    candidate_id: UUID
    constituency: str
    part: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """The seed as it is announced: where it comes from, from when it is known, and the one form in which it is written:
    what its numbers are called, in their order, and how many digits each has after the point.
    """

    source: str
    not_before: datetime
    numbers: tuple[str, ...]
    decimals: int


class Fate(StrEnum):
    """What became of the tender for which there was a draw."""

    PREPARED = "in-preparation"
    LEFT = "left-unpublished"
    PUBLISHED = "published"


def fate_of(published_at: datetime | None, announced_at: datetime, now: datetime) -> Fate:
    """What became of a tender whose draw was announced then. Nothing that is done in a draft changes it."""
    if published_at is not None:
        return Fate.PUBLISHED
    return Fate.LEFT if announced_at < now - LEFT_AFTER else Fate.PREPARED


def has_seed_form(announcement: Mapping[str, Any]) -> bool:
    """Whether an announcement says how its seed is written; earlier versions did not."""
    return "seed_numbers" in announcement


def written_seed(typed: str) -> str:
    """A seed with exactly one space between its numbers."""
    return " ".join(typed.split())


def seed_problem(seed: str, numbers: int, decimals: int) -> FieldProblem | None:
    """Why a seed is not in its announced form: so many numbers with one space between, each with no needless zero in
    front, a point, and exactly so many digits after it. Two different seeds of one form are two different values.
    """
    one = rf"(?:0|[1-9][0-9]{{0,11}}){rf'[.][0-9]{{{decimals}}}' if decimals else ''}"
    if re.fullmatch(" ".join([one] * numbers), seed):
        return None
    example = seed_example(numbers, decimals)
    return FieldProblem.of("seed-form", SEED_FORM, count=numbers, decimals=decimals, example=example)


def seed_example(numbers: int, decimals: int) -> str:
    """What a seed of this form looks like."""
    one = f"123.{'456789'[:decimals]}" if decimals else "123"
    return " ".join([one] * numbers)


def pool_digest(pool: Iterable[Candidate]) -> str:
    """The digest of a pool, in hexadecimal; the order in which it is given does not count."""
    lines = sorted(f"{one.id} {one.constituency}\n" for one in pool)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def ticket(digest: str, seed: str, candidate_id: UUID) -> str:
    """A candidate's ticket."""
    return hashlib.sha256(f"{ALGORITHM}\n{digest}\n{seed}\n{candidate_id}".encode()).hexdigest()


def draw(
    pool: Collection[Candidate],
    seed: str,
    seats: Sequence[SeatsWanted],
    alternates: Sequence[SeatsWanted],
    parents: frozenset[str],
) -> list[DrawnSeat]:
    """The drawn members and alternates in the order of their positions; without ``seats`` alternates alone are drawn.
    The pool must be large enough.
    """
    digest = pool_digest(pool)
    tickets = {one.id: ticket(digest, seed, one.id) for one in pool}
    ranked = sorted(pool, key=lambda one: tickets[one.id])
    members = _take(ranked, seats)
    taken = {one.id for one in members}
    spares = _take([one for one in ranked if one.id not in taken], alternates)
    parts = _parts(sorted(members, key=lambda one: tickets[one.id]), parents) if members else {}
    drawn = [*members, *spares]
    return [
        DrawnSeat(one.id, one.constituency, parts.get(one.id, "alternate"), place)
        for place, one in enumerate(drawn, start=1)
    ]


def pool_suffices(
    pool: Iterable[Candidate], seats: Iterable[SeatsWanted], alternates: Iterable[SeatsWanted]
) -> Refused | None:
    """The pool has enough people of every constituency for members and alternates."""
    there: dict[str, int] = {}
    for one in pool:
        there[one.constituency] = there.get(one.constituency, 0) + 1
    wanted: dict[str, int] = {}
    for seat in [*seats, *alternates]:
        wanted[seat.constituency] = wanted.get(seat.constituency, 0) + seat.count
    short = sorted(name for name, count in wanted.items() if there.get(name, 0) < count)
    if not short:
        return None
    return Refused("pool-too-small", POOL_TOO_SMALL, {"missing": ", ".join(short)})


def _take(ranked: Sequence[Candidate], wanted: Iterable[SeatsWanted]) -> list[Candidate]:
    taken: list[Candidate] = []
    for seat in wanted:
        free = [one for one in ranked if one.constituency == seat.constituency and one not in taken]
        assert len(free) >= seat.count, "whoever draws has seen that the pool suffices"
        taken += free[: seat.count]
    return taken


def _parts(members_by_ticket: Sequence[Candidate], parents: frozenset[str]) -> dict[UUID, str]:
    outside = [one for one in members_by_ticket if one.constituency not in parents]
    chair = (outside or list(members_by_ticket))[0]
    deputy = next(one for one in members_by_ticket if one.id != chair.id)
    parts = {one.id: "member" for one in members_by_ticket}
    return {**parts, chair.id: "chair", deputy.id: "deputy"}


SEED_FORM: Final = N_(
    "Numbers: %(count)s, digits after the point: %(decimals)s, one space between two numbers and nothing else. "
    "For example: %(example)s"
)
POOL_TOO_SMALL: Final = N_("The pool has too few people of: %(missing)s. Enter more before the draw.")
