"""A menu's prices come from the contract that feeds the school: computed, never typed, and never above it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.canteen import NewMenuItem, copy_day, hold_sitting, menu_in_draft, publish_menu, put_item, replace_item
from schoolmeals.canteen.actions import menus as deeds
from schoolmeals.canteen.actions.imports import import_menus, preview_menus
from schoolmeals.canteen.menu_files import COLUMNS
from schoolmeals.canteen.menus import MenuLine
from schoolmeals.canteen.pricing import NO_TERMS, Agreed, Terms, as_published, known_name, priced, repriced
from schoolmeals.clock import MovableClock
from schoolmeals.errors import Invalid, NotNow
from schoolmeals.files import as_csv
from schoolmeals.ids import new_id
from schoolmeals.procurement import contract_items_of
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import PRICE_MINOR
from tests.factories.contracts import TEA, in_force
from tests.factories.identity import signed_in
from tests.factories.procurement import Procurement, kept_world
from tests.shelf import Shelf

IN_TERM = datetime(2027, 2, 1, 6, 0, tzinfo=UTC)
DAY = date(2027, 2, 2)
AFTER_TERM = date(2027, 5, 26)
BREAD = NewMenuItem(kind="buffet", name_kk="Нан", name_ru="Хлеб", name_en="Bread", price_minor=50_00)
LUNCH = NewMenuItem(kind="set", age_group="6-10", name_kk="Түскі ас", name_ru="Обед", name_en="Lunch")
TEA_LINE = NewMenuItem(kind="buffet", name_kk=" шАй ", name_ru="Чай чёрный", name_en="", price_minor=90_00)


@pytest.fixture
def world(app: Flask, shelf: Shelf, clock: MovableClock, request: pytest.FixtureRequest) -> Procurement:
    """Officers, a school, a supplier."""
    return kept_world(shelf, clock, request)


@pytest.fixture
def fed(world: Procurement) -> Any:
    """A school on the eve of ``DAY`` that a contract feeds, and its lunch: ``(world, sitting_id)``."""
    world.kept("fed-by-contract", lambda: in_force(world, world.tender_in(TenderStage.CONTRACTING))[0])
    world.clock.now = IN_TERM
    own = {"meal": "lunch", "opens_at": time(11), "closes_at": time(14)}
    return world, world.do(hold_sitting, world.school_id, actor=world.buyer, **own)


def put(fed: Any, item: NewMenuItem, day: date = DAY) -> Any:
    world, sitting_id = fed
    return world.do(put_item, world.school_id, day, sitting_id, item, actor=world.buyer)


def publish(fed: Any, day: date = DAY) -> Any:
    world, sitting_id = fed
    return world.do(publish_menu, world.school_id, day, sitting_id, actor=world.buyer)


def lines(fed: Any, day: date = DAY) -> list[MenuLine]:
    world, _ = fed
    (menu,) = world.look(menu_in_draft, world.school_id, day, actor=world.buyer)
    return list(menu.draft)


@contextmanager
def world_without_prices() -> Iterator[None]:
    """As if no contract were known: drafts as they were made before one was in force."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deeds, "terms_on", lambda _look, _school_id, _day: NO_TERMS)
        yield


def codes(refusal: Any) -> dict[str, list[str]]:
    return {name: [one.code for one in found] for name, found in refusal.value.fields.items()}


def test_a_set_meal_costs_what_the_contract_says_and_nobody_types_it(fed: Any) -> None:
    world, _ = fed
    put(fed, LUNCH)
    publish(fed)
    (line,) = lines(fed)
    (agreed,) = [one for one in world.look(contract_items_of, world.school_id, DAY) if one.age_group == "6-10"]
    assert (line.price_minor, line.contract_item_id) == (PRICE_MINOR, agreed.contract_item_id)
    for price in (PRICE_MINOR + 1, PRICE_MINOR - 1):
        with pytest.raises(Invalid) as refusal:
            put(fed, replace(LUNCH, price_minor=price))
        assert codes(refusal) == {"price": ["not-the-contracts-price"]}
    with pytest.raises(Invalid):
        world.do(replace_item, world.school_id, line.id, replace(LUNCH, price_minor=1), actor=world.buyer)


