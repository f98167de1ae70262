"""A school with an office, a class of two, and a guardian."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.clock import MovableClock
from schoolmeals.database import reading
from schoolmeals.identity.models import Person
from schoolmeals.pupils.models import Pupil, SchoolClass
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of, signed_in
from tests.factories.pupils import GuardianshipFactory, PupilFactory, SchoolClassFactory


@dataclass(frozen=True)
class School:
    """Ids and actors of a small school, and browsers for its people."""

    id: UUID
    class_id: UUID
    ali: Pupil
    maria: Pupil
    office: Actor
    parent: Actor
    office_browser: FlaskClient
    parent_browser: FlaskClient


@pytest.fixture
def school(app: Flask) -> School:
    """School No. 1 with Ali and Maria in 5 «Ә»; the parent is Ali's."""
    names = {"name_en": "School No. 1", "name_kk": "№1 мектеп", "name_ru": "Школа №1"}
    place = OrganisationFactory.create(**names, identifier="980540000019")
    room = SchoolClassFactory.create(school_id=place.id, sourced_id="class-5-ә", name="5 «Ә»")
    ali = PupilFactory.create(school_id=place.id, class_id=room.id, sourced_id="101", surname="Абай", given_name="Әли")
    maria = PupilFactory.create(
        school_id=place.id, class_id=room.id, sourced_id="102", surname="Бек", given_name="Мария"
    )
    office = PersonFactory.create(name="Office", roles=[(Role.SCHOOL_OFFICE, place.id)])
    parent = PersonFactory.create(name="Parent", roles=[(Role.PARENT, place.id)])
    GuardianshipFactory.create(school_id=place.id, pupil_id=ali.id, person_id=parent.id)
    return _school(app, room, (ali, maria), office, parent)


@pytest.fixture
def other_school(app: Flask) -> School:
    """Another school with its own office and parent: whoever is from here learns nothing of the first."""
    place = OrganisationFactory.create(name_en="School No. 2")
    room = SchoolClassFactory.create(school_id=place.id)
    ali, maria = PupilFactory.create_batch(2, school_id=place.id, class_id=room.id)
    office = PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, place.id)])
    parent = PersonFactory.create(roles=[(Role.PARENT, place.id)])
    GuardianshipFactory.create(school_id=place.id, pupil_id=ali.id, person_id=parent.id)
    return _school(app, room, (ali, maria), office, parent)


@pytest.fixture
def rows(app: Flask, clock: MovableClock) -> Any:
    """All rows of a table: ``rows(Card)``."""

    def run(model: Any) -> list[Any]:
        with reading(SYSTEM, clock()) as look:
            return list(look.session.scalars(select(model)))

    return run


@pytest.fixture
def look(app: Flask, clock: MovableClock) -> Callable[..., Any]:
    """Look once: ``look(pupils.pupil, school, id, actor=...)``."""

    def run(query: Any, *args: Any, actor: Actor, **kwargs: Any) -> Any:
        with reading(actor, clock()) as work:
            return query(work, *args, **kwargs)

    return run


def _school(app: Flask, room: SchoolClass, children: tuple[Pupil, Pupil], office: Person, parent: Person) -> School:
    place_id = room.school_id
    return School(
        place_id,
        room.id,
        *children,
        actor_of(office.id, (Role.SCHOOL_OFFICE, place_id)),
        actor_of(parent.id, (Role.PARENT, place_id)),
        signed_in(app, office.id),
        signed_in(app, parent.id),
    )
