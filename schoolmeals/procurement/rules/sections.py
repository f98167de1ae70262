"""The sections of a tender's text, as data: forms, checks, task lists, documents and differences are made from these.

A section is of the whole tender, or of each of its lots. A field says what may stand in it; ``needed`` ones must be
there before the tender can be submitted for review, though not before a section can be saved.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.procurement.rules.need import AGE_GROUPS, MEALS


class FieldKind(StrEnum):
    """What a field holds, in JSON: text, ``{"kk", "ru", "en"}``, a whole number, a code, a list of rows, ..."""

    TEXT = "text"
    TEXTS = "texts"
    WHOLE = "whole"
    MONEY = "money"
    """Minor units."""
    CHOICE = "choice"
    DATE = "date"
    TIME = "time"
    FLAG = "flag"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``least`` and ``most`` bound a number, the length of a text, or the number of rows."""

    name: str
    kind: FieldKind
    label: str
    needed: bool = True
    least: int = 0
    most: int = 4_000
    choices: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()
    """Of a row."""
    unique: tuple[str, ...] = ()
    """The fields in which no two rows are alike."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a tender (``of_lot`` False) or of a lot, for one purpose of procurement or for all."""

    name: str
    title: str
    fields: tuple[Field, ...]
    of_lot: bool = False
    purposes: frozenset[str] = frozenset({"catering", "goods"})


KITCHENS: Final = ("cook-on-site", "heat-up", "delivered", "buffet")
POSTS: Final = ("cook", "head-cook", "technologist", "dietitian", "kitchen-worker", "buffet-seller")
EDUCATION: Final = ("none", "college", "higher")
DIETS: Final = ("diabetes", "gluten-free", "lactose-free", "allergy", "kidney", "other")
SEASONS: Final = ("summer-autumn", "winter-spring")
CONDITIONS: Final = ("good", "fair", "needs-repair")
_CATERING: Final = frozenset({"catering"})
_GOODS: Final = frozenset({"goods"})
_K: Final = FieldKind

