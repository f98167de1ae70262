"""A school's canteen for tests: a sitting, a menu that is sold, a till, and pupils who come to eat."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any, Final
from uuid import UUID

import factory

from schoolmeals.actors import Actor, device
from schoolmeals.canteen.models import Menu, MenuItem, Sitting
from schoolmeals.canteen.orders import NamedDecision, Order, OrderItem
from schoolmeals.ids import new_id
from tests.factories import RowFactory
from tests.factories.identity import DeviceFactory, OrganisationFactory
from tests.factories.pupils import CardFactory, PupilAllergenFactory, PupilFactory, SchoolClassFactory
from tests.factories.wallet import put_in

TODAY: Final = date(2026, 11, 23)
LUNCH_MINOR: Final = 850_00
JUICE_MINOR: Final = 300_00
BUN_MINOR: Final = 200_00
GRACE_MINOR: Final = 1_700_00
"""What grace lends to a pupil, where the school has not said otherwise: two lunches."""


class SittingFactory(RowFactory[Sitting]):
    """Lunch of the first shift, 11:00 to 14:00. Needs ``school_id``."""

    class Meta:
        model = Sitting

    id = factory.LazyFunction(new_id)
    meal = "lunch"
    shift = 1
    opens_at = time(11)
    closes_at = time(14)
    ended_on = None


class MenuFactory(RowFactory[Menu]):
    """The published menu of the day of the tests. Needs ``school_id`` and ``sitting_id``."""

    class Meta:
        model = Menu

    id = factory.LazyFunction(new_id)
    day = TODAY
    version = 1
    published_at = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    published_by = None


class MenuItemFactory(RowFactory[MenuItem]):
    """A line of the first version. Needs ``school_id``, ``menu_id``, ``kind`` and ``price_minor``."""

    class Meta:
        model = MenuItem

    id = factory.LazyFunction(new_id)
    position = factory.Sequence(lambda n: n % 1000)
    kind = "buffet"
    age_group = None
    name_kk = "Шырын"
    name_ru = "Сок"
    name_en = "Juice"
    dishes = factory.LazyFunction(list)
    photo_id = None
    currency = "KZT"
    portion_g = 200
    kcal = 90
    allergens = factory.LazyFunction(list)
    contract_item_id = None
    from_version = 1
    until_version = None


@dataclass(slots=True)
class Canteen:
    """A school at lunch. ``lunch`` is the set meal of the youngest, ``lunch_older`` that of the fifth grade."""

    school_id: UUID
    device_id: UUID
    sitting_id: UUID
    menu_id: UUID
    lunch: UUID
    lunch_older: UUID
    juice: UUID
    bun: UUID
    class_id: UUID
    now: datetime
    _numbers: Any = field(default_factory=lambda: count(1))

    @property
    def till(self) -> Actor:
        return device(self.device_id, self.school_id)

    def another_till(self) -> Actor:
        """A second till of the same school."""
        return device(DeviceFactory.create(school_id=self.school_id).id, self.school_id)

    def order(self, who: UUID | bytes, *items: UUID | tuple[UUID, int], meal: bool = False, **changes: Any) -> Order:
        """A tap by card (its hash) or by name (the pupil's id), a moment before the tests' present."""
        decisions = tuple(NamedDecision(code, "asked") for code in changes.pop("decisions", ()))
        wanted = [item if isinstance(item, tuple) else (item, 1) for item in items]
        return Order(
            **{
                "id": new_id(self.now),
                "seq": next(self._numbers),
                "tapped_at": self.now,
                "sitting_id": self.sitting_id,
                "number_hash": who if isinstance(who, bytes) else None,
                "pupil_id": who if isinstance(who, UUID) else None,
                "wants_set_meal": meal,
                "items": tuple(OrderItem(id, quantity) for id, quantity in wanted),
                "decisions": decisions,
                **changes,
            }
        )


def new_canteen(now: datetime) -> Canteen:
    """A school with one till, one sitting and a menu: lunch for two age groups, juice, and a bun with milk in it."""
    school_id = OrganisationFactory.create().id
    sitting = SittingFactory.create(school_id=school_id)
    menu = MenuFactory.create(school_id=school_id, sitting_id=sitting.id)
    own = {"school_id": school_id, "menu_id": menu.id}
    meal = {**own, "kind": "set", "name_kk": "Түскі ас", "name_ru": "Обед", "name_en": "Lunch"}
    return Canteen(
        school_id=school_id,
        device_id=DeviceFactory.create(school_id=school_id).id,
        sitting_id=sitting.id,
        menu_id=menu.id,
        lunch=MenuItemFactory.create(**meal, age_group="6-10", price_minor=LUNCH_MINOR - 50_00).id,
        lunch_older=MenuItemFactory.create(**meal, age_group="11-14", price_minor=LUNCH_MINOR).id,
        juice=MenuItemFactory.create(**own, price_minor=JUICE_MINOR).id,
        bun=MenuItemFactory.create(**own, price_minor=BUN_MINOR, allergens=["gluten", "milk"]).id,
        class_id=SchoolClassFactory.create(school_id=school_id, grade=5).id,
        now=now,
    )


def new_eater(canteen: Canteen, do: Any, *, money_minor: int = 0, allergens: Any = (), **facts: Any) -> UUID:
    """A pupil of the fifth grade with ``money_minor`` in the purse."""
    own = {"school_id": canteen.school_id}
    pupil_id: UUID = PupilFactory.create(**own, class_id=canteen.class_id, **facts).id
    for code, severity in allergens:
        PupilAllergenFactory.create(**own, pupil_id=pupil_id, allergen=code, severity=severity)
    do(put_in, pupil_id, money_minor, school_id=canteen.school_id)
    return pupil_id


def new_card(canteen: Canteen, pupil_id: UUID, **facts: Any) -> bytes:
    """The hash of a card's number."""
    card = CardFactory.create(school_id=canteen.school_id, pupil_id=pupil_id, **facts)
    return bytes(card.number_hash)
