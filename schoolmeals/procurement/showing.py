"""A tender's text as pages show it: labels and words in place of names and codes, in the reader's language."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from babel.dates import format_timedelta
from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.procurement.holding import is_complaint
from schoolmeals.procurement.needing import Served
from schoolmeals.procurement.profiles import Number, Profile
from schoolmeals.procurement.queries.tenders import TenderView
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.complaints import STAGE_NAMES as COMPLAINT_STAGES
from schoolmeals.procurement.rules.complaints import ComplaintStage
from schoolmeals.procurement.rules.need import Need
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.sections import Field, FieldKind, sections_for
from schoolmeals.procurement.rules.stages import OVER, STAGE_NAMES, TenderStage, tender_stage
from schoolmeals.procurement.words import (
    ACT_NAMES,
    AGE_GROUP_NAMES,
    CHOICE_NAMES,
    CONSTITUENCY_NAMES,
    MEAL_NAMES,
    NUMBER_NAMES,
    PART_NAMES,
    STAGE_KINDS,
    UNIT_NAMES,
)
from schoolmeals.web import frame, language
from schoolmeals.web.formats import day, grouped, moment, money

WAY: Final = (
    TenderStage.DISCUSSION,
    TenderStage.BIDDING,
    TenderStage.OPENING,
    TenderStage.ADMISSION,
    TenderStage.EVALUATION,
    TenderStage.AWARDING,
    TenderStage.STANDSTILL,
    TenderStage.CONTRACTING,
    TenderStage.COMPLETE,
)
"""The stages of a timeline; ``closed`` is the wait before the opening."""
Unit = Literal["day", "hour", "minute"]
UNTIL: Final = N_("Until %(when)s")
TERM_ENDS: Final = {
    "discussion": N_("Until %(when)s"),
    "bidding": N_("Bids are taken until %(when)s"),
    "questions": N_("Questions are taken until %(when)s"),
    "standstill": N_("Until %(when)s"),
}


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Rows of a section, for the ``table`` macro."""

    caption: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section: its short values, and its lists as tables."""

    name: str
    title: str
    values: list[tuple[str, str]]
    tables: list[ShownTable]


def said(texts: Mapping[str, str] | None) -> str:
    """A text in the reader's language, else in the first one that has it."""
    texts = texts or {}
    return next((texts[one] for one in (language(), "kk", "ru", "en") if texts.get(one)), "")


def when(instant: datetime) -> str:
    """An instant with its year, as the reader writes it."""
    return moment(instant, language(), frame().zone, year=True)


