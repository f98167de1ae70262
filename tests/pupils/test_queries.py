"""What may be looked at, and by whom, on a real PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from schoolmeals import pupils
from schoolmeals.actors import PUBLIC, Actor, Grant, Role, device, person
from schoolmeals.database import db
from schoolmeals.errors import NotFound
from schoolmeals.pupils import AllergenFact
from schoolmeals.pupils.queries import picture
from tests.factories.pupils import (
    LONG_AGO,
    SOME_SCHOOL,
    CardFactory,
    GuardianshipFactory,
    PhotoFactory,
    PupilAllergenFactory,
    PupilFactory,
    SchoolClassFactory,
)

OTHER_SCHOOL = UUID(int=2)
PARENT = UUID(int=70)


def somebody(role: Role, school_id: UUID = SOME_SCHOOL) -> Actor:
    return person(uuid4(), [Grant(role, school_id)])


def readers() -> list[Actor]:
    return [
        somebody(Role.SCHOOL_OFFICE),
        somebody(Role.CASHIER),
        somebody(Role.CITY_ADMIN, uuid4()),
        somebody(Role.AUDITOR, uuid4()),
        device(uuid4(), SOME_SCHOOL),
    ]


def strangers() -> list[Actor]:
    return [
        PUBLIC,
        somebody(Role.SCHOOL_OFFICE, OTHER_SCHOOL),
        somebody(Role.CASHIER, OTHER_SCHOOL),
        somebody(Role.PARENT),
        somebody(Role.SUPPLIER),
        device(uuid4(), OTHER_SCHOOL),
    ]


@pytest.mark.parametrize("actor", readers())
def test_the_school_and_the_city_see_a_pupil_whole(look: Any, actor: Actor) -> None:
    room = SchoolClassFactory.create(name="5 «Ә»")
    child = PupilFactory.create(surname="Әбенов", given_name="Дәулет", class_id=room.id, diet_note="Ұн жемейді")
    PupilAllergenFactory.create(pupil_id=child.id, allergen="nuts", severity="certified")
    PupilAllergenFactory.create(pupil_id=child.id, allergen="milk", severity="wish")
    found = look(pupils.pupil, SOME_SCHOOL, child.id, actor=actor)
    assert (found.name, found.class_name, found.grade) == ("Әбенов Дәулет", "5 «Ә»", 5)
    assert found.allergens == (AllergenFact("milk", "wish"), AllergenFact("nuts", "certified"))
    assert found.diet_note == "Ұн жемейді"


@pytest.mark.parametrize("actor", strangers())
def test_strangers_learn_nothing_of_a_pupil_or_a_roll(look: Any, actor: Actor) -> None:
    child = PupilFactory.create()
    for query, *args in [
        (pupils.pupil, SOME_SCHOOL, child.id),
        (pupils.cards_of, SOME_SCHOOL, child.id),
        (pupils.require_guardian, SOME_SCHOOL, child.id),
        (pupils.pupils_of_school, SOME_SCHOOL),
        (pupils.classes_of_school, SOME_SCHOOL),
    ]:
        with pytest.raises(NotFound):
            look(query, *args, actor=actor)
    assert look(pupils.guardians_of, SOME_SCHOOL, [child.id], actor=actor) == {child.id: []}
    assert look(pupils.my_pupils, actor=actor) == []


def test_a_guardian_sees_their_own_pupils_in_all_schools_and_no_others(look: Any) -> None:
    mine = PupilFactory.create(surname="Бек", class_id=SchoolClassFactory.create(grade=7).id)
    young = PupilFactory.create(
        surname="Яр", class_id=SchoolClassFactory.create(school_id=OTHER_SCHOOL, grade=1).id, school_id=OTHER_SCHOOL
    )
    left = PupilFactory.create(surname="Аба", left_on=LONG_AGO.date())
    ended, others = PupilFactory.create(), PupilFactory.create()
    for child in (mine, young, left):
        GuardianshipFactory.create(school_id=child.school_id, pupil_id=child.id, person_id=PARENT)
    GuardianshipFactory.create(pupil_id=ended.id, person_id=PARENT, ended_at=LONG_AGO)
    GuardianshipFactory.create(pupil_id=others.id, person_id=uuid4())
    parent = person(PARENT, [Grant(Role.PARENT, SOME_SCHOOL)])
    assert [one.surname for one in look(pupils.my_pupils, actor=parent)] == ["Яр", "Бек", "Аба"]
    assert look(pupils.pupil, SOME_SCHOOL, mine.id, actor=parent).surname == "Бек"
    look(pupils.require_guardian, SOME_SCHOOL, mine.id, actor=parent)
    for child in (ended, others):
        with pytest.raises(NotFound):
            look(pupils.pupil, SOME_SCHOOL, child.id, actor=parent)
        with pytest.raises(NotFound):
            look(pupils.require_guardian, SOME_SCHOOL, child.id, actor=parent)
    with pytest.raises(NotFound):
        look(pupils.pupil, OTHER_SCHOOL, mine.id, actor=parent)


def test_the_till_gets_its_facts_in_two_statements_whatever_their_number(look: Any) -> None:
    children = PupilFactory.create_batch(40)
    for number, child in enumerate(children):
        CardFactory.create(pupil_id=child.id, number_hash=number.to_bytes(32, "big"))
    standing, ended = children[:2]
    CardFactory.create(pupil_id=ended.id, number_hash=b"\x07" * 32, replaced_at=LONG_AGO)
    CardFactory.create(pupil_id=standing.id, number_hash=b"\x07" * 32)
    CardFactory.create(pupil_id=ended.id, number_hash=b"\x08" * 32, replaced_at=LONG_AGO)
    CardFactory.create(
        school_id=OTHER_SCHOOL, pupil_id=PupilFactory.create(school_id=OTHER_SCHOOL).id, number_hash=b"\x09" * 32
    )
    statements: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        hashes = [b"\x07" * 32, b"\x08" * 32, b"\x09" * 32, *(n.to_bytes(32, "big") for n in range(30))]
        facts = look(
            pupils.till_facts,
            SOME_SCHOOL,
            number_hashes=hashes,
            pupil_ids=[children[39].id],
            actor=device(uuid4(), SOME_SCHOOL),
        )
        assert len(statements) == 2
        look(pupils.till_facts, SOME_SCHOOL, number_hashes=[], pupil_ids=[], actor=device(uuid4(), SOME_SCHOOL))
        assert len(statements) == 4
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert facts.cards[b"\x07" * 32].pupil_id == standing.id
    assert facts.cards[b"\x08" * 32].replaced_at == LONG_AGO
    assert b"\x09" * 32 not in facts.cards
    assert set(facts.pupils) == {*(child.id for child in children[:30]), children[39].id}


def test_the_roll_is_sorted_by_class_and_by_the_kazakh_alphabet_and_paged(look: Any) -> None:
    office = somebody(Role.SCHOOL_OFFICE)
    fifth, sixth = SchoolClassFactory.create(grade=5, name="5 «Ә»"), SchoolClassFactory.create(grade=6, name="6 «А»")
    earlier = SchoolClassFactory.create(grade=5, name="5 «А»")
    for surname, room in (("Бек", fifth), ("Әли", fifth), ("Аба", sixth), ("Яр", earlier)):
        PupilFactory.create(surname=surname, class_id=room.id)
    PupilFactory.create(surname="Кет", class_id=fifth.id, left_on=LONG_AGO.date())
    page = look(pupils.pupils_of_school, SOME_SCHOOL, actor=office)
    assert [one.surname for one in page.pupils] == ["Яр", "Әли", "Бек", "Аба"]
    second = look(pupils.pupils_of_school, SOME_SCHOOL, page=2, per_page=3, actor=office)
    assert ([one.surname for one in second.pupils], second.total) == (["Аба"], 4)
    left = look(pupils.pupils_of_school, SOME_SCHOOL, left=True, actor=office)
    assert [one.surname for one in left.pupils] == ["Кет"]
    assert [(one.name, one.pupils) for one in look(pupils.classes_of_school, SOME_SCHOOL, actor=office)] == [
        ("5 «А»", 1),
        ("5 «Ә»", 2),
        ("6 «А»", 1),
    ]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("әбе", ["Әбенов"]),
        ("нұр", ["Әбенов", "Нұрлан"]),
        ("әбе нұр", ["Әбенов"]),
        ("бенов", []),
        ("%", ["Әбенов", "Нұрлан"]),
    ],
)
def test_names_are_found_by_their_beginnings_in_any_case(look: Any, search: str, found: list[str]) -> None:
    PupilFactory.create(surname="Әбенов", given_name="Нұрасыл")
    PupilFactory.create(surname="Нұрлан", given_name="Мария")
    page = look(pupils.pupils_of_school, SOME_SCHOOL, search=search, actor=somebody(Role.CASHIER))
    assert [one.surname for one in page.pupils] == found


def test_pupils_without_a_card_that_opens_are_found(look: Any) -> None:
    with_card, blocked, replaced, none = PupilFactory.create_batch(4)
    CardFactory.create(pupil_id=with_card.id)
    CardFactory.create(pupil_id=blocked.id, blocked_at=LONG_AGO, block_reason="lost")
    CardFactory.create(pupil_id=replaced.id, replaced_at=LONG_AGO)
    page = look(pupils.pupils_of_school, SOME_SCHOOL, without_card=True, actor=somebody(Role.SCHOOL_OFFICE))
    assert {one.id for one in page.pupils} == {blocked.id, replaced.id, none.id}


def test_a_photo_is_for_those_who_may_see_the_pupil_and_a_dish_for_the_whole_school(look: Any) -> None:
    face, dish = PhotoFactory.create(), PhotoFactory.create()
    child, other = PupilFactory.create(photo_id=face.id), PupilFactory.create()
    mine, theirs = person(PARENT), person(UUID(int=71))
    GuardianshipFactory.create(pupil_id=child.id, person_id=mine.id)
    GuardianshipFactory.create(pupil_id=other.id, person_id=theirs.id)
    for actor in (*readers(), mine):
        assert look(picture, SOME_SCHOOL, face.id, actor=actor).id == face.id
        assert look(picture, SOME_SCHOOL, dish.id, actor=actor).id == dish.id
    assert look(picture, SOME_SCHOOL, dish.id, actor=theirs).id == dish.id
    for actor, photo in [(theirs, face), *((one, one_photo) for one in strangers() for one_photo in (face, dish))]:
        with pytest.raises(NotFound):
            look(picture, SOME_SCHOOL, photo.id, actor=actor)


def test_pupils_are_counted_by_grade_without_those_who_left_or_are_in_no_class(look: Any) -> None:
    first, ninth = SchoolClassFactory.create(grade=1), SchoolClassFactory.create(grade=9)
    PupilFactory.create(class_id=first.id)
    PupilFactory.create(class_id=first.id)
    PupilFactory.create(class_id=ninth.id)
    PupilFactory.create(class_id=ninth.id, left_on=LONG_AGO.date())
    PupilFactory.create(class_id=None)

    assert look(pupils.pupil_counts, SOME_SCHOOL, actor=PUBLIC) == {1: 2, 9: 1}
