"""What comes in by forms and JSON, and what goes out as JSON. Money is whole minor units, times are UTC with Z."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from uuid import UUID

import marshmallow as ma

from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.web import Schema
from schoolmeals.web.formats import machine_time

LARGEST_MINOR: Final = 10**12
REASON_LENGTH: Final = 500
_AMOUNT: Final = re.compile(r"(\d{1,10})(?:[.,](\d{1,2}))?")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f₸]+")


# Forms


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days, both included, and the instants at which they begin and are over."""

    first: date
    last: date
    since: datetime
    until: datetime


def period_of(first: date, last: date, zone: tzinfo) -> Period:
    """The days from ``first`` to ``last`` where clocks show ``zone``."""
    since = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    until = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return Period(first, last, since, until)


def read_period(query: Mapping[str, str], today: date, zone: tzinfo) -> Period:
    """The period that ``since`` and ``until`` of a page's address ask for; without them, this month so far.

    Raises Invalid with these fields. At most ten years.
    """
    problems: dict[str, list[FieldProblem]] = {}
    first = _read_day(query, "since", today.replace(day=1), problems)
    last = _read_day(query, "until", today, problems)
    if not problems and not timedelta(0) <= last - first <= timedelta(days=3660):
        sentence = N_("The last day must not be before the first one, and not more than ten years later.")
        problems["until"] = [FieldProblem.of("period-unusable", sentence)]
    if problems:
        raise Invalid("period-unusable", fields=problems)
    return period_of(first, last, zone)


def read_amount(text: str | None, currency: str, field: str) -> int:
    """A sum that somebody typed (``5 000``, ``5000,50``) in minor units. Raises Invalid with ``field``."""
    found = _AMOUNT.fullmatch(_SPACES.sub("", text or ""))
    digits = MINOR_DIGITS[currency]
    if found is None or len(found[2] or "") > digits:
        sentence = N_("Write the sum in digits, for example 5000.")
        raise Invalid("amount-unreadable", fields={field: [FieldProblem.of("amount-unreadable", sentence)]})
    minor: int = 10**digits
    return int(found[1]) * minor + int((found[2] or "").ljust(digits, "0") or 0)


def read_choice(form: Mapping[str, str], currency: str) -> tuple[int, str]:
    """The sum of a top-up form in minor units, and the name of the field that said it. Raises Invalid.

    What was typed counts before a chip, since nobody types a sum without meaning it.
    """
    chosen, typed = form.get("amount", ""), form.get("other", "").strip()
    if typed or chosen == "other":
        return read_amount(typed, currency, "other"), "other"
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 13:
        return int(chosen), "amount"
    sentence = N_("Choose a sum.")
    raise Invalid("amount-missing", fields={"amount": [FieldProblem.of("amount-missing", sentence)]})


def read_id(form: Mapping[str, str], field: str) -> UUID:
    """An id that a page has put into its own form. Raises Invalid where it is none."""
    try:
        return UUID(form.get(field, ""))
    except ValueError as error:
        raise Invalid("id-unreadable", N_("Open the page again and send the form once more.")) from error


def read_reason(form: Mapping[str, str]) -> str:
    """Why a deed is taken back, 3 to 500 characters. Raises Invalid with the field ``reason``."""
    reason = " ".join(form.get("reason", "").replace("\x00", "").split())
    if not 3 <= len(reason) <= REASON_LENGTH:
        problem = FieldProblem.of("reason-missing", N_("Write in a few words why it is taken back."))
        raise Invalid("reason-missing", fields={"reason": [problem]})
    return reason


def _read_day(query: Mapping[str, str], name: str, otherwise: date, problems: dict[str, list[FieldProblem]]) -> date:
    text = query.get(name, "").strip()
    if not text:
        return otherwise
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not date(2000, 1, 1) <= found <= date(2200, 1, 1):
        problems[name] = [
            FieldProblem.of("day-unreadable", N_("Write the day as year-month-day, for example 2026-11-23."))
        ]
        return otherwise
    return found


# JSON


@dataclass(frozen=True, slots=True)
class NewTopUp:
    """A wish to pay in. ``id`` is made by the caller."""

    id: UUID
    school_id: UUID
    pupil_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class NewReversal:
    """A wish to take a cash top-up back."""

    id: UUID
    reason: str


