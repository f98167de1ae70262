"""The room's deeds on a real PostgreSQL."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from schoolmeals import identity
from schoolmeals.actors import PUBLIC, SYSTEM, Role, device
from schoolmeals.audit import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Model, Work
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotFound
from schoolmeals.identity.actions.calendar import russian_name
from schoolmeals.identity.actions.devices import (
    close_shift,
    enrol_device,
    new_device,
    open_shift,
    renew_enrolment,
    revoke_device,
    set_pin,
)
from schoolmeals.identity.actions.invitations import Newcomer, accept_invitation, invite, join, withdraw_invitation
from schoolmeals.identity.actions.organisations import edit_organisation
from schoolmeals.identity.actions.profile import change_password
from schoolmeals.identity.actions.sessions import Caller, SignedIn, sign_in
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Device, Organisation, Person, RoleGrant, SignInSession
from schoolmeals.identity.passwords import is_secret
from schoolmeals.ids import new_id
from schoolmeals.keys import token_hash
from schoolmeals.verdicts import Refused
from schoolmeals.workdays import CalendarDay
from tests.factories import session
from tests.factories.identity import (
    DeviceFactory,
    OrganisationFactory,
    PersonFactory,
    SessionFactory,
    actor_of,
)

KEYS = Keyring.of("only-for-tests-only-for-tests-only-for-tests")
CALLER = Caller("203.0.113.7", "a browser", timedelta(days=30))
GOOD = "қой тау көмір жел"
OFFICE = Role.SCHOOL_OFFICE
PUBLIC_KEY = DeviceFactory.build(school_id=new_id()).public_key


def count(model: type[Model], *where: Any) -> int:
    return session().scalar(select(func.count()).select_from(model).where(*where)) or 0


def fresh(model: type[Any], key: Any) -> Any:
    session().expire_all()
    return session().get(model, key)


def actions() -> list[str]:
    """What was recorded, in the order of the alphabet: at one instant ids have no order of their own."""
    return sorted(session().scalars(select(AuditEvent.action)))


# Organisations


def test_a_city_admin_adds_a_school(do: Any) -> None:
    school = do(
        identity.new_organisation,
        kind="school",
        name_kk=" №1 мектеп ",
        name_ru="Школа №1",
        name_en="School 1",
        identifier="940140000385",
        actor=actor_of(new_id(), (Role.CITY_ADMIN, new_id())),
    )
    row = fresh(Organisation, school)
    assert (row.name_kk, row.identifier_scheme, row.identifier) == ("№1 мектеп", "KZ-BIN", "940140000385")
    assert actions() == ["identity.add-organisation"]


def test_nobody_else_adds_a_school(do: Any) -> None:
    for who in (PUBLIC, actor_of(new_id(), (OFFICE, new_id()))):
        with pytest.raises(NotAllowed):
            do(identity.new_organisation, kind="school", name_kk="а", name_ru="а", name_en="a", actor=who)
    assert count(Organisation) == 0


def test_a_school_needs_its_names_and_a_right_bin(do: Any) -> None:
    with pytest.raises(Invalid) as refused:
        do(
            identity.new_organisation,
            kind="school",
            name_kk="",
            name_ru="x" * 301,
            name_en="a",
            identifier="940140000386",
        )
    assert {name: problems[0].code for name, problems in refused.value.fields.items()} == {
        "name_kk": "needed",
        "name_ru": "too-long",
        "identifier": "not-a-bin",
    }
    assert count(Organisation) == 0


def test_two_organisations_do_not_share_a_bin(do: Any) -> None:
    names = {"name_kk": "а", "name_ru": "а", "name_en": "a"}
    do(identity.new_organisation, kind="school", identifier="940140000385", **names)
    with pytest.raises(Conflict) as refused:
        do(identity.new_organisation, kind="school", identifier="940140000385", **names)
    assert refused.value.code == "organisation-known"
    other = do(identity.new_organisation, kind="school", **names)
    with pytest.raises(Conflict):
        do(edit_organisation, other, identifier="940140000385", **names)
    assert count(Organisation) == 2


# People and roles


def test_contacts_are_stored_in_one_way(do: Any) -> None:
    id = do(identity.new_person, name=" Айгүл ", email="Aigul@Example.KZ", phone="8 701 123 45 67", password=GOOD)
    row = fresh(Person, id)
    assert (row.name, row.email, row.phone, row.language) == ("Айгүл", "aigul@example.kz", "+77011234567", "kk")
    assert is_secret(row.password_hash, GOOD)


def test_a_person_needs_a_name_and_a_contact(do: Any) -> None:
    with pytest.raises(Invalid) as refused:
        do(identity.new_person, name=" ", language="fr", password="short")
    assert {name: problems[0].code for name, problems in refused.value.fields.items()} == {
        "name": "needed",
        "email": "contact-needed",
        "password": "password-short",
        "language": "needed",
    }
    assert count(Person) == 0


def test_two_people_do_not_share_a_contact(do: Any) -> None:
    do(identity.new_person, name="Айгүл", email="a@example.kz")
    with pytest.raises(Conflict) as refused:
        do(identity.new_person, name="Ботагөз", email="A@example.kz")
    assert refused.value.code == "contact-taken"
    assert count(Person) == 1


def test_a_role_is_granted_once_and_must_fit(do: Any) -> None:
    school, person = OrganisationFactory.create(), PersonFactory.create()
    for _ in range(2):
        do(identity.grant_role, person.id, Role.CASHIER, school.id)
    assert count(RoleGrant) == 1
    assert actions() == ["identity.grant-role"]
    with pytest.raises(Conflict) as refused:
        do(identity.grant_role, person.id, Role.CITY_ADMIN, school.id)
    assert refused.value.code == "role-does-not-fit"
    with pytest.raises(NotFound):
        do(identity.grant_role, person.id, Role.CASHIER, new_id())
    assert count(RoleGrant) == 1


def test_revoking_ends_sessions_and_closes_the_till(do: Any) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    till = DeviceFactory.create(school_id=school.id, cashier_id=cashier.id)
    SessionFactory.create(token_hash=b"1", person_id=cashier.id)
    office = actor_of(new_id(), (OFFICE, school.id))
    do(identity.revoke_role, cashier.id, Role.CASHIER, school.id, actor=office)
    assert count(RoleGrant, RoleGrant.revoked_at.is_(None)) == 0
    assert count(SignInSession, SignInSession.ended_at.is_(None)) == 0
    assert fresh(Device, till.id).cashier_id is None
    assert actions() == ["identity.end-sessions", "identity.revoke-role"]
    do(identity.grant_role, cashier.id, Role.CASHIER, school.id)
    assert count(RoleGrant) == 2


def test_nobody_revokes_out_of_reach_or_their_own(do: Any) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    clerk = PersonFactory.create(roles=[(OFFICE, school.id)])
    with pytest.raises(NotFound):
        do(identity.revoke_role, clerk.id, OFFICE, school.id, actor=actor_of(new_id(), (OFFICE, other.id)))
    with pytest.raises(NotAllowed) as refused:
        do(identity.revoke_role, clerk.id, OFFICE, school.id, actor=actor_of(clerk.id, (OFFICE, school.id)))
    assert refused.value.code == "own-role"
    with pytest.raises(NotFound):
        do(identity.revoke_role, clerk.id, Role.CASHIER, school.id)
    assert count(RoleGrant, RoleGrant.revoked_at.is_(None)) == 1


# Invitations


def newcomer(**changes: str) -> Newcomer:
    told = {"name": "Гүлнар", "contact": "8 701 000 00 01", "password": GOOD, "language": "kk"}
    return Newcomer(**(told | changes))


def test_an_invited_person_joins_with_the_role(do: Any) -> None:
    school = OrganisationFactory.create()
    office = actor_of(new_id(), (OFFICE, school.id))
    _, code = do(invite, school.id, Role.CASHIER, "Гүлнар", keys=KEYS, actor=office)
    signed = do(join, f" {code[:5].lower()}-{code[5:]} ", newcomer(), keys=KEYS, caller=CALLER, actor=PUBLIC)
    assert isinstance(signed, SignedIn)
    row = fresh(Person, signed.person_id)
    assert (row.name, row.phone) == ("Гүлнар", "+77010000001")
    grant = session().scalars(select(RoleGrant)).one()
    assert (grant.person_id, grant.role, grant.organisation_id) == (signed.person_id, "cashier", school.id)
    again = do(join, code, newcomer(contact="b@example.kz"), keys=KEYS, caller=CALLER, actor=PUBLIC)
    assert isinstance(again, Refused)
    assert again.code == "wrong-code"
    assert count(Person) == 1


def test_a_code_stays_good_when_the_rest_was_wrong(do: Any) -> None:
    school = OrganisationFactory.create()
    _, code = do(invite, school.id, Role.CASHIER, "Гүлнар", keys=KEYS)
    for changes in ({"contact": "nobody"}, {"password": "short"}, {"name": ""}):
        with pytest.raises(Invalid):
            do(join, code, newcomer(**changes), keys=KEYS, caller=CALLER, actor=PUBLIC)
    assert count(Person) == 0
    assert isinstance(do(join, code, newcomer(), keys=KEYS, caller=CALLER, actor=PUBLIC), SignedIn)


def test_somebody_who_is_there_already_takes_one_more_role(do: Any) -> None:
    school, person = OrganisationFactory.create(), PersonFactory.create()
    _, code = do(invite, school.id, OFFICE, person.name, keys=KEYS)
    assert do(accept_invitation, code, keys=KEYS, address="203.0.113.7", actor=actor_of(person.id)) is None
    assert session().scalars(select(RoleGrant.role)).one() == "school-office"


@pytest.mark.parametrize("fate", ["withdrawn", "expired"])
def test_a_code_that_is_withdrawn_or_too_old_is_worthless(do: Any, clock: MovableClock, fate: str) -> None:
    school = OrganisationFactory.create()
    id, code = do(invite, school.id, Role.CASHIER, "Гүлнар", keys=KEYS)
    if fate == "withdrawn":
        do(withdraw_invitation, school.id, id)
    else:
        clock.move(timedelta(days=7))
    refused = do(join, code, newcomer(), keys=KEYS, caller=CALLER, actor=PUBLIC)
    assert isinstance(refused, Refused)
    assert refused.code == "wrong-code"
    assert count(Person) == 0


def test_an_office_invites_into_its_own_school_only(do: Any) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    city = OrganisationFactory.create(kind="city")
    office = actor_of(new_id(), (OFFICE, school.id))
    for place in (other.id, city.id, new_id()):
        with pytest.raises(NotFound):
            do(invite, place, Role.CASHIER, "Гүлнар", keys=KEYS, actor=office)
    for role in (Role.CITY_ADMIN, Role.AUDITOR, Role.PARENT, Role.COMMISSION_MEMBER):
        with pytest.raises(Invalid) as refused:
            do(invite, school.id, role, "Гүлнар", keys=KEYS, actor=office)
        assert refused.value.fields["role"][0].code == "not-yours-to-give"
    assert actions() == []


def test_codes_cannot_be_guessed_at_will(do: Any) -> None:
    outcomes = [do(join, "0000000000", newcomer(), keys=KEYS, caller=CALLER, actor=PUBLIC) for _ in range(12)]
    assert [outcome.code for outcome in outcomes] == ["wrong-code"] * 10 + ["too-many-attempts"] * 2


# Tills


def test_a_device_is_enrolled_once_with_its_code(do: Any) -> None:
    school = OrganisationFactory.create()
    office = actor_of(new_id(), (OFFICE, school.id))
    id, code = do(new_device, school.id, " Касса 1 ", keys=KEYS, actor=office)
    enrolled = do(enrol_device, keys=KEYS, code=code, public_key=PUBLIC_KEY, address="1", actor=PUBLIC)
    assert (enrolled.device_id, enrolled.school_id, enrolled.name) == (id, school.id, "Касса 1")
    row = fresh(Device, id)
    assert (row.public_key, row.token_hash) == (PUBLIC_KEY, token_hash(enrolled.token))
    again = do(enrol_device, keys=KEYS, code=code, public_key=PUBLIC_KEY, address="1", actor=PUBLIC)
    assert again.code == "wrong-code"
    assert actions() == ["identity.add-device", "identity.enrol-device", "identity.refuse-enrolment"]


def test_an_enrolment_code_is_good_for_fifteen_minutes(do: Any, clock: MovableClock) -> None:
    school = OrganisationFactory.create()
    id, code = do(new_device, school.id, "Касса", keys=KEYS)
    clock.move(timedelta(minutes=15))
    late = do(enrol_device, keys=KEYS, code=code, public_key=PUBLIC_KEY, address="1", actor=PUBLIC)
    assert late.code == "wrong-code"
    fresh_code = do(renew_enrolment, school.id, id, keys=KEYS)
    assert (
        do(enrol_device, keys=KEYS, code=fresh_code, public_key=PUBLIC_KEY, address="1", actor=PUBLIC).device_id == id
    )


def test_a_device_with_another_key_is_refused(do: Any) -> None:
    with pytest.raises(Invalid):
        do(enrol_device, keys=KEYS, code="x", public_key=b"another", address="1", actor=PUBLIC)


def test_tills_are_the_business_of_their_own_school(do: Any) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    till = DeviceFactory.create(school_id=school.id)
    stranger = actor_of(new_id(), (OFFICE, other.id))
    with pytest.raises(NotFound):
        do(new_device, school.id, "Касса", keys=KEYS, actor=stranger)
    with pytest.raises(NotFound):
        do(revoke_device, school.id, till.id, actor=stranger)
    with pytest.raises(NotFound):
        do(revoke_device, other.id, till.id, actor=stranger)
    assert fresh(Device, till.id).revoked_at is None
    assert count(Device) == 1


def test_a_cashier_opens_and_closes_the_till(do: Any, clock: MovableClock) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    till = DeviceFactory.create(school_id=school.id)
    actor = device(till.id, school.id)
    do(set_pin, school.id, cashier.id, "2580", actor=actor_of(cashier.id, (Role.CASHIER, school.id)))
    wrong = do(open_shift, cashier.id, "2581", keys=KEYS, actor=actor)
    assert wrong.code == "wrong-pin"
    assert fresh(Device, till.id).cashier_id is None
    assert do(open_shift, cashier.id, "2580", keys=KEYS, actor=actor) is None
    row = fresh(Device, till.id)
    assert (row.cashier_id, row.shift_opened_at) == (cashier.id, clock())
    do(close_shift, actor=actor)
    assert fresh(Device, till.id).cashier_id is None
    assert actions() == [
        "identity.close-shift",
        "identity.open-shift",
        "identity.refuse-shift",
        "identity.set-pin",
    ]


def test_a_pin_is_no_use_after_the_role_or_in_another_school(do: Any) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    do(set_pin, school.id, cashier.id, "2580")
    elsewhere = DeviceFactory.create(school_id=other.id)
    there = device(elsewhere.id, other.id)
    assert do(open_shift, cashier.id, "2580", keys=KEYS, actor=there).code == "wrong-pin"
    do(identity.revoke_role, cashier.id, Role.CASHIER, school.id)
    here = DeviceFactory.create(school_id=school.id)
    assert do(open_shift, cashier.id, "2580", keys=KEYS, actor=device(here.id, school.id)).code == "wrong-pin"


def test_pins_cannot_be_guessed_at_will(do: Any) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    till = DeviceFactory.create(school_id=school.id)
    do(set_pin, school.id, cashier.id, "2580")
    actor = device(till.id, school.id)
    codes = [do(open_shift, cashier.id, f"900{n}", keys=KEYS, actor=actor).code for n in range(6)]
    assert codes == ["wrong-pin"] * 5 + ["too-many-attempts"]
    assert do(open_shift, cashier.id, "2580", keys=KEYS, actor=actor).code == "too-many-attempts"
    assert fresh(Device, till.id).cashier_id is None


def test_only_a_device_opens_a_shift_and_only_a_cashier_gets_a_pin(do: Any) -> None:
    school = OrganisationFactory.create()
    parent = PersonFactory.create(roles=[(Role.PARENT, school.id)])
    with pytest.raises(NotAllowed):
        do(open_shift, parent.id, "2580", keys=KEYS, actor=SYSTEM)
    with pytest.raises(NotFound):
        do(set_pin, school.id, parent.id, "2580")
    with pytest.raises(NotFound):
        do(set_pin, school.id, parent.id, "2580", actor=actor_of(parent.id, (Role.PARENT, school.id)))


# Calendar


def test_the_countrys_holidays_come_in_three_languages(do: Any, app: Flask) -> None:
    school = OrganisationFactory.create()
    added = do(identity.seed_calendar, [2026])
    assert added > 15
    assert do(identity.seed_calendar, [2026]) == 0
    calendar = do(identity.calendar_of, school.id)
    assert not calendar.is_school_day(date(2026, 12, 16))
    assert calendar.is_school_day(date(2026, 12, 17))
    assert not calendar.is_school_day(date(2026, 12, 19))


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        ("Republic Day", "День Республики"),
        ("Republic Day (observed)", "День Республики (перенос)"),
        ("Eid al-Adha (estimated)", "Курбан айт (дата уточняется)"),
        ("Day off (substituted from 01/05/2025)", "выходной день (перенос)"),
        ("Something new", "Something new"),
    ],
)
def test_holidays_have_russian_names(english: str, russian: str) -> None:
    assert russian_name(english) == russian


def test_every_holiday_of_six_years_has_a_russian_name(do: Any, app: Flask) -> None:
    do(identity.seed_calendar, range(2024, 2030))
    latin = [name for name in session().scalars(select(CalendarDay.name_ru)) if name.isascii()]
    assert latin == []


def test_a_school_says_what_its_days_are(do: Any) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    office = actor_of(new_id(), (OFFICE, school.id))
    names = {"name_kk": "Күзгі каникул", "name_ru": "Осенние каникулы", "name_en": "Autumn break"}
    days = [date(2026, 11, 24), date(2026, 11, 25)]
    do(identity.edit_calendar, school.id, days, nature="break", **names, actor=office)
    do(identity.edit_calendar, school.id, [date(2026, 11, 28)], nature="school-day", **names, actor=office)
    calendar = do(identity.calendar_of, school.id)
    assert calendar.school_days(date(2026, 11, 23), date(2026, 11, 29)) == [
        date(2026, 11, 23),
        date(2026, 11, 26),
        date(2026, 11, 27),
        date(2026, 11, 28),
    ]
    assert do(identity.calendar_of, other.id).is_school_day(date(2026, 11, 24))
    do(identity.clear_calendar_day, school.id, date(2026, 11, 24), actor=office)
    assert do(identity.calendar_of, school.id).is_school_day(date(2026, 11, 24))
    do(identity.set_school_week, school.id, 6, actor=office)
    assert do(identity.calendar_of, school.id).is_school_day(date(2026, 12, 5))


def test_a_calendar_is_edited_by_its_own_office_and_whole(do: Any) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    names = {"name_kk": "а", "name_ru": "а", "name_en": "a"}
    day = [date(2026, 11, 24)]
    stranger = actor_of(new_id(), (OFFICE, other.id))
    with pytest.raises(NotFound):
        do(identity.edit_calendar, school.id, day, nature="break", **names, actor=stranger)
    with pytest.raises(Invalid) as refused:
        do(identity.edit_calendar, school.id, [], nature="party", name_kk="", name_ru="а", name_en="a")
    assert sorted(refused.value.fields) == ["last", "name_kk", "nature"]
    with pytest.raises(NotFound):
        do(identity.clear_calendar_day, school.id, day[0])
    assert do(identity.calendar_of, school.id).is_school_day(day[0])


# Passwords


def test_a_new_password_ends_all_other_sessions(do: Any) -> None:
    id: UUID = do(identity.new_person, name="Айгүл", email="a@example.kz", password=GOOD)
    kept = SessionFactory.create(token_hash=b"1", person_id=id)
    SessionFactory.create(token_hash=b"2", person_id=id)
    me = actor_of(id)
    wrong = do(change_password, old="no", new="correct horse battery", keys=KEYS, session_id=kept.id, actor=me)
    assert wrong.code == "wrong-password"
    assert count(SignInSession, SignInSession.ended_at.is_(None)) == 2
    with pytest.raises(Invalid):
        do(change_password, old=GOOD, new="short", keys=KEYS, session_id=kept.id, actor=me)
    assert do(change_password, old=GOOD, new="correct horse battery", keys=KEYS, session_id=kept.id, actor=me) is None
    assert [row.id for row in session().scalars(select(SignInSession).where(SignInSession.ended_at.is_(None)))] == [
        kept.id
    ]
    assert is_secret(fresh(Person, id).password_hash, "correct horse battery")


def test_a_refused_attempt_leaves_a_count_only(do: Any) -> None:
    def guess(work: Work) -> Any:
        return sign_in(work, KEYS, contact="nobody@example.kz", password="x", caller=CALLER)

    assert do(guess, actor=PUBLIC).code == "wrong-password"
    assert actions() == ["identity.refuse-sign-in"]
    assert count(SignInSession) == 0
