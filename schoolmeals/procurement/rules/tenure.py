"""Rotation: nobody sits in commissions, or heads one school, for longer than the limits allow.

Whoever is over a limit is not appointed without an exception that is published with its reason.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import TenureLimit
from schoolmeals.verdicts import Refused

_DAYS_A_MONTH: Final = 30
HEAD: Final = "school-head"


@dataclass(frozen=True, slots=True)
class Span:
    """A time in office; ``ended_on`` None: still."""

    office: str
    started_on: date
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """A published exception, and its last day."""

    office: str
    until: date


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last of the month where that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def used(spans: Iterable[Span], office: str, limit: TenureLimit, on: date) -> int:
    """How much of the limit is used up on a day: commissions joined, or whole months in office, within its window."""
    since = months_before(on, limit.within.value)
    there = [one for one in spans if one.office == office and (one.ended_on is None or one.ended_on >= since)]
    if limit.most.unit == "commissions":
        return sum(since < one.started_on <= on for one in there)
    return sum(_days(one, since, on) for one in there) // _DAYS_A_MONTH


def within_limit(
    spans: Iterable[Span], exemptions: Iterable[Exemption], office: str, limit: TenureLimit, on: date
) -> Refused | None:
    """One more appointment on a day stays within the limit, or an exception is published."""
    so_far = used(spans, office, limit, on)
    if so_far < limit.most.value or any(one.office == office and on <= one.until for one in exemptions):
        return None
    facts = {"used": so_far, "most": limit.most.value, "months": limit.within.value}
    return Refused("over-tenure-limit", OVER_LIMIT_MONTHS if office == HEAD else OVER_LIMIT, facts)


def over_limit(
    spans_of: Mapping[UUID, Iterable[Span]],
    exemptions_of: Mapping[UUID, Iterable[Exemption]],
    office: str,
    limit: TenureLimit,
    on: date,
) -> dict[UUID, Refused]:
    """Who among many could not be appointed on a day, and why."""
    refusals = {
        person_id: within_limit(spans, exemptions_of.get(person_id, ()), office, limit, on)
        for person_id, spans in spans_of.items()
    }
    return {person_id: refused for person_id, refused in refusals.items() if refused is not None}


def _days(span: Span, since: date, on: date) -> int:
    first, last = max(span.started_on, since), min(span.ended_on or on, on)
    return max((last - first).days + 1, 0)


OVER_LIMIT: Final = N_("Already in %(used)s commissions within %(months)s months, and %(most)s is the limit.")
OVER_LIMIT_MONTHS: Final = N_("Already %(used)s months in office within %(months)s months, and %(most)s is the limit.")
