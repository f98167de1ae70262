"""What the rules found, said to a parent in the language of the page. Sentences are whole: no language is glued."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import flask_babel

from schoolmeals.parents.rules import (
    Enough,
    Item,
    Meal,
    NoticeKind,
    Reach,
    SittingTime,
    Source,
    Today,
    TodayKind,
    paid_from,
)
from schoolmeals.web import formats, frame, language

gettext: Callable[..., str] = flask_babel.gettext
ngettext: Callable[..., str] = flask_babel.ngettext
_TOGETHER: Final = "\u2060"
"""A word joiner: a span of time stays on one line."""


def enough_sentence(enough: Enough | None) -> str | None:
    """«Enough for 4 days, until Friday»; None where there is nothing to say."""
    if enough is None:
        return None
    if enough.reach is Reach.GRACE:
        return gettext("The money has run out. The school serves lunch and you pay later.")
    if enough.reach is Reach.EMPTY:
        return gettext("Not enough for the next meal. Your child will be fed all the same.")
    if enough.reach is Reach.LAST:
        return gettext("Enough for one day only")
    if enough.until is None:
        return ngettext("Enough for %(num)d day", "Enough for %(num)d days", enough.days)
    return ngettext(
        "Enough for %(num)d day, up to %(day)s",
        "Enough for %(num)d days, up to %(day)s",
        enough.days,
        day=_day(enough.until),
    )


def today_sentences(today: Today) -> list[str]:
    """One sentence for each thing eaten today, or the one that says why there is none."""
    match today.kind:
        case TodayKind.ATE:
            return [_ate(meal) for meal in today.eaten]
        case TodayKind.NOT_YET:
            return [_not_yet(today.sitting)]
        case TodayKind.DID_NOT_EAT:
            return [gettext("Today: did not eat in the canteen")]
        case TodayKind.LEFT:
            return [gettext("No longer at this school")]
        case TodayKind.NO_LESSONS:
            if today.next_day is None:
                return [gettext("No lessons today")]
            return [gettext("No lessons today. The next school day is %(day)s.", day=_day(today.next_day))]


def meal_name(meal: str | None) -> str:
    """The name of a sitting's meal."""
    return {
        "breakfast": gettext("Breakfast"),
        "lunch": gettext("Lunch"),
        "afternoon-snack": gettext("Afternoon snack"),
        "dinner": gettext("Dinner"),
    }.get(meal or "", gettext("Meal"))


def items_text(items: tuple[Item, ...]) -> str:
    """«Bun × 2, Tea»."""
    return ", ".join(item.name(language()) + (f" × {item.quantity}" if item.quantity > 1 else "") for item in items)


def paid_sentences(meal: Meal) -> list[str]:
    """How a meal was paid, for the parent alone."""
    if meal.code is not None:
        return [gettext("Nothing was sold and nothing was charged")]
    if meal.undone_at is not None:
        return [gettext("Taken back at the till, the money was returned")]
    words: Mapping[Source, Callable[[str], str]] = {
        Source.PURSE: lambda sum_: gettext("%(sum)s from the purse", sum=sum_),
        Source.GRACE: lambda sum_: gettext("%(sum)s to be paid later: the school has lent it", sum=sum_),
        Source.COURTESY: lambda sum_: gettext("%(sum)s from the school's courtesy fund: nothing to pay back", sum=sum_),
    }
    parts = [words[source](_money(minor, meal.currency)) for source, minor in paid_from(meal)]
    return parts or [gettext("Free of charge")]


def refused_sentence(code: str) -> str:
    """Why the till sold nothing, said to a parent."""
    return {
        "C10": gettext("The till did not know the card"),
        "C11": gettext("The card is blocked"),
        "C12": gettext("The card is no longer valid"),
        "M30": gettext("It was not the time of this meal"),
        "M31": gettext("It was not on the menu"),
        "A40": gettext("Stopped because of a medical allergy"),
        "A41": gettext("Stopped because of an allergen from your list"),
        "A42": gettext("Stopped until the cashier read the diet note"),
        "V53": gettext("Stopped: this meal had already been served"),
        "L60": gettext("The daily limit for the buffet was reached"),
        "F70": gettext("There was not enough money for the buffet"),
    }.get(code, gettext("The till could not sell it"))


