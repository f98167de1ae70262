"""What a demo school's kitchen offers each day: menus drafted and published the day before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from schoolmeals import canteen
from schoolmeals.canteen.actions.menus import open_menu, publish_draft, put_items
from schoolmeals.database import Work
from schoolmeals.demo.dishes import (
    AGE_GROUPS,
    BREAKFAST_PRICES,
    BREAKFASTS,
    BUFFET,
    LUNCH_PRICES,
    LUNCHES,
    PORTIONS,
    Dish,
    main_dish,
)
from schoolmeals.demo.schools import School, Site
from schoolmeals.ids import new_id

BREAKFAST: Final = ("Таңғы ас", "Завтрак", "Breakfast")
LUNCH: Final = ("Түскі ас", "Обед", "Lunch")


@dataclass(frozen=True, slots=True)
class BuffetLine:
    """Something that can be bought beside the meal."""

    id: UUID
    price_minor: int
    allergens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """One sitting's menu, as far as children choose by it."""

    allergens: frozenset[str]
    buffet: tuple[BuffetLine, ...] = ()


def publish_day(work: Work, site: Site, school: School, day: date, number: int) -> dict[str, Offer]:
    """Publish every sitting of ``day``, the ``number``-th since the kitchen's plan began."""
    breakfast, lunch = BREAKFASTS[number % len(BREAKFASTS)], LUNCHES[number % len(LUNCHES)]
    offers = {}
    for name, sitting_id in school.sittings.items():
        is_breakfast = name == "breakfast"
        dishes = breakfast if is_breakfast else lunch
        lines = set_meals(school, dishes, is_breakfast=is_breakfast)
        buffet = () if is_breakfast else buffet_lines(work.now, school, number)
        menu = open_menu(work, school.id, day, sitting_id, site.zone)
        put_items(work, menu, (), [*lines, *buffet])
        publish_draft(work, menu)
        offers[name] = Offer(
            frozenset(code for dish in dishes for code in dish.allergens),
            tuple(
                BuffetLine(one.id, one.price_minor, frozenset(one.allergens))
                for one in buffet
                if one.id and one.price_minor
            ),
        )
    return offers


def set_meals(school: School, dishes: Sequence[Dish], *, is_breakfast: bool) -> list[canteen.NewMenuItem]:
    """The set meal of each age group."""
    kk, ru, en = BREAKFAST if is_breakfast else LUNCH
    prices = BREAKFAST_PRICES if is_breakfast else LUNCH_PRICES
    main = main_dish(dishes)
    return [
        canteen.NewMenuItem(
            kind="set",
            age_group=group,
            name_kk=f"{kk}: {main.kk}",
            name_ru=f"{ru}: {main.ru}",
            name_en=f"{en}: {main.en}",
            dishes=[dish.names for dish in dishes],
            photo_id=school.photos[main],
            price_minor=prices[group],
            portion_g=round(sum(dish.grams for dish in dishes) * PORTIONS[group]),
            kcal=round(sum(dish.kcal for dish in dishes) * PORTIONS[group]),
            allergens=sorted({code for dish in dishes for code in dish.allergens}),
        )
        for group in AGE_GROUPS
    ]


def buffet_lines(at: datetime, school: School, number: int) -> tuple[canteen.NewMenuItem, ...]:
    """Five of the buffet's items, others each day."""
    chosen = [BUFFET[(number + nth) % len(BUFFET)] for nth in range(5)]
    return tuple(
        canteen.NewMenuItem(
            id=new_id(at),
            kind="buffet",
            name_kk=item.dish.kk,
            name_ru=item.dish.ru,
            name_en=item.dish.en,
            photo_id=school.photos[item.dish],
            price_minor=item.price_minor,
            portion_g=item.dish.grams,
            kcal=item.dish.kcal,
            allergens=list(item.dish.allergens),
        )
        for item in chosen
    )
