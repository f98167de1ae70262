"""A family and the canteen where its child eats."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from schoolmeals import canteen as canteen_room
from schoolmeals.actors import Actor, Role
from schoolmeals.clock import MovableClock
from tests.factories.canteen import Canteen, new_canteen, new_eater
from tests.factories.identity import PersonFactory, actor_of
from tests.factories.pupils import GuardianshipFactory


@dataclass(frozen=True, slots=True)
class Parents:
    """A child whose mother and father live apart: both are guardians. ``stranger`` is another child's mother."""

    school_id: UUID
    pupil_id: UUID
    mother: Actor
    father: Actor
    stranger: Actor


@pytest.fixture
def canteen(app: Flask, clock: MovableClock) -> Canteen:
    """A school with one till and a menu, at noon of a school day."""
    return new_canteen(clock())


@pytest.fixture
def parents(canteen: Canteen, do: Any) -> Parents:
    """The family of a child with 5,000 tenge in the purse."""
    school_id = canteen.school_id
    child = new_eater(canteen, do, money_minor=5_000_00, surname="Сейітқали", given_name="Ерасыл")
    other = new_eater(canteen, do, money_minor=1_000_00)
    return Parents(
        school_id,
        child,
        guardian(school_id, child),
        guardian(school_id, child, relation="father"),
        guardian(school_id, other),
    )


@pytest.fixture
def ring(do: Any, canteen: Canteen) -> Any:
    """``ring(order)`` sends one order from the canteen's till and gives the tap's id."""

    def run(order: Any, **kwargs: Any) -> UUID:
        [answer] = do(canteen_room.ring_up, [order], **{"actor": canteen.till, **kwargs})
        tap_id: UUID = answer.tap_id
        return tap_id

    return run


@pytest.fixture
def take_back(do: Any, canteen: Canteen) -> Any:
    """``take_back(sale_id)`` undoes a sale at the till."""

    def run(sale_id: UUID) -> None:
        do(canteen_room.undo_sale, canteen.school_id, sale_id, undo_id=uuid4(), reason="", actor=canteen.till)

    return run


def guardian(school_id: UUID, pupil_id: UUID, **given: Any) -> Actor:
    """A new guardian of a pupil."""
    person = PersonFactory.create(roles=[(Role.PARENT, school_id)])
    GuardianshipFactory.create(school_id=school_id, pupil_id=pupil_id, person_id=person.id, **given)
    return actor_of(person.id, (Role.PARENT, school_id))
