"""Contracts: how long, at what price, changed by what, and where one stands. Pure.

Sums are whole minor units. What the law limits comes from the procedure's profile, never from here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from schoolmeals.errors import N_
from schoolmeals.verdicts import Refused

VERIFIED: Final = "verified"
"""The state of a signature that was checked here and fits."""
SIDES: Final = ("supplier", "buyer")
FAULTS: Final = ("supplier", "buyer", "both", "none")
CHANGE_KINDS: Final = ("price-index", "buffet", "quantity", "menu", "staff", "details")
"""What a side may propose; the extension has a deed of its own."""
EXTENSION: Final = "extension"
YEAR_MONTHS: Final = 12
MOST_INDEX_PERMILLE: Final = 500
LONGEST: Final = 20_000


class ContractStage(StrEnum):
    """Where a contract stands; read from its times."""

    MADE = "made"
    SIGNED_ONCE = "signed-once"
    ACTIVE = "active"
    COMPLETE = "complete"
    TERMINATED = "terminated"
    VOID = "void"


STAGE_NAMES: Final = {
    ContractStage.MADE: N_("Waits for the supplier's signature"),
    ContractStage.SIGNED_ONCE: N_("Waits for the buyer's signature"),
    ContractStage.ACTIVE: N_("In force"),
    ContractStage.COMPLETE: N_("Fulfilled"),
    ContractStage.TERMINATED: N_("Terminated"),
    ContractStage.VOID: N_("Did not come about"),
}
OCDS_STATUS: Final = {
    ContractStage.MADE: "pending",
    ContractStage.SIGNED_ONCE: "pending",
    ContractStage.ACTIVE: "active",
    ContractStage.COMPLETE: "terminated",
    ContractStage.TERMINATED: "terminated",
    ContractStage.VOID: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTimes:
    """The raw times of a contract."""

    supplier_signed_at: datetime | None = None
    active_at: datetime | None = None
    completed_at: datetime | None = None
    terminated_at: datetime | None = None
    voided_at: datetime | None = None


class LeaseState(StrEnum):
    """The milestone of the lease (F6: none was signed in fifteen days, and nobody noticed)."""

    NOT_NEEDED = "not-needed"
    WAITING = "waiting"
    OVERDUE = "overdue"
    SIGNED = "signed"
    SIGNED_LATE = "signed-late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody as the rule of replacing looks at them. ``bound_percent`` is what holds them elsewhere in the city."""

    person_key: str
    post: str
    grade: int | None
    fte_percent: int
    bound_percent: int = 0


@dataclass(frozen=True, slots=True)
class BuffetItem:
    """What the buffet may sell, and what it may cost at most."""

    name: Mapping[str, str]
    unit: str
    ceiling_minor: int


def contract_stage(times: ContractTimes) -> ContractStage:
    """Where a contract with these times stands."""
    ends = (
        (times.voided_at, ContractStage.VOID),
        (times.terminated_at, ContractStage.TERMINATED),
        (times.completed_at, ContractStage.COMPLETE),
        (times.active_at, ContractStage.ACTIVE),
        (times.supplier_signed_at, ContractStage.SIGNED_ONCE),
    )
    return next((stage for at, stage in ends if at is not None), ContractStage.MADE)


def months_after(day: date, months: int) -> date:
    """The same day so many months on; the month's last day where it has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + year, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def length_refused(starts_on: date, ends_on: date, most_months: int) -> Refused | None:
    """No contract is longer than the procedure allows (F7: schools were bound for fifteen and twenty years)."""
    if ends_on < starts_on:
        return Refused("ends-before-it-starts", ENDS_BEFORE)
    if ends_on >= months_after(starts_on, most_months):
        return Refused("contract-too-long", TOO_LONG, {"months": most_months})
    return None


def extension_refused(extended: int, ends_on: date, until: date, *, most: int, most_months: int) -> Refused | None:
    """A contract is extended as often as the procedure says, and each time by no more than its longest term."""
    if extended >= most:
        return Refused("extended-already", EXTENDED_ALREADY)
    if until <= ends_on:
        return Refused("ends-before-it-starts", ENDS_BEFORE)
    return length_refused(ends_on + timedelta(days=1), until, most_months)


def over_ceiling(prices: Iterable[tuple[int, int]]) -> Refused | None:
    """Each price, given with its ceiling, is within it."""
    if any(not 0 < price <= ceiling for price, ceiling in prices):
        return Refused("price-over-ceiling", OVER_CEILING)
    return None


def indexed(price_minor: int, index_permille: int) -> int:
    """A price raised by an official index, rounded down: the parents' favour."""
    return price_minor * (1000 + index_permille) // 1000


