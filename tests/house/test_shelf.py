"""What tests keep on the shelf comes back as it was, whatever the tests between did to it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text

import schoolmeals
from schoolmeals.clock import MovableClock
from schoolmeals.procurement.rules.stages import TenderStage
from tests.conftest import A_MONDAY
from tests.factories.identity import OrganisationFactory, PersonFactory, SessionFactory
from tests.factories.procurement import Procurement, kept_world
from tests.shelf import MEMORIES, Shelf, all_tables

PACKAGE = Path(schoolmeals.__file__).parent
NOT_OF_THE_TENDER = "An office that is not of the tender"


@pytest.fixture
def own_shelf(app: Flask, owner_engine: Engine) -> Iterator[Shelf]:
    """A shelf on which nothing stands yet."""
    shelf = Shelf(owner_engine)
    yield shelf
    shelf.close()


class Trusting(Shelf):
    """The planted bug: it believes that nobody touched the database."""

    def _is_untouched(self, clock: MovableClock) -> bool:
        return True


class Lending(Shelf):
    """The planted bug: it lends what it keeps instead of a copy."""

    def _put_back(self, name: tuple[Any, ...], clock: MovableClock, spared: Any) -> Any:
        super()._put_back(name, clock, spared)
        return self._kept[name].made


@pytest.mark.parametrize("stage", [TenderStage.DRAFT, TenderStage.BIDDING, TenderStage.STANDSTILL])
def test_a_world_comes_back_as_it_was(
    own_shelf: Shelf, owner_engine: Engine, clock: MovableClock, stage: TenderStage
) -> None:
    first, began = a_tender(own_shelf, clock, stage), clock()
    rows, facts = all_rows(owner_engine), facts_of(first)
    for dirty in (deface, delete_tenders, lambda *_: None):
        dirty(owner_engine, first)
        clear(own_shelf, clock)
        assert all_rows(owner_engine) == {}
        again = a_tender(own_shelf, clock, stage)
        assert (all_rows(owner_engine), facts_of(again), clock()) == (rows, facts, began)


@pytest.mark.parametrize("plant", [None, Trusting])
def test_what_was_made_in_a_touched_database_is_not_kept(
    app: Flask, owner_engine: Engine, clock: MovableClock, plant: type[Shelf] | None
) -> None:
    shelf = (plant or Shelf)(owner_engine)
    OrganisationFactory.create(name_en=NOT_OF_THE_TENDER)
    a_tender(shelf, clock, TenderStage.BIDDING)
    clear(shelf, clock)
    a_tender(shelf, clock, TenderStage.BIDDING)
    assert knows_stranger(owner_engine) is (plant is Trusting)
    shelf.close()


@pytest.mark.parametrize("plant", [None, Trusting])
def test_what_was_made_after_the_clock_moved_is_not_kept(
    app: Flask, owner_engine: Engine, clock: MovableClock, plant: type[Shelf] | None
) -> None:
    shelf = (plant or Shelf)(owner_engine)
    world = shelf.kept("world", clock, lambda: Procurement(clock, shelf=shelf))
    clock.now += timedelta(days=3)
    world.draft()
    assert (len(shelf._kept) == 1) is (plant is None)
    shelf.close()


@pytest.mark.parametrize("plant", [None, Lending])
def test_what_was_given_is_a_copy(
    app: Flask, owner_engine: Engine, clock: MovableClock, plant: type[Shelf] | None
) -> None:
    shelf = (plant or Shelf)(owner_engine)
    pools = []
    for _ in range(2):
        world = shelf.kept("world", clock, lambda: Procurement(clock, shelf=shelf))
        pools.append(len(world.pool))
        world.pool.clear()
        clear(shelf, clock)
    assert pools == ([13, 0] if plant is Lending else [13, 13])
    shelf.close()


def test_who_signed_in_to_a_kept_world_stays_signed_in_when_it_goes_on(
    own_shelf: Shelf, owner_engine: Engine, clock: MovableClock
) -> None:
    world = own_shelf.kept("world", clock, lambda: Procurement(clock, shelf=own_shelf))
    session = SessionFactory.create(person_id=world.editor.id, token_hash=b"0" * 32)
    world.tender_in(TenderStage.APPROVED)
    with owner_engine.connect() as connection:
        assert connection.scalars(text("SELECT id FROM sign_in_session")).all() == [session.id]


def test_a_test_that_may_change_the_product_keeps_nothing(
    own_shelf: Shelf, clock: MovableClock, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept_world(own_shelf, clock, request).shelf is None
    assert own_shelf._kept == {}


def test_what_the_process_remembers_goes_with_the_rows(own_shelf: Shelf) -> None:
    for memory in MEMORIES:
        memory["something"] = "that will be otherwise"
    own_shelf.empty()
    assert list(MEMORIES) == [{}] * len(MEMORIES)


MEMORY = re.compile(r"^(_\w+): Final\[dict\[.*= \{\}$", re.MULTILINE)
OF_NO_ROWS = {"_BEGUN": "servers that are being started"}


def test_every_memory_of_the_product_is_known() -> None:
    found = [
        name
        for file in PACKAGE.rglob("*.py")
        for name in MEMORY.findall(file.read_text("utf-8"))
        if name not in OF_NO_ROWS
    ]
    assert len(found) == len(MEMORIES), found


def test_two_kept_worlds_of_other_beginnings_are_two(own_shelf: Shelf, clock: MovableClock) -> None:
    a_tender(own_shelf, clock, TenderStage.APPROVED)
    clear(own_shelf, clock)
    clock.now += timedelta(hours=1)
    later = a_tender(own_shelf, clock, TenderStage.APPROVED)
    assert own_shelf._at == later.clock() == clock()
    assert len(own_shelf._kept) == 2 * 3, "the world, its draft and its tender, of two beginnings"


# What a test does to a world


def a_tender(shelf: Shelf, clock: MovableClock, stage: TenderStage) -> Procurement:
    """As the fixture ``world`` gives it to a test, and a tender in it."""
    world = shelf.kept("world", clock, lambda: Procurement(clock, shelf=shelf))
    world.tender_in(stage)
    return world


def clear(shelf: Shelf, clock: MovableClock) -> None:
    """What happens between two tests; the next has the clock that every test begins with."""
    shelf.empty()
    clock.now = A_MONDAY


def deface(engine: Engine, world: Procurement) -> None:
    """Change what is kept, by all ways that a test has."""
    world.pool.clear()
    world.identities.clear()
    world.clock.now += timedelta(days=9)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE organisation SET name_en = :name"), {"name": NOT_OF_THE_TENDER})
        connection.execute(text("DELETE FROM audit_event"))
    PersonFactory.create()


def delete_tenders(engine: Engine, _world: Procurement) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM tender"))


def all_rows(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table that has any."""
    with engine.connect() as connection:
        rows = {
            table: sorted(connection.scalars(text(f"SELECT one::text FROM {table} AS one"))) for table in all_tables()
        }
    return {table: found for table, found in rows.items() if found}


def facts_of(world: Procurement) -> tuple[Any, ...]:
    return world.city_id, world.editor, tuple(world.pool), dict(world.identities), getattr(world, "chair_id", None)


def knows_stranger(engine: Engine) -> bool:
    with engine.connect() as connection:
        found = connection.scalar(
            text("SELECT count(*) FROM organisation WHERE name_en = :n"), {"n": NOT_OF_THE_TENDER}
        )
    return bool(found)
