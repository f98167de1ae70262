"""Terms: how long something may take, when that ends, and how a suspension holds the clock.

A day's term begins on the day after its cause and ends at 23:59:59 of its last day, which is moved to the next working
day where it is free. An hour's term is exact. What a demonstration divides becomes an exact span too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from schoolmeals.clock import in_utc
from schoolmeals.procurement.profiles import Length

LAST_SECOND: Final = time(23, 59, 59)
_ONE_DAY: Final = timedelta(days=1)


class Days(Protocol):
    """A calendar: which days are working days. ``workdays.Calendar`` is one; a working day there is a school day of a
    five-day week.
    """

    def is_school_day(self, day: date) -> bool:
        """Whether ``day`` counts."""

    def school_days(self, first: date, last: date) -> list[date]:
        """The days that count from ``first`` to ``last``, both included."""

    def next_school_day(self, after: date) -> date | None:
        """The first day that counts later than ``after``; None where a year has none."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term that runs or ran. Open while ``now <= until``. ``accelerator`` divides it in demonstrations."""

    start: datetime
    until: datetime
    length: Length
    accelerator: int = 1

    def as_json(self) -> dict[str, Any]:
        """For an act's payload."""
        return {
            "start": _written(self.start),
            "until": _written(self.until),
            "length": self.length.amount,
            "unit": self.length.unit,
            "accelerator": self.accelerator,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Term":
        """A term as an act's payload has it."""
        return cls(
            datetime.fromisoformat(value["start"]),
            datetime.fromisoformat(value["until"]),
            Length(value["length"], value["unit"]),
            value["accelerator"],
        )


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What terms are reckoned by: whose working days, and where midnight is."""

    calendar: Days
    zone: ZoneInfo

    def begin(self, start: datetime, length: Length, *, accelerator: int = 1) -> Term:
        """The term of ``length`` that begins with what happens at ``start``."""
        return Term(start, self._end(start, length, accelerator), length, accelerator)

    def until_before(self, until: datetime, length: Length, *, accelerator: int = 1) -> datetime:
        """The last instant that is ``length`` before ``until``: questions stop so long before the deadline."""
        if accelerator > 1 or length.unit == "hours":
            return until - span_of(length) / accelerator
        day = self._day(until)
        for _ in range(length.amount):
            day -= _ONE_DAY
            while length.unit == "working-days" and not self.calendar.is_school_day(day):
                day -= _ONE_DAY
        return self._end_of_day(day)

    def resumed(self, term: Term, suspended_at: datetime, resumed_at: datetime) -> Term:
        """``term`` after a suspension: what was left of it runs on. A term that had ended before stays as it is."""
        assert suspended_at <= resumed_at, "nothing resumes before it was suspended"
        if suspended_at > term.until:
            return term
        if term.accelerator > 1 or term.length.unit == "hours":
            until = term.until + (resumed_at - suspended_at)
        else:
            until = self._days_on(resumed_at, self._days_left(term, suspended_at), term.length.unit)
        return Term(term.start, max(until, term.until), term.length, term.accelerator)

    def all_resumed(self, terms: Mapping[str, Term], suspended_at: datetime, resumed_at: datetime) -> dict[str, Term]:
        """Those of ``terms`` that the suspension has moved, as they run on: the payload of a resuming act."""
        moved = {name: self.resumed(term, suspended_at, resumed_at) for name, term in terms.items()}
        return {name: term for name, term in moved.items() if term != terms[name]}

    def _end(self, start: datetime, length: Length, accelerator: int) -> datetime:
        if accelerator > 1:
            return start + span_of(length) / accelerator
        if length.unit == "hours":
            return start + timedelta(hours=length.amount)
        return self._days_on(start, length.amount, length.unit)

    def _days_on(self, start: datetime, days: int, unit: str) -> datetime:
        day = self._day(start)
        if unit == "calendar-days":
            day += timedelta(days=days)
            days = 0
        for _ in range(days):
            day = self._next_working_day(day)
        return self._end_of_day(day if self.calendar.is_school_day(day) else self._next_working_day(day))

    def _days_left(self, term: Term, suspended_at: datetime) -> int:
        """The days of the term's own unit after the day of the suspension."""
        first, last = self._day(suspended_at) + _ONE_DAY, self._day(term.until)
        if term.length.unit == "calendar-days":
            return max((last - first).days + 1, 0)
        return len(self.calendar.school_days(first, last)) if first <= last else 0

    def _next_working_day(self, day: date) -> date:
        following = self.calendar.next_school_day(day)
        assert following is not None, "a year without a working day"
        return following

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _end_of_day(self, day: date) -> datetime:
        return in_utc(datetime.combine(day, LAST_SECOND, tzinfo=self.zone))


def span_of(length: Length) -> timedelta:
    """``length`` as a plain span, for terms that a demonstration divides; a working day counts as a day."""
    return timedelta(hours=length.amount) if length.unit == "hours" else timedelta(days=length.amount)


def later_only(before: datetime | None, after: datetime) -> bool:
    """Whether a deadline moves as deadlines may: later, or not at all."""
    return before is None or after >= before


def in_last_share(start: datetime, until: datetime, now: datetime, share_percent: int) -> bool:
    """Whether ``now`` is in the last ``share_percent`` of the span from ``start`` to ``until``."""
    return now > until - (until - start) * share_percent / 100


def terms_of(payload: Mapping[str, Any]) -> dict[str, Term]:
    """The terms that an act begins or moves, by name."""
    return {name: Term.from_json(value) for name, value in payload.get("terms", {}).items()}


def as_payload(terms: Mapping[str, Term]) -> dict[str, Any]:
    """Terms for an act's payload, by name."""
    return {name: term.as_json() for name, term in sorted(terms.items())}


def latest(instants: Iterable[datetime | None]) -> datetime | None:
    """The latest of those that are there."""
    return max((one for one in instants if one is not None), default=None)


def _written(instant: datetime) -> str:
    return in_utc(instant).isoformat().replace("+00:00", "Z")
