"""What is sold where and when, for tills.

A published version of a menu never changes, so this process remembers what it has read of one, and a tap only asks
whether that version is still the one on sale.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

from schoolmeals.asking import Question, array_of
from schoolmeals.canteen.rules import ItemFacts
from schoolmeals.database import Work

_ON_SALE: Final = """
    SELECT sitting.id, sitting.opens_at, sitting.closes_at, sitting.ended_on, menu.day, menu.id AS menu_id, menu.version
      FROM sitting
      LEFT JOIN menu ON menu.school_id = sitting.school_id AND menu.sitting_id = sitting.id
            AND menu.day = ANY(CAST(%(days)s AS date[])) AND menu.version > 0
     WHERE sitting.school_id = %(school_id)s AND sitting.id = ANY(CAST(%(sittings)s AS uuid[]))
"""

_ITEMS: Final = f"""
    SELECT on_sale.*, item.id AS item_id, item.kind, item.age_group, item.price_minor, item.contract_item_id,
           item.allergens::text AS allergens
      FROM ({_ON_SALE}) AS on_sale
      LEFT JOIN menu_item AS item ON item.school_id = %(school_id)s AND item.menu_id = on_sale.menu_id
            AND item.from_version <= on_sale.version
            AND (item.until_version IS NULL OR item.until_version > on_sale.version)
     ORDER BY item.position, item.id
"""  # noqa: S608 (our own words)


@dataclass(frozen=True, slots=True)
class Assortment:
    """The lines of one published version of a menu."""

    menu_id: UUID
    version: int
    items: dict[UUID, ItemFacts] = field(default_factory=dict)
    set_meal_of: dict[str, UUID] = field(default_factory=dict)
    """The first set meal of each age group."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one sitting of one day sells; its hours alone, where no menu is published."""

    opens_at: time
    closes_at: time
    ended_on: date | None
    assortment: Assortment | None = None

    @property
    def version(self) -> int | None:
        return None if self.assortment is None else self.assortment.version


Offers = dict[UUID, dict[date | None, Offer]]
"""By sitting and day; under the day None the sitting's hours alone."""

_remembered: Final[dict[tuple[UUID, date], Assortment]] = {}
"""By sitting and day, as this process last saw it."""
MOST_REMEMBERED: Final = 4096


class OfferLooking:
    """The question for the published menus of ``sittings`` on ``days``, and what they sell."""

    def __init__(self, school_id: UUID, sittings: Iterable[UUID], days: Iterable[date]) -> None:
        at, on = set(sittings), set(days)
        self._parameters = {"school_id": school_id, "sittings": array_of(at), "days": array_of(on)}
        self._is_known = all((sitting, day) in _remembered for sitting in at for day in on)
        self.question = self._asking(_ON_SALE if self._is_known else _ITEMS)

    def offers(self, work: Work) -> Offers:
        """What is sold, once the question was asked. Asks for all lines where other versions are on sale by now."""
        rows = self.question.answer
        if not self._is_known:
            return self._read(work, rows)
        offers: Offers = {}
        for row in rows:
            hours = (row.opens_at, row.closes_at, row.ended_on)
            by_day = offers.setdefault(row.id, {None: Offer(*hours)})
            if row.menu_id is not None:
                known = _remembered.get((row.id, row.day))
                if known is None or (known.menu_id, known.version) != (row.menu_id, row.version):
                    return self._look_again(work)
                by_day[row.day] = Offer(*hours, known)
        return offers

    def _look_again(self, work: Work) -> Offers:
        everything = self._asking(_ITEMS)
        work.ask(everything)
        return self._read(work, everything.answer)

    def _asking(self, statement: str) -> Question[list[Any]]:
        return Question(statement, self._parameters, list)

    def _read(self, work: Work, rows: Sequence[Any]) -> Offers:
        offers: Offers = {}
        for row in rows:
            hours = (row.opens_at, row.closes_at, row.ended_on)
            by_day = offers.setdefault(row.id, {None: Offer(*hours)})
            if row.menu_id is None:
                continue
            if row.day not in by_day:
                assortment = Assortment(row.menu_id, row.version)
                by_day[row.day] = Offer(*hours, assortment)
                # A deed that publishes and sells may yet be rolled back.
                work.after_commit(partial(_remember, (row.id, row.day), assortment))
            if row.item_id is not None:
                _add_item(by_day[row.day], row)
        return offers


def _remember(place: tuple[UUID, date], assortment: Assortment) -> None:
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[place] = assortment


def _add_item(offer: Offer, row: Any) -> None:
    assortment = offer.assortment
    assert assortment is not None
    is_set_meal = row.kind == "set"
    assortment.items[row.item_id] = ItemFacts(
        row.item_id, is_set_meal, row.age_group, 1, row.price_minor, _allergens(row.allergens), row.contract_item_id
    )
    if is_set_meal:
        assortment.set_meal_of.setdefault(row.age_group, row.item_id)


@lru_cache(maxsize=4096)
def _allergens(listed: str) -> frozenset[str]:
    return frozenset(json.loads(listed))