def index_refused(
    index_permille: int, from_on: date, earlier: Sequence[date], started_on: date, most_a_year: int
) -> Refused | None:
    """A price rises by an official index alone, and no more often in a year than the procedure says. A year ends with
    its anniversary, however many days it has.
    """
    if not 0 < index_permille <= MOST_INDEX_PERMILLE:
        return Refused("no-index", NO_INDEX)
    within = [day for day in earlier if from_on < months_after(day, YEAR_MONTHS)]
    if from_on <= started_on or len(within) >= most_a_year:
        return Refused("index-too-soon", INDEX_TOO_SOON, {"times": most_a_year})
    return None


def buffet_refused(now: Mapping[str, int], wanted: Iterable[BuffetItem]) -> Refused | None:
    """The buffet's ceilings may fall and things may be added; no ceiling rises (F9: prices half above the market)."""
    for one in wanted:
        if one.ceiling_minor <= 0:
            return Refused("price-over-ceiling", OVER_CEILING)
        if one.ceiling_minor > now.get(item_key(one.name), one.ceiling_minor):
            return Refused("buffet-ceiling-rises", CEILING_RISES)
    return None


def item_key(name: Mapping[str, str]) -> str:
    """By what a thing of the buffet is known again: its Kazakh name, however it is written."""
    return " ".join(name.get("kk", "").casefold().split())


def quantity_refused(now: int, wanted: int) -> Refused | None:
    """Less may be agreed on; more would have to be tendered."""
    return None if 0 <= wanted <= now else Refused("more-than-tendered", MORE_THAN_TENDERED)


def replacement_refused(leaving: Worker, joining: Worker, most_percent: int) -> Refused | None:
    """Whoever comes is somebody else, in the same post, of no lower grade, for no less time: points were given for
    that. And nobody works beyond a whole day in the whole city (F1, F3).
    """
    if joining.person_key == leaving.person_key:
        return Refused("same-person", SAME_PERSON)
    is_worse = (joining.grade or 0) < (leaving.grade or 0) or joining.fte_percent < leaving.fte_percent
    if joining.post != leaving.post or is_worse:
        return Refused("staff-worse", STAFF_WORSE)
    if joining.bound_percent + leaving.fte_percent > most_percent:
        return Refused("staff-taken", STAFF_TAKEN, {"percent": joining.bound_percent})
    return None


def lease_state(due_on: date | None, signed_on: date | None, today: date) -> LeaseState:
    """Whether the lease is there, and in time."""
    if due_on is None:
        return LeaseState.NOT_NEEDED
    if signed_on is not None:
        return LeaseState.SIGNED if signed_on <= due_on else LeaseState.SIGNED_LATE
    return LeaseState.WAITING if today <= due_on else LeaseState.OVERDUE


def sides_sign_in_turn(side: str, supplier_signed: bool) -> Refused | None:
    """The supplier signs first: the buyer binds nobody who has not agreed."""
    if side == "buyer" and not supplier_signed:
        return Refused("supplier-first", SUPPLIER_FIRST)
    return None


def value_of(items: Iterable[Mapping[str, Any]]) -> int:
    """What the items of a text cost together."""
    return sum(item["quantity"] * item["price_minor"] for item in items)


LEASE_NAMES: Final = {
    LeaseState.NOT_NEEDED: N_("No lease is needed"),
    LeaseState.WAITING: N_("Not signed yet"),
    LeaseState.OVERDUE: N_("Overdue"),
    LeaseState.SIGNED: N_("Signed in time"),
    LeaseState.SIGNED_LATE: N_("Signed late"),
}
ENDS_BEFORE: Final = N_("The last day is before the first.")
TOO_LONG: Final = N_("No such contract lasts longer than %(months)s months.")
EXTENDED_ALREADY: Final = N_("The contract has been extended as often as the procedure allows. Hold a new tender.")
OVER_CEILING: Final = N_("A price is above its ceiling.")
NO_INDEX: Final = N_("Prices rise by an official index alone: above nothing, and at most by half.")
INDEX_TOO_SOON: Final = N_(
    "Prices change at most %(times)s time in twelve months, and not before the contract's second day."
)
CEILING_RISES: Final = N_("The most that a thing of the buffet may cost can fall, and cannot rise.")
MORE_THAN_TENDERED: Final = N_("The quantity can be less than was tendered, and not more.")
SUPPLIER_FIRST: Final = N_("The supplier signs first.")
SAME_PERSON: Final = N_("Choose somebody else: this person works for the contract already.")
STAFF_WORSE: Final = N_(
    "Whoever comes must have the same post, at least the same grade, and at least as much working time."
)
STAFF_TAKEN: Final = N_("This person is bound elsewhere for %(percent)s percent of their working time.")
