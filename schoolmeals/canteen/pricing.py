"""What a line of a menu costs. Where a contract feeds the school, the contract says it, and nobody types it. Pure.

A set meal costs what the contract asks for that meal and age group on that day. A thing of the buffet is one that the
contract lists, for its ceiling at most. What no contract in force knows anything about keeps the price that was typed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from schoolmeals.canteen.menus import SET, MenuLine, NewMenuItem
from schoolmeals.errors import N_, FieldProblem
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.procurement import ContractItemFacts

Problems = dict[str, list[FieldProblem]]
"""What is wrong, by field; empty where nothing is."""
_NEEDED: Final = FieldProblem.of("needed", N_("Fill this in."))
_NO_SUCH_MEAL: Final = FieldProblem.of(
    "not-in-contract", N_("The contract has no such meal for this age. Choose an age group that it has.")
)
_NO_SUCH_THING: Final = FieldProblem.of(
    "not-in-contract", N_("The contract's buffet list has nothing of this name. Write it as the list does.")
)
_OTHER_PRICE: Final = N_("By the contract this meal costs %(price)s %(currency)s. Leave the price empty.")
_TOO_DEAR: Final = N_("By the contract this costs %(price)s %(currency)s at most.")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A price line of a contract; of the buffet the most that a thing may cost. In minor units."""

    contract_item_id: UUID
    price_minor: int
    currency: str
    names: Mapping[str, str] = field(default_factory=dict)
    """Of a thing of the buffet, by language."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a school's contracts in force on one day promise; nothing where none is."""

    meals: Mapping[tuple[str, str], Agreed] = field(default_factory=dict)
    """By meal and age group."""
    buffet: Mapping[str, Agreed] = field(default_factory=dict)
    """By each of its names, as :func:`known_name` writes it."""

    def __bool__(self) -> bool:
        return bool(self.meals or self.buffet)

    def of_meal(self, meal: str) -> dict[str, Agreed]:
        """What each age group's set meal costs."""
        return {group: agreed for (one, group), agreed in self.meals.items() if one == meal}

    @property
    def things(self) -> list[Agreed]:
        """The buffet's list, each thing once."""
        return list({one.contract_item_id: one for one in self.buffet.values()}.values())


NO_TERMS: Final = Terms()


def terms_of(items: Iterable[ContractItemFacts]) -> Terms:
    """``items`` of contracts, in the order of their beginning: where two promise the same, the later one counts."""
    meals: dict[tuple[str, str], Agreed] = {}
    buffet: dict[str, Agreed] = {}
    for item in items:
        agreed = Agreed(item.contract_item_id, item.price_minor, item.currency, item.name or {})
        if item.meal is not None and item.age_group is not None:
            meals[item.meal, item.age_group] = agreed
        elif item.kind == "buffet":
            buffet |= dict.fromkeys(map(known_name, agreed.names.values()), agreed)
    return Terms(meals, {name: one for name, one in buffet.items() if name})


def known_name(name: str) -> str:
    """By what a thing of the buffet is known again, however it is written."""
    return " ".join(name.casefold().split())


def priced(item: NewMenuItem, meal: str, terms: Terms) -> tuple[NewMenuItem, Problems]:
    """``item`` with its price and the contract's line that this comes from, or as it was with what is wrong."""
    if item.kind == SET:
        return _set_meal(item, terms.of_meal(meal))
    return _thing(item, terms.buffet)


def repriced(item: NewMenuItem, meal: str, terms: Terms) -> tuple[NewMenuItem, Problems]:
    """As :func:`priced`, for a line that was drafted before: a set meal forgets what it cost then."""
    forgets = item.kind == SET and bool(terms.of_meal(meal))
    return priced(replace(item, price_minor=None) if forgets else item, meal, terms)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What publishing would make of a drafted line's price; minor units of ``currency``."""

    price_minor: int
    currency: str
    is_by_contract: bool
    problems: tuple[FieldProblem, ...]
    """Why it could not be published."""


def as_published(line: MenuLine, meal: str, terms: Terms) -> PricedLine:
    """A drafted line as it would be published now."""
    typed = NewMenuItem(
        kind=line.kind,
        age_group=line.age_group,
        name_kk=line.names.get("kk", ""),
        name_ru=line.names.get("ru", ""),
        name_en=line.names.get("en", ""),
        price_minor=line.price_minor,
        currency=line.currency,
    )
    found, problems = repriced(typed, meal, terms)
    if problems or found.price_minor is None:
        listed = tuple(problem for told in problems.values() for problem in told)
        return PricedLine(line.price_minor, line.currency, is_by_contract=False, problems=listed)
    return PricedLine(found.price_minor, found.currency, found.contract_item_id is not None, ())


def _set_meal(item: NewMenuItem, agreed: Mapping[str, Agreed]) -> tuple[NewMenuItem, Problems]:
    if not agreed:
        return _as_typed(item)
    found = agreed.get(item.age_group or "")
    if found is None:
        return item, {"age_group": [_NO_SUCH_MEAL]}
    if item.price_minor not in (None, found.price_minor):
        return item, {"price": [_said("not-the-contracts-price", _OTHER_PRICE, found)]}
    return _by_contract(item, found, found.price_minor), {}


def _thing(item: NewMenuItem, buffet: Mapping[str, Agreed]) -> tuple[NewMenuItem, Problems]:
    if not buffet:
        return _as_typed(item)
    names = map(known_name, (item.name_kk, item.name_ru, item.name_en))
    found = next((buffet[name] for name in names if name in buffet), None)
    if found is None:
        return item, {"name_kk": [_NO_SUCH_THING]}
    if item.price_minor is None:
        return item, {"price": [_NEEDED]}
    if item.price_minor > found.price_minor:
        return item, {"price": [_said("above-the-contract", _TOO_DEAR, found)]}
    return _by_contract(item, found, item.price_minor), {}


def _as_typed(item: NewMenuItem) -> tuple[NewMenuItem, Problems]:
    if item.price_minor is None:
        return item, {"price": [_NEEDED]}
    return replace(item, contract_item_id=None), {}


def _by_contract(item: NewMenuItem, agreed: Agreed, price_minor: int) -> NewMenuItem:
    return replace(item, price_minor=price_minor, currency=agreed.currency, contract_item_id=agreed.contract_item_id)


def _said(code: str, sentence: str, agreed: Agreed) -> FieldProblem:
    unit = int(10 ** MINOR_DIGITS[agreed.currency])
    whole, rest = divmod(agreed.price_minor, unit)
    price = f"{whole},{rest:0{MINOR_DIGITS[agreed.currency]}}" if rest else str(whole)
    return FieldProblem.of(code, sentence, price=price, currency=agreed.currency)