def test_the_buffet_sells_what_the_contract_lists_for_its_ceiling_at_most(fed: Any) -> None:
    put(fed, TEA_LINE)
    assert [one.price_minor for one in lines(fed)] == [90_00]
    assert lines(fed)[0].contract_item_id is not None, "a name is known however it is written"
    for item, wrong in (
        (replace(TEA_LINE, price_minor=TEA.ceiling_minor + 1), {"price": ["above-the-contract"]}),
        (replace(TEA_LINE, price_minor=None), {"price": ["needed"]}),
        (BREAD, {"name_kk": ["not-in-contract"]}),
    ):
        with pytest.raises(Invalid) as refusal:
            put(fed, item)
        assert codes(refusal) == wrong


def test_a_menu_that_the_contract_does_not_allow_is_not_published(fed: Any) -> None:
    world, _ = fed
    with world_without_prices():
        put(fed, BREAD)
        put(fed, replace(LUNCH, price_minor=PRICE_MINOR + 10_00))
    with pytest.raises(NotNow) as refusal:
        publish(fed)
    assert refusal.value.code == "menu-against-contract"
    assert refusal.value.params["lines"] == "Bread"
    (bread, _) = lines(fed)
    world.do(deeds.take_off_item, world.school_id, bread.id, actor=world.buyer)
    publish(fed)
    assert [one.price_minor for one in lines(fed)] == [PRICE_MINOR], "what was drafted dearer is sold at the contract's"


