"""A menu's lines as people write them: what one may hold, and what is wrong with one. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

from schoolmeals.canteen.rules import AGE_GROUPS
from schoolmeals.errors import N_, FieldProblem
from schoolmeals.pupils import EU_ALLERGENS

SET = "set"
BUFFET = "buffet"
LONGEST_NAME: Final = 120
MOST_DISHES: Final = 12
MOST_ITEMS: Final = 100
HIGHEST_PRICE_MINOR: Final = 10_000_000
HEAVIEST_PORTION_G: Final = 2_000
MOST_KCAL: Final = 3_000
OTHER_ALLERGEN: Final = "other:"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMenuItem:
    """A line to be put on a menu. ``dishes`` are names by language; allergens are EU codes or ``other:`` and words."""

    kind: str
    name_kk: str
    name_ru: str
    name_en: str
    price_minor: int | None = None
    """Of one. None where the contract says it (:mod:`schoolmeals.canteen.pricing`)."""
    currency: str = "KZT"
    age_group: str | None = None
    dishes: Sequence[Mapping[str, str]] = ()
    photo_id: UUID | None = None
    portion_g: int | None = None
    kcal: int | None = None
    allergens: Sequence[str] = ()
    contract_item_id: UUID | None = None
    id: UUID | None = None

    def columns(self) -> dict[str, Any]:
        """What the table keeps of it."""
        return {
            "kind": self.kind,
            "age_group": self.age_group,
            "name_kk": self.name_kk.strip(),
            "name_ru": self.name_ru.strip(),
            "name_en": self.name_en.strip(),
            "dishes": [dict(dish) for dish in self.dishes],
            "photo_id": self.photo_id,
            "price_minor": self.price_minor,
            "currency": self.currency,
            "portion_g": self.portion_g,
            "kcal": self.kcal,
            "allergens": sorted(set(self.allergens)),
            "contract_item_id": self.contract_item_id,
        }


@dataclass(frozen=True, slots=True)
class MenuLine:
    """A line of a menu as others read it; the price in minor units."""

    id: UUID
    position: int
    kind: str
    age_group: str | None
    names: Mapping[str, str]
    """By language: kk, ru, en."""
    dishes: tuple[Mapping[str, str], ...]
    photo_id: UUID | None
    price_minor: int
    currency: str
    portion_g: int | None
    kcal: int | None
    allergens: tuple[str, ...]
    contract_item_id: UUID | None

    def name(self, language: str) -> str:
        """The name in ``language``; in Kazakh where it has none."""
        return self.names.get(language) or self.names["kk"]


@dataclass(frozen=True, slots=True)
class SittingFacts:
    """When a meal is served, in the school's local time. ``ended_on`` is the first day without it."""

    id: UUID
    meal: str
    shift: int
    opens_at: time
    closes_at: time
    ended_on: date | None

    def is_held_on(self, day: date) -> bool:
        """Whether it is held on ``day``, as far as the sitting itself says."""
        return self.ended_on is None or day < self.ended_on


@dataclass(frozen=True, slots=True)
class MenuFacts:
    """One sitting's menu of one day: what is sold (``items``) and what the next version will be (``draft``)."""

    day: date
    sitting_id: UUID
    meal: str
    shift: int
    opens_at: time
    closes_at: time
    """Local time of the school."""
    menu_id: UUID | None = None
    version: int = 0
    """0: nothing is published yet."""
    published_at: datetime | None = None
    items: tuple[MenuLine, ...] = ()
    draft: tuple[MenuLine, ...] = ()
    """Empty where the draft was not asked for."""

    @property
    def has_changes(self) -> bool:
        """Whether the draft differs from what is sold."""
        return self.items != self.draft

    @property
    def missing_age_groups(self) -> tuple[str, ...]:
        """The age groups for which the draft has no set meal of their own."""
        there = {line.age_group for line in self.draft}
        return tuple(group for group in AGE_GROUPS if group not in there)


@dataclass(frozen=True, slots=True)
class MealItem:
    """Something that was sold; the price of one, in minor units."""

    menu_item_id: UUID
    names: Mapping[str, str]
    price_minor: int
    quantity: int
    is_set_meal: bool
    photo_id: UUID | None


