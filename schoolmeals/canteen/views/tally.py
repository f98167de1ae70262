"""A school's day put together for its page and its file: from the counts, the taps and the top-ups. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.canteen.menus import MealFacts
from schoolmeals.canteen.words import MEALS, code_name
from schoolmeals.files import as_csv
from schoolmeals.ids import spoken_number
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.pupils import PupilFacts
from schoolmeals.wallet import TopUpFacts, TopUpStage


@dataclass(frozen=True, slots=True)
class Sold:
    """How often a buffet item was sold, and for how much; minor units."""

    name: str
    quantity: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class TopUps:
    """Top-ups of a day by one way that money comes in; minor units."""

    count: int
    total_minor: int


def buffet_of(sales: Iterable[MealFacts], language: str) -> list[Sold]:
    """What was sold beside the set meals and not taken back, the most sold first."""
    counted: dict[str, tuple[int, int]] = {}
    for sale in sales:
        for item in sale.items if sale.counts else ():
            if not item.is_set_meal:
                name = item.names.get(language) or item.names["kk"]
                quantity, total = counted.get(name, (0, 0))
                counted[name] = quantity + item.quantity, total + item.quantity * item.price_minor
    found = [Sold(name, quantity, total) for name, (quantity, total) in counted.items()]
    return sorted(found, key=lambda one: (-one.quantity, one.name))


def refusals_of(sales: Iterable[MealFacts]) -> list[tuple[str, int]]:
    """How many taps were refused for which code, the most frequent first."""
    counted = Counter(sale.code for sale in sales if sale.code is not None)
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))


def top_ups_by_method(top_ups: Iterable[TopUpFacts]) -> dict[str, TopUps]:
    """Settled top-ups that stand, by ``hosted-page`` and ``cash-desk``."""
    stand = [one for one in top_ups if one.stage is TopUpStage.SETTLED]
    return {
        method: TopUps(len(sums), sum(sums))
        for method in ("hosted-page", "cash-desk")
        for sums in [[one.amount_minor for one in stand if one.method == method]]
    }


def what_it_was(sale: MealFacts, language: str) -> str:
    """The items of a tap in words."""
    return ", ".join(
        (item.names.get(language) or item.names["kk"]) + (f" × {item.quantity}" if item.quantity > 1 else "")
        for item in sale.items
    )


def state_of(sale: MealFacts) -> str:
    """What became of a tap, in words."""
    if sale.code is not None:
        return f"{sale.code} {code_name(sale.code)}"
    return str(gettext("Taken back") if sale.undone_at is not None else gettext("Served"))


def day_csv(sales: Sequence[MealFacts], pupils: Mapping[UUID, PupilFacts], *, language: str, zone: ZoneInfo) -> bytes:
    """One line per tap, earliest first, in the language of the request; sums as ``850,00``."""
    lines = [
        _line(sale, pupils.get(sale.pupil_id) if sale.pupil_id else None, language, zone) for sale in reversed(sales)
    ]
    return as_csv([_head(), *lines])


def _head() -> list[str]:
    names = (gettext("Time"), gettext("Class"), gettext("Pupil"), gettext("Meal"), gettext("What it was"))
    return [*names, gettext("Till"), gettext("State"), gettext("Sum"), gettext("Currency"), gettext("Receipt")]


def _line(sale: MealFacts, pupil: PupilFacts | None, language: str, zone: ZoneInfo) -> list[str]:
    return [
        sale.tapped_at.astimezone(zone).strftime("%H:%M"),
        pupil.class_name if pupil else "",
        pupil.name if pupil else "",
        str(gettext(MEALS[sale.meal])) if sale.meal else "",
        what_it_was(sale, language),
        identity.till_name(sale.device_name),
        state_of(sale),
        _sum(sale.total_minor, sale.currency),
        sale.currency,
        spoken_number(sale.sale_id),
    ]


def _sum(minor: int, currency: str) -> str:
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(minor, 10**digits)
    return f"{whole},{rest:0{digits}d}" if digits else str(whole)