def time_left(until: datetime, now: datetime) -> str:
    """What is left of a term in its two largest units: ``3 days 4 hours``; empty once it is over."""
    left = max(until - now, timedelta(0))
    hours, rest = divmod(left.seconds, 3600)
    parts: list[tuple[Unit, int]] = [("day", left.days), ("hour", hours), ("minute", rest // 60)]
    first = next((place for place, (_, count) in enumerate(parts) if count), len(parts) - 1)
    shown = parts[first : first + 2]
    return " ".join(
        format_timedelta(timedelta(**{f"{unit}s": count}), unit, threshold=math.inf, locale=language())
        for unit, count in shown
        if count or unit == "minute"
    )


def stage_tag(stage: TenderStage) -> tuple[str, str]:
    """A stage in words, and the look of its tag."""
    return gettext(STAGE_NAMES[stage]), STAGE_KINDS.get(stage.value, "neutral")


def timeline(view: TenderView, now: datetime) -> list[dict[str, Any]]:
    """The way of a published tender: what is over, what runs now and until when, what comes."""
    times = view.line.times
    going = tender_stage(replace(times, suspended_at=None, cancelled_at=None, unsuccessful_at=None), now)
    place = WAY.index(TenderStage.OPENING if going is TenderStage.CLOSED else going)
    stopped = times.cancelled_at or times.unsuccessful_at
    steps = [{"title": gettext(PUBLISHED), "moment": times.published_at, "state": "done"}]
    for nth, stage in enumerate(WAY if stopped is None else WAY[:place]):
        state = "done" if nth < place else "current" if nth == place and going is stage else "coming"
        steps.append({"title": gettext(STAGE_NAMES[stage]), "state": state, "text": _ends(view, stage)})
    if stopped is not None:
        steps.append({"title": stage_tag(view.line.stage)[0], "moment": stopped, "state": "current"})
    return steps


def may_complain(view: TenderView) -> bool:
    """Whether the way to a complaint is shown: to whoever has not signed in, as long as anybody could make one."""
    stranger = Party.PERSON not in view.parties and view.line.stage not in OVER
    return stranger or "make_complaint" in view.deeds


def running_term(view: TenderView, now: datetime) -> tuple[str, datetime] | None:
    """The term that decides what can be done now: its name and its end."""
    names = {TenderStage.DISCUSSION: "discussion", TenderStage.BIDDING: "bidding", TenderStage.STANDSTILL: "standstill"}
    term = view.terms.get(names.get(view.line.stage, ""))
    return (names[view.line.stage], term.until) if term is not None and term.until >= now else None


def shown_sections(content: Mapping[str, Any], purpose: str, *, of_lot: bool) -> list[ShownSection]:
    """All sections of a tender, or of one of its lots, that say something."""
    found = []
    for section in sections_for(purpose, of_lot=of_lot):
        texts = content.get(section.name) or {}
        filled = [(field, texts[field.name]) for field in section.fields if texts.get(field.name) not in (None, "", [])]
        values = [(gettext(one.label), shown(one, value)) for one, value in filled if one.kind is not FieldKind.ROWS]
        tables = [_table(one, value) for one, value in filled if one.kind is FieldKind.ROWS]
        if values or tables:
            found.append(ShownSection(section.name, gettext(section.title), values, tables))
    return found


def shown(field: Field, value: Any) -> str:
    """The value of a field in words."""
    match field.kind:
        case _ if value is None or value == "":
            return "-"
        case FieldKind.TEXTS:
            return said(value)
        case FieldKind.MONEY:
            return money(value, "KZT", language())
        case FieldKind.WHOLE:
            return grouped(value, language())
        case FieldKind.CHOICE:
            return str(gettext(CHOICE_NAMES.get(value, value)))
        case FieldKind.DATE:
            return day(date.fromisoformat(value), language(), frame().zone, year=True)
        case FieldKind.FLAG:
            return str(gettext("yes") if value else gettext("no"))
        case _:
            return str(value)


def item_name(item: Mapping[str, Any]) -> str:
    """What an item of a lot is."""
    if item["meal"] is None:
        return said(item["goods"]["name"])
    return f"{gettext(MEAL_NAMES[item['meal']])}, {gettext(AGE_GROUP_NAMES[item['age_group']])}"


def ceiling_of(items: Iterable[Mapping[str, Any]]) -> int:
    """What items cost at most, in minor units."""
    return sum(item["quantity"] * item["ceiling_minor"] for item in items)


def need_rows(need: Need) -> list[list[str]]:
    """A need as a table: who, which meal, pupils, days, meals, and last year's meals."""
    return [
        [
            f"{gettext(MEAL_NAMES[one.meal])}, {gettext(AGE_GROUP_NAMES[one.age_group])}",
            grouped(one.pupils, language()),
            grouped(one.days, language()),
            grouped(one.quantity, language()),
            "-" if one.served_last_year is None else grouped(one.served_last_year, language()),
        ]
        for one in need.lines
    ]


def served_sentences(before: Served | None, lately: Served | None) -> list[str]:
    """What the tills have told of the year before, and of the last months, in sentences."""
    told = []
    if before is not None:
        told.append(gettext(SERVED_BEFORE) % _served(before))
    if lately is not None and lately != before:
        told.append(gettext(SERVED_LATELY) % _served(lately))
    return told or [gettext(NOTHING_SERVED)]


def _served(one: Served) -> dict[str, str]:
    dates = {
        name: day(value, language(), frame().zone, year=True)
        for name, value in (("first", one.first), ("last", one.last))
    }
    counts = {name: grouped(value, language()) for name, value in (("meals", one.meals), ("days", one.days))}
    return {**dates, **counts, "per_day": grouped(one.per_day, language())}


def shown_number(number: Number) -> str:
    """A number of a procedure with its unit; points as points."""
    if number.unit == "points-milli":
        return grouped(number.value // 1000, language())
    return f"{grouped(number.value, language())} {gettext(UNIT_NAMES[number.unit])}"


def member_rows(document: Mapping[str, Any]) -> list[list[str]]:
    """The members of a published commission: name, part, whom they speak for, fingerprint of the key."""
    rows: list[list[str]] = []
    for one in document["commission"]["members"]:
        part, constituency = PART_NAMES[one["part"]], CONSTITUENCY_NAMES.get(one["constituency"])
        rows.append([one["name"], gettext(part), gettext(constituency) if constituency else "", one["fingerprint"]])
    return rows


def procedure_rows(profile: Profile) -> list[tuple[str, str, str, bool]]:
    """A procedure's numbers: what it is, how much, the law, and whether somebody has found it there."""
    named = [(name, profile.number(name)) for name in profile.json["numbers"]]
    named += [(name, profile.commission(name)) for name in profile.json["commission"] if name in NUMBER_NAMES]
    return [(gettext(NUMBER_NAMES[name]), shown_number(one), said(one.legal_ref), one.verified) for name, one in named]


def criteria_rows(profile: Profile) -> list[tuple[str, str, str, bool]]:
    """What points are given for, in the same form."""
    return [
        (said(one.name), shown_number(one.most), said(one.most.legal_ref), one.most.verified)
        for one in profile.criteria
    ]


def history(acts: Sequence[Act]) -> list[dict[str, Any]]:
    """What has happened, the latest first; only acts that have words."""
    return [
        {
            "id": one.id,
            "kind": one.kind.value,
            "title": gettext(ACT_NAMES[one.kind]),
            "moment": one.at,
            "text": _said_of(one),
            "protocol": one.payload.get("protocol_sha256"),
        }
        for one in reversed(acts)
        if one.kind in ACT_NAMES
    ]


def _said_of(act: Act) -> str:
    """The words of an act's own: a reason, a rationale, a name."""
    payload = act.payload
    if act.kind is ActKind.SEAT_ENDED:
        # That somebody left is everybody's business; why, is the commission's and the auditors'.
        return str(payload.get("name", ""))
    if act.kind is ActKind.APPOINTMENT_DECLINED:
        return ""
    if act.kind in (ActKind.SUSPENDED, ActKind.RESUMED) and is_complaint(payload["cause_id"]):
        return _of_complaint(act)
    return str(payload.get("reason") or said(payload.get("rationale")) or payload.get("name") or "")


def _of_complaint(act: Act) -> str:
    """By which complaint a tender is held, or what became of it, so that the tender runs on."""
    said_there = str(act.payload["reason"])
    if act.kind is ActKind.SUSPENDED:
        return str(gettext("Complaint No. %(number)s", number=said_there))
    return str(gettext(COMPLAINT_STAGES[ComplaintStage(said_there)]))


def _ends(view: TenderView, stage: TenderStage) -> str:
    names = {TenderStage.DISCUSSION: ("discussion",), TenderStage.BIDDING: ("bidding", "questions")}
    terms = [name for name in names.get(stage, (stage.value,)) if name in view.terms]
    return ". ".join(gettext(TERM_ENDS.get(name, UNTIL)) % {"when": when(view.terms[name].until)} for name in terms)


def _table(field: Field, rows: Sequence[Mapping[str, Any]]) -> ShownTable:
    head = [gettext(one.label) for one in field.fields]
    return ShownTable(
        gettext(field.label), head, [[shown(one, row.get(one.name)) for one in field.fields] for row in rows]
    )


PUBLISHED: Final = N_("Published")
SERVED_BEFORE: Final = N_(
    "In the same weeks a year before, the canteen served %(meals)s meals on %(days)s days: %(per_day)s a day."
)
SERVED_LATELY: Final = N_(
    "From %(first)s to %(last)s the canteen served %(meals)s meals on %(days)s days: %(per_day)s a day."
)
NOTHING_SERVED: Final = N_("No till of this school has told of served meals yet.")