@dataclass(frozen=True, slots=True)
class MealFacts:
    """A tap as its pupil's guardians and the school's office read it, with who paid which part. Minor units."""

    school_id: UUID
    sale_id: UUID
    pupil_id: UUID | None
    day: date
    tapped_at: datetime
    recorded_at: datetime
    meal: str | None
    """Of the sitting; None where the till named one that the school does not hold."""
    items: tuple[MealItem, ...]
    total_minor: int
    money_minor: int
    grace_minor: int
    courtesy_minor: int
    currency: str
    device_id: UUID
    device_name: str
    verdict: str
    code: str | None
    undone_at: datetime | None

    @property
    def counts(self) -> bool:
        """Whether it was served and still stands."""
        return self.verdict == "served" and self.undone_at is None


@dataclass(frozen=True, slots=True)
class SittingCount:
    """What one sitting of one day has served and declined, without what was undone."""

    sitting_id: UUID
    meal: str
    shift: int
    set_meals: int
    pupils: int
    """How many different pupils had a set meal."""
    buffet_sales: int
    refused: int
    undone: int
    total_minor: int
    courtesy_minor: int


@dataclass(frozen=True, slots=True)
class DayCounts:
    """A school's day."""

    day: date
    sittings: tuple[SittingCount, ...]
    pupils: int
    """How many pupils are on the roll."""
    fed: int
    """How many different pupils had a set meal."""
    currency: str
    closed_at: datetime | None = None

    @property
    def set_meals(self) -> int:
        return sum(one.set_meals for one in self.sittings)

    @property
    def total_minor(self) -> int:
        return sum(one.total_minor for one in self.sittings)


def problems_of(item: NewMenuItem) -> dict[str, list[FieldProblem]]:
    """What keeps ``item`` from being put on a menu, by field."""
    found = {
        "kind": [] if item.kind in (SET, BUFFET) else [_UNKNOWN],
        "age_group": _age_group_problems(item),
        "name_kk": _text_problems(item.name_kk, needed=True),
        "name_ru": _text_problems(item.name_ru, needed=True),
        "name_en": _text_problems(item.name_en, needed=False),
        "price": _number_problems(item.price_minor, 0, HIGHEST_PRICE_MINOR),
        "portion_g": _number_problems(item.portion_g, 1, HEAVIEST_PORTION_G),
        "kcal": _number_problems(item.kcal, 0, MOST_KCAL),
        "allergens": [] if all(is_allergen(code) for code in item.allergens) else [_UNKNOWN_ALLERGEN],
        "dishes": _dish_problems(item.dishes),
    }
    return {name: problems for name, problems in found.items() if problems}


def is_allergen(code: str) -> bool:
    """Whether ``code`` is one of the EU's 14, or free words after ``other:``."""
    if code.startswith(OTHER_ALLERGEN):
        return is_plain_text(code) and 0 < len(code[len(OTHER_ALLERGEN) :].strip()) <= LONGEST_NAME
    return code in EU_ALLERGENS


def is_plain_text(text: str) -> bool:
    """Without control characters and without those that turn the direction of writing."""
    return not any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn") for one in text)


_UNKNOWN: Final = FieldProblem.of("unknown", N_("Choose one from the list."))
_UNKNOWN_ALLERGEN: Final = FieldProblem.of(
    "unknown-allergen", N_("Use the names of the 14 allergens, or write other: and your own words.")
)
_NEEDED: Final = FieldProblem.of("needed", N_("Fill this in."))


def _age_group_problems(item: NewMenuItem) -> list[FieldProblem]:
    if item.kind == SET:
        return [] if item.age_group in AGE_GROUPS else [_UNKNOWN]
    return [FieldProblem.of("not-here", N_("Only set meals have an age group."))] if item.age_group else []


def _text_problems(text: str, *, needed: bool) -> list[FieldProblem]:
    if needed and not text.strip():
        return [_NEEDED]
    if len(text) > LONGEST_NAME:
        return [FieldProblem.of("too-long", N_("Use up to %(most)s characters."), most=LONGEST_NAME)]
    return [] if is_plain_text(text) else [FieldProblem.of("odd-characters", N_("Use letters, digits and signs only."))]


def _number_problems(number: int | None, least: int, most: int) -> list[FieldProblem]:
    if number is None or least <= number <= most:
        return []
    return [FieldProblem.of("out-of-range", N_("This number is too small or too large."))]


def _dish_problems(dishes: Sequence[Mapping[str, str]]) -> list[FieldProblem]:
    if len(dishes) > MOST_DISHES:
        return [FieldProblem.of("too-many", N_("A set meal has up to %(most)s dishes."), most=MOST_DISHES)]
    for dish in dishes:
        if set(dish) - {"kk", "ru", "en"} or not dish.get("kk", "").strip():
            return [_NEEDED]
        for name in dish.values():
            if problems := _text_problems(name, needed=False):
                return problems
    return []