class NewTopUpSchema(Schema):
    """A top-up to be started or taken in cash; the same id again is the same top-up."""

    id = ma.fields.UUID(required=True, metadata={"description": "made by the caller, e.g. a UUIDv7"})
    school_id = ma.fields.UUID(required=True)
    pupil_id = ma.fields.UUID(required=True)
    amount_minor = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(min=1, max=LARGEST_MINOR))

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: object) -> NewTopUp:
        return NewTopUp(**data)


class NewReversalSchema(Schema):
    """Why a cash top-up is taken back, and the id of doing so."""

    id = ma.fields.UUID(required=True)
    reason = ma.fields.String(required=True, validate=ma.validate.Length(min=3, max=REASON_LENGTH))

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: object) -> NewReversal:
        return NewReversal(data["id"], read_reason({"reason": data["reason"]}))


class LimitSchema(Schema):
    """What a pupil may spend on buffet items in a day; null for no limit."""

    limit_minor_day = ma.fields.Integer(
        required=True, allow_none=True, strict=True, validate=ma.validate.Range(min=0, max=LARGEST_MINOR)
    )


class PeriodQuery(Schema):
    """Local days, both included; without them, this month so far."""

    since = ma.fields.Date(load_default=None)
    until = ma.fields.Date(load_default=None)


class PeriodSchema(PeriodQuery):
    """The days of a paper, both included; without them, this month so far."""


class DayQuery(Schema):
    """A local day; without it, today."""

    day = ma.fields.Date(load_default=None)


class _Instant(ma.fields.AwareDateTime):
    """RFC 3339 in UTC with Z."""

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else machine_time(value)


class TopUpSchema(Schema):
    """A top-up. Only ``settled`` has filled the purse."""

    id = ma.fields.UUID(required=True)
    school_id = ma.fields.UUID(required=True)
    pupil_id = ma.fields.UUID(required=True)
    amount_minor = ma.fields.Integer(required=True)
    currency = ma.fields.String(required=True)
    method = ma.fields.String(required=True, validate=ma.validate.OneOf(["hosted-page", "cash-desk"]))
    stage = ma.fields.String(
        required=True, validate=ma.validate.OneOf(["pending", "settled", "failed", "expired", "reversed"])
    )
    checkout_url = ma.fields.String(required=True, allow_none=True)
    receipt_no = ma.fields.Integer(required=True, allow_none=True)
    intended_at = _Instant(required=True)
    settled_at = _Instant(required=True, allow_none=True)
    failed_at = _Instant(required=True, allow_none=True)
    failure_code = ma.fields.String(required=True, allow_none=True)
    reversed_at = _Instant(required=True, allow_none=True)
    reversal_reason = ma.fields.String(required=True, allow_none=True)


class PurseSchema(Schema):
    """A pupil's purse. The balance is the money less what grace has lent."""

    pupil_id = ma.fields.UUID(required=True)
    balance_minor = ma.fields.Integer(required=True)
    money_minor = ma.fields.Integer(required=True)
    grace_minor = ma.fields.Integer(required=True)
    limit_minor_day = ma.fields.Integer(required=True, allow_none=True)
    currency = ma.fields.String(required=True)
    as_of = _Instant(required=True)


class TopUpListSchema(Schema):
    """A pupil's top-ups, the newest first."""

    top_ups = ma.fields.List(ma.fields.Nested(TopUpSchema), required=True)


class CashDaySchema(Schema):
    """The cash that a school's desk took on one day, and its sum without what was taken back."""

    day = ma.fields.Date(required=True)
    top_ups = ma.fields.List(ma.fields.Nested(TopUpSchema), required=True)
    total_minor = ma.fields.Integer(required=True)


class StatementLineSchema(Schema):
    """One event of a purse."""

    entry_id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True)
    at = _Instant(required=True)
    in_minor = ma.fields.Integer(required=True)
    out_minor = ma.fields.Integer(required=True)
    balance_after_minor = ma.fields.Integer(required=True)
    receipt = ma.fields.String(required=True)
    reverses_id = ma.fields.UUID(required=True, allow_none=True)


class StatementSchema(Schema):
    """A purse's statement: ``opening + in - out == closing``."""

    school_id = ma.fields.UUID(required=True)
    pupil_id = ma.fields.UUID(required=True)
    currency = ma.fields.String(required=True)
    since = _Instant(required=True)
    until = _Instant(required=True)
    as_of = _Instant(required=True)
    opening_minor = ma.fields.Integer(required=True)
    in_minor = ma.fields.Integer(required=True)
    out_minor = ma.fields.Integer(required=True)
    closing_minor = ma.fields.Integer(required=True)
    lines = ma.fields.List(ma.fields.Nested(StatementLineSchema), required=True)