def notice_sentence(kind: NoticeKind, name: str, facts: Mapping[str, Any]) -> str:
    """A notice about the child called ``name``."""
    if kind is NoticeKind.LOW_BALANCE:
        return _low_balance(Reach(facts["reach"]), name, int(facts.get("days", 0)))
    amount = _money(int(facts.get("amount_minor", 0)), str(facts.get("currency", "KZT")))
    match kind:
        case NoticeKind.GRACE_USED:
            return gettext(
                "%(name)s ate a set meal although the purse was empty. The school has lent %(sum)s; "
                "the next top-up pays it back.",
                name=name,
                sum=amount,
            )
        case NoticeKind.COURTESY_MEAL:
            return gettext(
                "%(name)s was fed by the school's courtesy fund, %(sum)s. There is nothing to pay back.",
                name=name,
                sum=amount,
            )
        case NoticeKind.TOP_UP_SETTLED:
            return gettext("%(sum)s arrived in the purse of %(name)s.", name=name, sum=amount)
        case NoticeKind.CARD_BLOCKED_USED:
            return gettext("Somebody held the blocked card of %(name)s to the till. Nothing was sold.", name=name)
        case NoticeKind.ALLERGEN_OVERRIDE:
            return gettext(
                "%(name)s was served a meal with an allergen from your list. "
                "The cashier was warned and confirmed it by name.",
                name=name,
            )


def notice_title(kind: NoticeKind) -> str:
    """What a notice is about, in a word or two."""
    return {
        NoticeKind.GRACE_USED: gettext("Pay later"),
        NoticeKind.COURTESY_MEAL: gettext("Courtesy meal"),
        NoticeKind.TOP_UP_SETTLED: gettext("Top-up arrived"),
        NoticeKind.LOW_BALANCE: gettext("Little money left"),
        NoticeKind.CARD_BLOCKED_USED: gettext("Blocked card used"),
        NoticeKind.ALLERGEN_OVERRIDE: gettext("Allergen"),
    }[kind]


def _low_balance(reach: Reach, name: str, days: int) -> str:
    if reach is Reach.GRACE:
        return gettext("The purse of %(name)s is empty and the school has lent for meals.", name=name)
    if reach is Reach.EMPTY:
        return gettext("The purse of %(name)s does not cover the next meal.", name=name)
    return ngettext(
        "The money of %(name)s is enough for %(num)d more day.",
        "The money of %(name)s is enough for %(num)d more days.",
        days,
        name=name,
    )


def _ate(meal: Meal) -> str:
    at = formats.clock_time(meal.at, frame().zone)
    if not meal.is_meal:
        return gettext("Today: bought at the buffet at %(time)s", time=at)
    return {
        "breakfast": gettext("Today: ate breakfast at %(time)s", time=at),
        "lunch": gettext("Today: ate lunch at %(time)s", time=at),
        "afternoon-snack": gettext("Today: ate the afternoon snack at %(time)s", time=at),
        "dinner": gettext("Today: ate dinner at %(time)s", time=at),
    }.get(meal.meal or "", gettext("Today: ate at %(time)s", time=at))


def _not_yet(sitting: SittingTime | None) -> str:
    if sitting is None:
        return gettext("Today: not yet")
    opens = f"{sitting.opens_at:%H:%M}{_TOGETHER}"
    closes = f"{_TOGETHER}{sitting.closes_at:%H:%M}"
    return {
        "breakfast": gettext("Today: not yet. Breakfast is at %(opens)s–%(closes)s", opens=opens, closes=closes),
        "lunch": gettext("Today: not yet. Lunch is at %(opens)s–%(closes)s", opens=opens, closes=closes),
        "afternoon-snack": gettext(
            "Today: not yet. The afternoon snack is at %(opens)s–%(closes)s", opens=opens, closes=closes
        ),
        "dinner": gettext("Today: not yet. Dinner is at %(opens)s–%(closes)s", opens=opens, closes=closes),
    }.get(sitting.meal, gettext("Today: not yet"))


def _money(minor: int, currency: str) -> str:
    return formats.money(minor, currency, language())


def _day(day: date) -> str:
    return formats.day(day, language(), frame().zone)
