"""Facts as templates take them: with addresses, pictures and sentences. What is true was decided before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from babel.dates import format_date
from flask import url_for
from markupsafe import Markup

from schoolmeals import canteen, identity, pupils
from schoolmeals.ids import spoken_number
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.parents.meal_list import state_word
from schoolmeals.parents.queries import Child, NoticeFacts, items_for
from schoolmeals.parents.receipts import Numbered
from schoolmeals.parents.rules import Meal, NoticeKind, TodayKind
from schoolmeals.parents.sentences import (
    enough_sentence,
    gettext,
    items_text,
    meal_name,
    notice_sentence,
    notice_title,
    paid_sentences,
    today_sentences,
)
from schoolmeals.web import charts, formats, frame, language

ABOUT_A_SALE: Final = frozenset(
    {NoticeKind.GRACE_USED, NoticeKind.COURTESY_MEAL, NoticeKind.ALLERGEN_OVERRIDE, NoticeKind.CARD_BLOCKED_USED}
)


@dataclass(frozen=True, slots=True)
class MealView:
    """One tap in a list. ``state`` is a word for what was refused or taken back."""

    title: str
    moment: datetime
    amount_minor: int
    currency: str
    picture_url: str
    detail: str
    href: str
    state: str | None
    state_kind: str
    paid: list[str]


@dataclass(frozen=True, slots=True)
class Week:
    """The last school days as a chart and as a table's rows."""

    svg: Markup
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class ChildView:
    """A child on the home page."""

    name: str
    class_and_school: str
    photo_url: str | None
    balance_minor: int
    currency: str
    enough: str | None
    today: list[str]
    has_eaten: bool
    last_meals: list[MealView]
    week: Week
    limit: str
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice in a list."""

    school_id: UUID
    id: UUID
    title: str
    sentence: str
    at: datetime
    is_new: bool
    href: str
    link: str


def shown_child(child: Child) -> ChildView:
    """A child as a card with all that belongs to it."""
    pupil, purse = child.pupil, child.purse
    return ChildView(
        name=pupil.name,
        class_and_school=" · ".join(part for part in (pupil.class_name, child.school.name(language())) if part),
        photo_url=photo_url(pupil.school_id, pupil.photo_id),
        balance_minor=purse.balance_minor,
        currency=purse.currency,
        enough=enough_sentence(child.enough),
        today=today_sentences(child.today),
        has_eaten=child.today.kind is TodayKind.ATE,
        last_meals=[shown_meal(meal) for meal in child.last_meals],
        week=_week(child),
        limit=_limit(purse.limit_minor_day, purse.currency),
        links=_links(pupil),
    )


def shown_meal(meal: Meal) -> MealView:
    """A tap as a line of a list."""
    state = state_word(meal)
    return MealView(
        title=items_text(meal.items) or meal_name(meal.meal),
        moment=meal.at,
        amount_minor=meal.total_minor if meal.code is None else 0,
        currency=meal.currency,
        picture_url=photo_url(meal.school_id, meal.photo_id) or _dish(),
        detail=identity.till_name(meal.till),
        href=url_for("parents.receipt", school_id=meal.school_id, sale_id=meal.sale_id),
        state=state,
        state_kind="care" if meal.code is None else "neutral",
        paid=paid_sentences(meal),
    )


def shown_menu(menu: canteen.MenuFacts, pupil: pupils.PupilFacts) -> dict[str, Any]:
    """A sitting's menu for one child."""
    return {
        "title": meal_name(menu.meal),
        "hours": f"{menu.opens_at:%H:%M}–{menu.closes_at:%H:%M}",
        "lines": [_menu_item(item, pupil) for item in items_for(menu, pupil.grade)],
    }


def shown_notice(notice: NoticeFacts, name: str) -> NoticeView:
    """A notice about the child called ``name``."""
    if notice.kind in ABOUT_A_SALE:
        href = url_for("parents.receipt", school_id=notice.school_id, sale_id=notice.cause_id)
        link = gettext("Receipt")
    else:
        href = url_for("parents.child", school_id=notice.school_id, pupil_id=notice.pupil_id)
        link = gettext("Show the child's page")
    return NoticeView(
        school_id=notice.school_id,
        id=notice.id,
        title=notice_title(notice.kind),
        sentence=notice_sentence(notice.kind, name, notice.facts),
        at=notice.at,
        is_new=notice.read_at is None,
        href=href,
        link=link,
    )


def shown_numbered(one: Numbered) -> dict[str, Any]:
    """What bears a number that the office looked for, as a line with its address."""
    if one.meal is not None:
        shown = shown_meal(one.meal)
        href, what, amount_minor = shown.href, shown.title, shown.amount_minor
        at, currency = one.meal.at, one.meal.currency
    else:
        assert one.top_up is not None, "a number is a meal's or a top-up's"
        top_up = one.top_up
        is_cash = top_up.receipt_no is not None
        what = (
            gettext("Cash top-up, receipt № %(number)s", number=top_up.receipt_no)
            if is_cash
            else gettext("Card top-up")
        )
        href = (
            url_for("wallet.receipt", school_id=top_up.school_id, receipt_id=top_up.id)
            if is_cash
            else url_for("wallet.statement", school_id=top_up.school_id, pupil_id=top_up.pupil_id)
        )
        at, currency, amount_minor = top_up.settled_at or top_up.intended_at, top_up.currency, top_up.amount_minor
    return {
        "href": href,
        "what": what,
        "pupil": one.pupil_name,
        "at": at,
        "amount_minor": amount_minor,
        "currency": currency,
    }


