"""Looking up: what is whose, and what it costs."""

from typing import Any

import pytest
from flask import Flask

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.errors import NotFound
from schoolmeals.identity import require_role_in
from schoolmeals.identity.queries import organisation_facts
from schoolmeals.ids import new_id
from tests.factories.identity import DeviceFactory, OrganisationFactory, PersonFactory, actor_of

OFFICE = Role.SCHOOL_OFFICE


def test_people_gives_those_that_there_are(do: Any) -> None:
    one = PersonFactory.create(name="Ерлан", phone="+77010000001")
    found = do(identity.people, [one.id, new_id()])
    assert found == {one.id: identity.PersonFacts(one.id, "Ерлан", one.email, "+77010000001", "en")}
    assert do(identity.people, []) == {}


def test_an_organisation_has_its_name_in_three_languages(do: Any) -> None:
    school = OrganisationFactory.create(name_kk="№1 мектеп", name_ru="Школа №1", name_en="School 1")
    found = do(identity.organisation, school.id)
    assert [found.name(language) for language in ("kk", "ru", "en", "fr")] == [
        "№1 мектеп",
        "Школа №1",
        "School 1",
        "№1 мектеп",
    ]
    with pytest.raises(NotFound):
        do(identity.organisation, new_id())


def test_schools_are_ones_own_or_with_a_city_wide_role_all(do: Any) -> None:
    city = OrganisationFactory.create(kind="city")
    one = OrganisationFactory.create(name_kk="А")
    two = OrganisationFactory.create(name_kk="Б")
    somebody = new_id()

    def reached(*grants: Any) -> list[Any]:
        return [school.id for school in do(identity.schools, actor=actor_of(somebody, *grants))]

    assert reached((OFFICE, one.id)) == [one.id]
    assert reached((Role.CASHIER, one.id), (Role.PARENT, two.id)) == [one.id, two.id]
    assert reached((Role.AUDITOR, city.id)) == [one.id, two.id]
    assert reached() == []
    assert [school.id for school in do(identity.schools, actor=SYSTEM)] == [one.id, two.id]


@pytest.mark.parametrize(
    ("held", "asked", "passes"),
    [
        ("own", OFFICE, True),
        ("own", Role.CASHIER, False),
        ("other", OFFICE, False),
        ("city", Role.CITY_ADMIN, True),
        ("city", OFFICE, False),
        ("nobody", OFFICE, False),
    ],
)
def test_a_role_is_required_in_the_very_school(do: Any, held: str, asked: Role, passes: bool) -> None:
    school = OrganisationFactory.create()
    grants = {
        "own": [(OFFICE, school.id)],
        "other": [(OFFICE, OrganisationFactory.create().id)],
        "city": [(Role.CITY_ADMIN, OrganisationFactory.create(kind="city").id)],
        "nobody": [],
    }[held]
    who = actor_of(new_id(), *grants)
    if passes:
        do(require_role_in, school.id, asked, actor=who)
    else:
        with pytest.raises(NotFound):
            do(require_role_in, school.id, asked, actor=who)


@pytest.mark.parametrize("kind", ["system", "city-wide"])
def test_even_who_reaches_all_schools_reaches_none_that_there_is_not(do: Any, kind: str) -> None:
    city = OrganisationFactory.create(kind="city")
    who: Actor = SYSTEM if kind == "system" else actor_of(new_id(), (Role.CITY_ADMIN, city.id))
    for id in (new_id(), city.id):
        with pytest.raises(NotFound):
            do(require_role_in, id, Role.CITY_ADMIN, actor=who)


def test_a_device_tells_its_cashier_and_shift(do: Any, app: Flask) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(name="Гүлнар")
    till = DeviceFactory.create(school_id=school.id, cashier_id=cashier.id, name="Касса 1")
    found = do(identity.device_of, till.id)
    assert (found.school_id, found.name, found.cashier_id, found.cashier_name) == (
        school.id,
        "Касса 1",
        cashier.id,
        "Гүлнар",
    )
    with pytest.raises(NotFound):
        do(identity.device_of, new_id())


@pytest.mark.parametrize(
    ("district", "shown"),
    [
        ("Алматы ауданы / район Алматы", {"kk": "Алматы ауданы", "ru": "район Алматы", "en": "Алматы ауданы"}),
        ("Есіл ауданы", {"kk": "Есіл ауданы", "ru": "Есіл ауданы", "en": "Есіл ауданы"}),
        (None, {"kk": "", "ru": "", "en": ""}),
    ],
)
def test_a_district_is_shown_in_the_readers_language(district: str | None, shown: dict[str, str]) -> None:
    place = organisation_facts(OrganisationFactory.build(district=district))
    assert {language: place.district_in(language) for language in shown} == shown