SECTIONS: Final[tuple[Section, ...]] = (
    Section(
        "notice",
        N_("What is bought"),
        (
            Field("title", _K.TEXTS, N_("Title"), most=200),
            Field("description", _K.TEXTS, N_("Description")),
            Field("contact_name", _K.TEXT, N_("Contact person"), most=120),
            Field("contact_phone", _K.TEXT, N_("Contact phone"), most=40),
            Field("contact_email", _K.TEXT, N_("Contact e-mail"), most=120),
        ),
    ),
    Section(
        "period",
        N_("Contract period"),
        (
            Field("starts_on", _K.DATE, N_("First day of the contract")),
            Field("ends_on", _K.DATE, N_("Last day of the contract")),
        ),
    ),
    Section(
        "terms",
        N_("Terms and payment"),
        (
            Field("bidding_days", _K.WHOLE, N_("Days for bids, from publication"), least=1, most=90),
            Field("payment_days", _K.WHOLE, N_("Days to pay after acceptance"), least=1, most=90),
            Field("penalty_permille_day", _K.WHOLE, N_("Penalty per day, in thousandths"), most=10),
            Field("special_terms", _K.TEXTS, N_("Special terms"), needed=False),
        ),
    ),
    Section(
        "meals",
        N_("Meals"),
        (
            Field("planned_days", _K.WHOLE, N_("Days of meals"), least=1, most=366),
            Field(
                "meals",
                _K.ROWS,
                N_("Who gets which meal"),
                least=1,
                most=12,
                fields=(
                    Field("age_group", _K.CHOICE, N_("Age group"), choices=AGE_GROUPS),
                    Field("meal", _K.CHOICE, N_("Meal"), choices=MEALS),
                ),
                unique=("age_group", "meal"),
            ),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "kitchen",
        N_("Kitchen and canteen"),
        (
            Field("kitchen", _K.CHOICE, N_("Kitchen"), choices=KITCHENS),
            Field("capacity_day", _K.WHOLE, N_("Meals that the kitchen can make in a day"), least=1, most=20_000),
            Field("seats", _K.WHOLE, N_("Seats"), least=1, most=5_000),
            Field("shifts", _K.WHOLE, N_("School shifts"), least=1, most=3),
            Field("address", _K.TEXTS, N_("Address of delivery"), most=300),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "serving",
        N_("Serving times"),
        (
            Field(
                "times",
                _K.ROWS,
                N_("When meals are served"),
                least=1,
                most=20,
                fields=(
                    Field("meal", _K.CHOICE, N_("Meal"), choices=MEALS),
                    Field("shift", _K.WHOLE, N_("Shift"), least=1, most=3),
                    Field("opens_at", _K.TIME, N_("From")),
                    Field("closes_at", _K.TIME, N_("To")),
                ),
                unique=("meal", "shift"),
            ),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "lease",
        N_("Equipment and lease"),
        (
            Field("area_m2", _K.WHOLE, N_("Leased area, m²"), most=5_000),
            Field("rent_minor_month", _K.MONEY, N_("Rent per month"), most=100_000_000_00),
            Field("lease_terms", _K.TEXTS, N_("Terms of the lease"), needed=False),
            Field(
                "equipment",
                _K.ROWS,
                N_("Equipment of the school"),
                needed=False,
                most=200,
                fields=(
                    Field("name", _K.TEXT, N_("Name"), most=200),
                    Field("count", _K.WHOLE, N_("Count"), least=1, most=1_000),
                    Field("condition", _K.CHOICE, N_("Condition"), choices=CONDITIONS),
                ),
            ),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "staff",
        N_("Required staff"),
        (
            Field(
                "posts",
                _K.ROWS,
                N_("Posts"),
                least=1,
                most=20,
                fields=(
                    Field("post", _K.CHOICE, N_("Post"), choices=POSTS),
                    Field("count", _K.WHOLE, N_("Count"), least=1, most=200),
                    Field("fte_percent", _K.WHOLE, N_("Working time of each, percent"), least=10, most=100),
                    Field("grade", _K.WHOLE, N_("Lowest grade"), needed=False, least=1, most=6),
                    Field("education", _K.CHOICE, N_("Least education"), needed=False, choices=EDUCATION),
                ),
                unique=("post", "grade"),
            ),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "menu",
        N_("Four-week menu"),
        (
            Field("season", _K.CHOICE, N_("Season"), choices=SEASONS),
            Field(
                "days",
                _K.ROWS,
                N_("Days of the menu"),
                least=20,
                most=168,
                fields=(
                    Field("week", _K.WHOLE, N_("Week"), least=1, most=4),
                    Field("weekday", _K.WHOLE, N_("Day of the week"), least=1, most=6),
                    Field("meal", _K.CHOICE, N_("Meal"), choices=MEALS),
                    Field("dishes", _K.TEXTS, N_("Dishes"), most=600),
                    Field("kcal", _K.WHOLE, N_("Energy, kcal"), least=50, most=3_000),
                ),
                unique=("week", "weekday", "meal"),
            ),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "diets",
        N_("Special diets"),
        (
            Field(
                "diets",
                _K.ROWS,
                N_("Pupils with a special diet"),
                needed=False,
                most=20,
                fields=(
                    Field("diet", _K.CHOICE, N_("Diet"), choices=DIETS),
                    Field("pupils", _K.WHOLE, N_("Pupils"), least=1, most=5_000),
                ),
                unique=("diet",),
            ),
        ),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "origin",
        N_("Origin of the food"),
        (Field("domestic_percent", _K.WHOLE, N_("Least share of domestic food, percent"), most=100),),
        of_lot=True,
        purposes=_CATERING,
    ),
    Section(
        "delivery",
        N_("Delivery"),
        (
            Field("address", _K.TEXTS, N_("Address of delivery"), most=300),
            Field("deliveries_week", _K.WHOLE, N_("Deliveries per week"), least=1, most=7),
            Field("delivery_terms", _K.TEXTS, N_("Terms of delivery"), needed=False),
        ),
        of_lot=True,
        purposes=_GOODS,
    ),
)


def sections_for(purpose: str, *, of_lot: bool) -> tuple[Section, ...]:
    """The sections that a tender (or each of its lots) of this purpose has, in their order."""
    return tuple(one for one in SECTIONS if one.of_lot is of_lot and purpose in one.purposes)


def section(name: str, purpose: str, *, of_lot: bool) -> Section | None:
    """A section by its name; None where a tender of this purpose has no such section."""
    return next((one for one in sections_for(purpose, of_lot=of_lot) if one.name == name), None)