def receipt_rows(pupil: pupils.PupilFacts, meal: Meal) -> list[tuple[str, str]]:
    """A receipt's head, as pairs of name and value."""
    zone = frame().zone
    rows = [
        (gettext("Receipt number"), spoken_number(meal.sale_id)),
        (gettext("Child"), pupil.name),
        (gettext("Day"), formats.day(meal.day, language(), zone, year=True)),
        (gettext("Time"), formats.clock_time(meal.at, zone)),
        (gettext("Meal"), meal_name(meal.meal) if meal.is_meal else gettext("Buffet")),
        (gettext("Till"), identity.till_name(meal.till)),
    ]
    if abs((meal.recorded_at - meal.at).total_seconds()) >= 60:
        rows.append((gettext("Entered in the books"), formats.moment(meal.recorded_at, language(), zone)))
    return rows


def receipt_lines(meal: Meal) -> list[list[str]]:
    """A receipt's items: name, quantity, price, sum."""
    spoken = language()
    return [
        [
            item.name(spoken),
            str(item.quantity),
            formats.money(item.price_minor, meal.currency, spoken),
            formats.money(item.price_minor * item.quantity, meal.currency, spoken),
        ]
        for item in meal.items
    ]


def photo_url(school_id: UUID, photo_id: UUID | None) -> str | None:
    """The address of a picture; None where there is none."""
    return None if photo_id is None else url_for("pupils.photo", school_id=school_id, photo_id=photo_id)


def _dish() -> str:
    return url_for("web.static", filename="icons/dish.svg")


def _links(pupil: pupils.PupilFacts) -> dict[str, str]:
    whose: dict[str, Any] = {"school_id": pupil.school_id, "pupil_id": pupil.id}
    return {
        "page": url_for("parents.child", **whose),
        "meals": url_for("parents.meals", **whose),
        "menu": url_for("parents.menu", **whose),
        "top_up": url_for("wallet.top_up", **whose),
        "statement": url_for("wallet.statement", **whose),
        "limit": url_for("wallet.limit", **whose),
        "cards": url_for("pupils.my_cards", **whose),
    }


def _limit(limit_minor_day: int | None, currency: str) -> str:
    if limit_minor_day is None:
        return gettext("No limit. The set meal is always served.")
    return gettext(
        "%(sum)s a day for the buffet. The set meal is always served.",
        sum=formats.money(limit_minor_day, currency, language()),
    )


def _week(child: Child) -> Week:
    spoken, currency = language(), child.purse.currency
    name = f"week-{child.pupil.id.hex[-8:]}"
    bars = [charts.Bar(_short(day), minor, _whole(minor, currency)) for day, minor in child.week]
    total = sum(minor for _, minor in child.week)
    svg = charts.week_bars(
        bars,
        name=name,
        title=gettext("Spent on each school day"),
        description=gettext(
            "Together %(sum)s. The table below has the same numbers.", sum=formats.money(total, currency, spoken)
        ),
    )
    rows = [
        [formats.day(day, spoken, frame().zone), formats.money(minor, currency, spoken)] for day, minor in child.week
    ]
    return Week(svg, rows)


def _short(day: date) -> str:
    """«дс 23»: two letters, because six days share a phone's width."""
    return f"{format_date(day, 'EEE', locale=language())[:2]} {day.day}"


def _whole(minor: int, currency: str) -> str:
    """A sum without its sign and without tiyn, for a narrow bar; nothing for a day without a meal."""
    return formats.grouped(minor // 10 ** MINOR_DIGITS[currency], language()) if minor else ""


def _menu_item(item: canteen.MenuLine, pupil: pupils.PupilFacts) -> dict[str, Any]:
    spoken = language()
    avoided = {allergen.code for allergen in pupil.allergens} & set(item.allergens)
    texts: Iterable[str | None] = (
        ", ".join(dish.get(spoken) or dish["kk"] for dish in item.dishes) or None,
        gettext("%(grams)s g", grams=item.portion_g) if item.portion_g else None,
        gettext("%(kcal)s kcal", kcal=item.kcal) if item.kcal else None,
    )
    return {
        "name": item.name(spoken),
        "is_set_meal": item.kind == "set",
        "price_minor": item.price_minor,
        "currency": item.currency,
        "picture_url": photo_url(pupil.school_id, item.photo_id) or _dish(),
        "texts": [text for text in texts if text],
        "warning": gettext("Holds an allergen from your list") if avoided else None,
    }