def test_prices_that_are_not_looked_at_when_a_menu_is_published_are_found(fed: Any) -> None:
    """The planted bug: publishing takes the draft as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deeds, "_price_by_contract", lambda _work, _menu: None)
        with pytest.raises(pytest.fail.Exception):
            test_a_menu_that_the_contract_does_not_allow_is_not_published(fed)


def test_a_price_follows_its_day_when_a_menu_is_copied(fed: Any) -> None:
    world, _ = fed
    with world_without_prices():
        put(fed, replace(LUNCH, price_minor=1_00))
        publish(fed)
    assert [one.price_minor for one in lines(fed)] == [1_00]
    target = DAY + timedelta(days=1)
    world.do(copy_day, world.school_id, source=DAY, target=target, actor=world.buyer)
    publish(fed, target)
    assert [one.price_minor for one in lines(fed, target)] == [PRICE_MINOR]
    world.do(copy_day, world.school_id, source=target, target=AFTER_TERM, actor=world.buyer)
    assert [one.contract_item_id is None for one in lines(fed, AFTER_TERM)] == [False]
    publish(fed, AFTER_TERM)
    (line,) = lines(fed, AFTER_TERM)
    assert (line.price_minor, line.contract_item_id) == (PRICE_MINOR, None), (
        "the contract is over: it answers for nothing"
    )


def test_what_was_published_before_the_contract_is_published_anew_by_it(fed: Any) -> None:
    with world_without_prices():
        put(fed, replace(LUNCH, price_minor=PRICE_MINOR + 50_00))
        publish(fed)
    (before,) = lines(fed)
    assert publish(fed) == 2
    (after,) = lines(fed)
    assert (after.price_minor, after.id != before.id) == (PRICE_MINOR, True), "what was sold is never changed"
    with pytest.raises(NotNow) as refusal:
        publish(fed)
    assert refusal.value.code == "nothing-new"


def test_a_file_needs_no_price_where_the_contract_says_it(fed: Any) -> None:
    world, _ = fed
    row = {"day": str(DAY), "meal": "lunch", "kind": "set", "age_group": "6-10", "name_kk": "Ас", "name_ru": "Обед"}
    good, dear = row, {**row, "price": "801"}
    bread = {**row, "kind": "buffet", "age_group": "", "name_kk": "Нан", "price": "50"}
    no_price = {**row, "day": str(AFTER_TERM)}
    content = as_csv([COLUMNS, *[[one.get(name, "") for name in COLUMNS] for one in (good, dear, bread, no_price)]])
    found = world.look(preview_menus, world.school_id, content, actor=world.buyer)
    told = [(one.line, one.column, one.problem.code) for one in found.bad]
    wrong = [(3, "price", "not-the-contracts-price"), (4, "name_kk", "not-in-contract"), (5, "price", "needed")]
    assert told == wrong
    world.do(import_menus, world.school_id, content, actor=world.buyer)
    assert [one.price_minor for one in lines(fed)] == [PRICE_MINOR]


def test_the_office_reads_the_contracts_prices_where_it_writes_the_menu(app: Flask, fed: Any) -> None:
    world, sitting_id = fed
    put(fed, LUNCH)
    office = signed_in(app, world.buyer.id)
    address = f"/school/{world.school_id}/menu/{DAY}/{sitting_id}/item"
    form = office.get(address, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "What set meals cost by contract" in form
    assert "What the buffet may sell by contract" in form
    page = office.get(f"/school/{world.school_id}/menu?day={DAY}", headers={"Accept-Language": "en"})
    assert "by contract" in page.get_data(as_text=True)


# What the contract says of a line, whatever the line

GROUPS = ("6-10", "11-14", "15-18")
AGREED = st.builds(Agreed, st.builds(new_id), st.integers(1, 2_000_00), st.just("KZT"))
TERMS = st.builds(
    Terms,
    st.dictionaries(st.tuples(st.sampled_from(["lunch", "breakfast"]), st.sampled_from(GROUPS)), AGREED, max_size=4),
    st.dictionaries(st.sampled_from(["шай", "нан", "bun"]), AGREED, max_size=3),
)
ITEMS = st.builds(
    NewMenuItem,
    kind=st.sampled_from(["set", "buffet"]),
    name_kk=st.sampled_from(["Шай", "НАН ", "Сүт"]),
    name_ru=st.just("-"),
    name_en=st.sampled_from(["", "Bun"]),
    age_group=st.sampled_from([None, *GROUPS]),
    price_minor=st.none() | st.integers(0, 3_000_00),
    contract_item_id=st.none() | st.builds(new_id),
)


def dearer_than_agreed(look: Any, item: NewMenuItem, terms: Terms) -> bool:
    """Whether ``look`` lets a line through that costs more than the contract says, or rests on another one."""
    found, problems = look(item, "lunch", terms)
    if problems or not terms:
        return not problems and found.contract_item_id is not None
    names = map(known_name, (item.name_kk, item.name_ru, item.name_en))
    listed = [one for name in names if (one := terms.buffet.get(name))]
    is_set = item.kind == "set"
    agreed = terms.of_meal("lunch").get(item.age_group or "") if is_set else next(iter(listed), None)
    covers = bool(terms.of_meal("lunch")) if is_set else bool(terms.buffet)
    if agreed is None:
        return covers or found.contract_item_id is not None
    wrong_price = found.price_minor != agreed.price_minor if is_set else found.price_minor > agreed.price_minor
    return bool(wrong_price) or found.contract_item_id != agreed.contract_item_id


@given(item=ITEMS, terms=TERMS)
def test_nothing_costs_more_than_the_contract_says(item: NewMenuItem, terms: Terms) -> None:
    assert not dearer_than_agreed(priced, item, terms)
    assert not dearer_than_agreed(repriced, item, terms)


@pytest.mark.parametrize("item", [BREAD, LUNCH, TEA_LINE])
def test_a_price_taken_as_it_was_typed_is_found(item: NewMenuItem) -> None:
    """The planted bug: the typed price counts."""
    agreed = Agreed(new_id(), 10_00, "KZT")
    terms = Terms({("lunch", "6-10"): agreed}, {"нан": agreed, "шай": agreed})
    typed = replace(item, price_minor=99_00)
    assert dearer_than_agreed(lambda one, _meal, _terms: (one, {}), typed, terms)


def test_a_line_without_a_price_is_none_where_no_contract_says_it() -> None:
    assert [one.code for one in priced(LUNCH, "lunch", NO_TERMS)[1]["price"]] == ["needed"]
    line = MenuLine(new_id(), 1, "set", "6-10", {"kk": "Ас"}, (), None, 5_00, "KZT", None, None, (), None)
    found = as_published(line, "lunch", NO_TERMS)
    assert (found.price_minor, found.is_by_contract, found.problems) == (5_00, False, ())
