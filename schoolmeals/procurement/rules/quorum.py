"""Whether a commission is one: odd, large enough, parents among it, and enough of it present to decide."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import Profile
from schoolmeals.verdicts import Refused

VOTING: Final = frozenset({"chair", "deputy", "member"})
_RANKS: Final = {"chair": 0, "deputy": 1, "member": 2}
END_REASONS: Final = ("declined", "recused", "left", "removed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatFacts:
    """A place in a commission, as it is now."""

    id: UUID
    person_id: UUID
    name: str
    part: str
    constituency: str | None
    position: int
    accepted_at: datetime | None = None
    declined_at: datetime | None = None
    key_public: str | None = None
    seated_at: datetime | None = None
    """When an alternate was called in."""
    ended_at: datetime | None = None
    end_reason: str | None = None
    pool_member_id: UUID | None = None

    @property
    def stands(self) -> bool:
        return self.ended_at is None and self.declined_at is None

    @property
    def votes(self) -> bool:
        """Whether the seat has a vote now: a standing, accepted member, or an alternate who was called."""
        part_votes = self.part in VOTING or self.seated_at is not None
        return part_votes and self.stands and self.accepted_at is not None


def voters(seats: Iterable[SeatFacts]) -> list[SeatFacts]:
    """The seats that have a vote, by position."""
    return sorted((seat for seat in seats if seat.votes), key=lambda seat: seat.position)


def holds_a_key(seat: SeatFacts, published_at: datetime | None) -> bool:
    """Whether bids are sealed to the seat's key: it had a vote when the tender was published. Who was called later has
    a vote and no share; who has left since has a share and no vote.
    """
    if published_at is None or seat.key_public is None or seat.accepted_at is None:
        return False
    sat = seat.part in VOTING or (seat.seated_at is not None and seat.seated_at <= published_at)
    return sat and (seat.ended_at is None or seat.ended_at > published_at)


def heads(seats: Iterable[SeatFacts]) -> tuple[SeatFacts | None, SeatFacts | None]:
    """Who chairs now, and who is the deputy: those drawn as such, or the next in rank where one of them has left."""
    voting = voters(seats)
    ranked = sorted(voting, key=lambda seat: (_RANKS.get(seat.part, len(_RANKS)), seat.position))
    return (ranked[0] if ranked else None), (ranked[1] if len(ranked) > 1 else None)


def vacancies(seats: Sequence[SeatFacts]) -> list[SeatFacts]:
    """The seats that fell free and that no alternate has filled yet, in the order in which they fell free."""
    left = [seat for seat in seats if seat.ended_at is not None and (seat.part in VOTING or seat.seated_at is not None)]
    called = sum(seat.seated_at is not None for seat in seats)
    return sorted(left, key=lambda seat: (seat.ended_at, seat.position))[called:]


def quorum_of(members: int, percent: int) -> int:
    """How many of ``members`` must take part: the share, rounded up."""
    return -(-members * percent // 100)


def quorum_size(seats: Iterable[SeatFacts], profile: Profile) -> int:
    """How many members a decision takes now."""
    return quorum_of(max(len(voters(seats)), profile.commission("members_min").value), _percent(profile))


def has_quorum(seats: Iterable[SeatFacts], present: Iterable[UUID], profile: Profile) -> Refused | None:
    """Enough of those who have a vote are present (by seat). Who has left the commission counts on neither side, but
    the commission never shrinks below the profile's least.
    """
    chosen = list(seats)
    there = len({seat.id for seat in voters(chosen)} & set(present))
    wanted = quorum_size(chosen, profile)
    if there >= wanted:
        return None
    return Refused("no-quorum", NO_QUORUM, {"present": there, "needed": wanted})


def is_composed(seats: Iterable[SeatFacts], profile: Profile) -> Refused | None:
    """The voting seats make a commission: odd, at least five, and a third of them parents."""
    voting = voters(seats)
    for rule in (_is_large_enough, _is_odd, _has_parents):
        if (refused := rule(voting, profile)) is not None:
            return refused
    return None


def keys_suffice(seats: Iterable[SeatFacts], profile: Profile) -> Refused | None:
    """Every seat that has a vote has published the key to which bids will be sealed."""
    voting = voters(seats)
    missing = [seat.name for seat in voting if seat.key_public is None]
    needed = profile.commission("shares_needed").value
    if missing:
        return Refused("keys-missing", KEYS_MISSING, {"names": ", ".join(missing)})
    if len(voting) < needed:
        return Refused("keys-missing", TOO_FEW_KEYS, {"keys": len(voting), "needed": needed})
    return None


def next_alternate(seats: Iterable[SeatFacts], leaving: SeatFacts, parents: frozenset[str]) -> SeatFacts | None:
    """Who is called for a seat that fell free: the first accepted alternate of the same constituency; else, for a
    parent, the first who is a parent too; else the first of all. None where nobody is left.
    """
    free = sorted(
        (one for one in seats if one.part == "alternate" and one.stands and one.accepted_at and not one.seated_at),
        key=lambda seat: seat.position,
    )
    same = [one for one in free if one.constituency == leaving.constituency]
    kin = [one for one in free if one.constituency in parents] if leaving.constituency in parents else []
    return next(iter([*same, *kin, *free]), None)


def too_few_left(seats: Sequence[SeatFacts], profile: Profile) -> Refused | None:
    """A commission at work is filled up by lot only where those who are left can decide nothing: fewer than a quorum,
    and no alternate who could be called or has yet to answer.
    """
    waiting = any(one.pool_member_id and one.stands and not one.accepted_at for one in seats)
    free = any(one.part == "alternate" and one.stands and one.accepted_at and not one.seated_at for one in seats)
    left, wanted = len(voters(seats)), quorum_size(seats, profile)
    if waiting or free or left >= wanted:
        return Refused("enough-left", ENOUGH_LEFT, {"present": left, "needed": wanted})
    return None


def places_free(seats: Sequence[SeatFacts]) -> list[tuple[str, int]]:
    """Whom the free seats spoke for, and how many of each: whoever is drawn for them speaks for the same."""
    counts = Counter(seat.constituency or "" for seat in vacancies(seats))
    return sorted(counts.items())


def _percent(profile: Profile) -> int:
    return profile.commission("quorum_percent").value


def _is_large_enough(voting: Sequence[SeatFacts], profile: Profile) -> Refused | None:
    least = profile.commission("members_min").value
    if len(voting) >= least:
        return None
    return Refused("commission-too-small", TOO_SMALL, {"members": len(voting), "least": least})


def _is_odd(voting: Sequence[SeatFacts], _profile: Profile) -> Refused | None:
    if len(voting) % 2:
        return None
    return Refused("commission-even", EVEN, {"members": len(voting)})


def _has_parents(voting: Sequence[SeatFacts], profile: Profile) -> Refused | None:
    parents = sum(seat.constituency in profile.parents for seat in voting)
    share = profile.commission("parents_share_percent").value
    if parents * 100 >= len(voting) * share:
        return None
    return Refused("too-few-parents", TOO_FEW_PARENTS, {"parents": parents, "members": len(voting)})


ENOUGH_LEFT: Final = N_(
    "%(present)s members are left, and %(needed)s can decide; or somebody who was drawn can still be called or answer. "
    "Further members are drawn only where nothing else helps."
)
NO_QUORUM: Final = N_("%(present)s of the commission are present, and %(needed)s are needed.")
TOO_FEW_KEYS: Final = N_("%(keys)s members have published keys, and %(needed)s are needed to open a bid.")
KEYS_MISSING: Final = N_("Members without a key: %(names)s. Bids cannot be sealed to them.")
TOO_SMALL: Final = N_("The commission has %(members)s members who accepted, and needs at least %(least)s.")
EVEN: Final = N_("The commission has %(members)s members; the number must be odd.")
TOO_FEW_PARENTS: Final = N_("%(parents)s of %(members)s members are parents or trustees; a third is needed.")
