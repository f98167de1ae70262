"""A forgotten password: the way back in, and what it must not tell or open."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from schoolmeals import identity
from schoolmeals.actors import PUBLIC, Role
from schoolmeals.audit import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Invalid, NotAllowed
from schoolmeals.identity import resets
from schoolmeals.identity.actions.mending import give_password_code, reset_second_factor
from schoolmeals.identity.actions.new_password import ask_new_password, set_new_password
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import PasswordReset, Person, RecoveryCode, SignInSession
from schoolmeals.identity.passwords import is_secret
from schoolmeals.identity.views import new_password as views
from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from schoolmeals.mail import Letter, words_of
from schoolmeals.verdicts import Refused
from schoolmeals.worker import run_worker
from tests.factories import saved, session
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of, signed_in

KEYS = Keyring.of("only-for-tests-only-for-tests-only-for-tests")
GOOD = "қой тау көмір жел"
NEW = "бұлт қасық терезе он"
HERE = "203.0.113.7"
NEVER_THE_SAME = re.compile(r'<code>[0-9a-f]{16}</code>|name="csrf_token" value="[^"]+"')
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def post(client: FlaskClient, page: str, path: str | None = None, **form: str) -> Any:
    """Send a form with the token of ``page``, to ``path`` or to the page itself."""
    found = TOKEN.search(client.get(page).get_data(as_text=True))
    assert found is not None
    return client.post(path or page, data={"csrf_token": found[1], **form})


def password_of(person_id: UUID) -> str | None:
    session().expire_all()
    return session().get_one(Person, person_id).password_hash


def letters() -> list[Any]:
    session().expire_all()
    return [words_of(one, KEYS.letters) for one in session().scalars(select(Letter).order_by(Letter.promised_at))]


def code_in_letter() -> str:
    """The code in the link of the one letter there is."""
    (words,) = letters()
    return str(words.params["address"]).partition("?code=")[2]


@pytest.fixture
def aigul(do: Any) -> UUID:
    """Somebody with a password, who forgot it."""
    id: UUID = do(identity.new_person, name="Айгүл", email="a@example.kz", phone="+77010000001", password=GOOD)
    session().execute(update(Person).values(language="en"))
    return id


@pytest.fixture
def code(do: Any, aigul: UUID) -> str:
    """A code that the office has given her."""
    found: str = do(give_password_code, KEYS, aigul)
    return found


@pytest.mark.parametrize("contact", ["a@example.kz", "8 701 000 00 01"])
def test_a_letter_brings_somebody_back_in(app: Flask, client: FlaskClient, aigul: UUID, contact: str) -> None:
    old = signed_in(app, aigul)
    answer = post(client, "/sign-in/forgotten", contact=contact)
    assert answer.status_code == 200
    run_worker(app, wait=False)
    link = re.search(r'href="http://localhost(/sign-in/new-password\?code=[0-9A-Z]{30})"', page_of_letters(client))
    assert link is not None
    answer = post(client, link[1].replace("&amp;", "&"), "/sign-in/new-password", code=code_of(link[1]), new=NEW)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert is_secret(password_of(aigul), NEW)
    assert old.get("/me").status_code == 303
    assert post(client, "/sign-in", contact="a@example.kz", password=NEW).location == "/"


def page_of_letters(client: FlaskClient) -> str:
    return client.get("/letters").get_data(as_text=True)


def code_of(link: str) -> str:
    return link.partition("?code=")[2]


def told(client: FlaskClient, contact: str) -> tuple[Any, ...]:
    """All that somebody who asks with ``contact`` can see of it, and what it leaves behind, without what was typed."""
    answer = post(client, "/sign-in/forgotten", contact=contact)
    shown = answer.get_data(as_text=True).replace(contact, "CONTACT")
    rows = session().execute(
        text(
            "SELECT person_id, code_hash, used_at, length(contact_sealed) FROM password_reset ORDER BY id DESC LIMIT 1"
        )
    )
    jobs = session().execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    session().execute(text("DELETE FROM procrastinate_jobs"))
    return answer.status_code, NEVER_THE_SAME.sub("", shown), [tuple(row) for row in rows], jobs


def test_the_answer_is_the_same_for_strangers(client: FlaskClient, aigul: UUID) -> None:
    assert told(client, "a@example.kz") == told(client, "b@example.kz")


@pytest.mark.parametrize("bug", ["the page says so", "nothing is asked of the worker"])
def test_a_planted_difference_is_seen(
    client: FlaskClient, aigul: UUID, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    def look_first(work: Work, keys: Keyring, *, contact: str, address: str) -> Refused | None:
        is_known = work.session.scalar(select(Person.id).where(Person.email == contact)) is not None
        if not is_known:
            return Refused("unknown", "Nobody signs in with this.") if bug == "the page says so" else None
        return ask_new_password(work, keys, contact=contact, address=address)

    monkeypatch.setattr(views, "ask_new_password", look_first)
    assert told(client, "a@example.kz") != told(client, "b@example.kz")


def test_strangers_get_no_letter(app: Flask, do: Any, aigul: UUID) -> None:
    for contact in ("b@example.kz", "+77010000002"):
        do(ask_new_password, KEYS, contact=contact, address=HERE, actor=PUBLIC)
    run_worker(app, wait=False)
    assert letters() == []


def test_asking_costs_no_look_at_people(do: Any, aigul: UUID, count_statements: Any) -> None:
    """Known and unknown take the same statements, so they take the same time."""
    counts = []
    for contact in ("a@example.kz", "b@example.kz"):

        def ask(work: Work, contact: str = contact) -> None:
            with count_statements(work.session) as counted:
                assert ask_new_password(work, KEYS, contact=contact, address=HERE) is None
            counts.append(counted.count)

        do(ask, actor=PUBLIC)
    assert counts[0] == counts[1]


def test_one_asks_three_times_an_hour(do: Any, aigul: UUID) -> None:
    for _ in range(3):
        assert do(ask_new_password, KEYS, contact="a@example.kz", address=HERE, actor=PUBLIC) is None
    refused = do(ask_new_password, KEYS, contact="a@example.kz", address="198.51.100.1", actor=PUBLIC)
    assert isinstance(refused, Refused)
    assert refused.code == "too-many-attempts"
    assert do(ask_new_password, KEYS, contact="b@example.kz", address=HERE, actor=PUBLIC) is None


def test_only_what_can_be_a_contact_is_asked_for(client: FlaskClient) -> None:
    answer = post(client, "/sign-in/forgotten", contact="nobody")
    assert answer.status_code == 422
    assert 'id="f-contact-error"' in answer.get_data(as_text=True)
    assert session().scalars(select(PasswordReset)).all() == []


def test_what_was_typed_is_sealed_and_then_gone(app: Flask, do: Any, aigul: UUID) -> None:
    do(ask_new_password, KEYS, contact="a@example.kz", address=HERE, actor=PUBLIC)
    reset = session().scalars(select(PasswordReset)).one()
    assert reset.contact_sealed is not None
    assert b"example" not in reset.contact_sealed
    run_worker(app, wait=False)
    session().expire_all()
    reset = session().scalars(select(PasswordReset)).one()
    assert (reset.contact_sealed, reset.person_id) == (None, aigul)
    assert reset.code_hash == KEYS.code_hash("password-reset", code_in_letter())


def test_without_a_mail_server_the_page_leads_to_the_office(
    client: FlaskClient, with_settings: Callable[..., None]
) -> None:
    with_settings(demo=False)
    page = client.get("/sign-in/forgotten").get_data(as_text=True)
    assert 'name="contact"' not in page
    assert "/sign-in/new-password" in page


def test_a_code_opens_once(do: Any, aigul: UUID, code: str) -> None:
    assert do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC) is None
    refused = do(set_new_password, KEYS, code=code, new=GOOD, address=HERE, actor=PUBLIC)
    assert isinstance(refused, Refused)
    assert refused.code == "wrong-code"
    assert is_secret(password_of(aigul), NEW)


def both_use_it(app: Flask, at_once: Callable[..., list[Any]], code: str, clock: MovableClock) -> list[Any]:
    def use(new: str) -> Callable[[], Any]:
        def deed() -> Any:
            with transaction(PUBLIC, clock()) as work:
                return set_new_password(work, KEYS, code=code, new=new, address=new)

        return deed

    return sorted("used" if one is None else one.code for one in at_once(use(NEW), use(GOOD)))


def test_a_code_opens_for_one_of_two_who_come_at_once(
    app: Flask, at_once: Callable[..., list[Any]], aigul: UUID, code: str, clock: MovableClock
) -> None:
    assert both_use_it(app, at_once, code, clock) == ["used", "wrong-code"]


def test_without_its_lock_it_opens_for_both(
    app: Flask,
    at_once: Callable[..., list[Any]],
    aigul: UUID,
    code: str,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The planted bug of the test above: both look before either has written."""
    meeting = Barrier(2)

    def look_only(work: Work, code_hash: bytes) -> PasswordReset | None:
        found = work.session.scalar(select(PasswordReset).where(PasswordReset.code_hash == code_hash))
        meeting.wait(timeout=20)
        return found

    monkeypatch.setattr(resets, "lock_standing", look_only)
    assert both_use_it(app, at_once, code, clock) == ["used", "used"]


@pytest.mark.parametrize(("by", "lasts"), [("letter", timedelta(minutes=30)), ("office", timedelta(hours=24))])
def test_a_code_expires(app: Flask, do: Any, clock: MovableClock, aigul: UUID, by: str, lasts: timedelta) -> None:
    if by == "office":
        code = do(give_password_code, KEYS, aigul)
    else:
        do(ask_new_password, KEYS, contact="a@example.kz", address=HERE, actor=PUBLIC)
        run_worker(app, wait=False)
        code = code_in_letter()
    clock.move(lasts)
    refused = do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC)
    assert isinstance(refused, Refused)
    assert is_secret(password_of(aigul), GOOD)


def test_only_the_latest_code_opens(do: Any, aigul: UUID, code: str) -> None:
    later = do(give_password_code, KEYS, aigul)
    assert isinstance(do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC), Refused)
    assert do(set_new_password, KEYS, code=later, new=NEW, address=HERE, actor=PUBLIC) is None


def test_a_password_that_is_too_easy_leaves_the_code_good(do: Any, aigul: UUID, code: str) -> None:
    with pytest.raises(Invalid):
        do(set_new_password, KEYS, code=code, new="Айгүл12345678", address=HERE, actor=PUBLIC)
    assert do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC) is None


def test_codes_cannot_be_guessed_for_long(do: Any, aigul: UUID, code: str) -> None:
    for _ in range(10):
        do(set_new_password, KEYS, code="0000000000", new=NEW, address=HERE, actor=PUBLIC)
    refused = do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC)
    assert isinstance(refused, Refused)
    assert refused.code == "too-many-attempts"
    assert is_secret(password_of(aigul), GOOD)


def test_the_second_factor_is_asked_for_as_ever(client: FlaskClient, do: Any, aigul: UUID, code: str) -> None:
    secret = pyotp.random_base32()
    person = session().get_one(Person, aigul)
    person.totp_secret_sealed = seal(KEYS.totp, secret.encode(), aigul.bytes)
    person.totp_confirmed_at = person.created_at
    saved(person)
    do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC)
    answer = post(client, "/sign-in", contact="a@example.kz", password=NEW)
    assert answer.location == "/sign-in/code"
    assert client.get("/me").status_code == 303


def test_it_is_all_written_down_and_the_person_is_told(do: Any, aigul: UUID, code: str) -> None:
    do(set_new_password, KEYS, code=code, new=NEW, address=HERE, actor=PUBLIC)
    told = set(session().scalars(select(AuditEvent.action)))
    assert {"identity.give-password-code", "identity.set-new-password", "identity.end-sessions"} <= told
    assert {words.subject for words in letters()} == {
        "You were given a code for a new password",
        "Your password was changed",
    }


# The office


def test_an_office_helps_only_those_who_are_all_its_own(do: Any) -> None:
    here, there = OrganisationFactory.create().id, OrganisationFactory.create().id
    office = actor_of(PersonFactory.create().id, (Role.SCHOOL_OFFICE, here))
    cashier = PersonFactory.create(roles=[(Role.CASHIER, here), (Role.PARENT, here)]).id
    parent_of_two = PersonFactory.create(roles=[(Role.PARENT, here), (Role.PARENT, there)]).id
    officer = PersonFactory.create(roles=[(Role.PROCUREMENT_OFFICER, here)]).id
    nobody = PersonFactory.create().id
    assert do(give_password_code, KEYS, cashier, actor=office)
    for person_id in (parent_of_two, officer, nobody, office.id):
        with pytest.raises(NotAllowed):
            do(give_password_code, KEYS, person_id, actor=office)
        with pytest.raises(NotAllowed):
            do(reset_second_factor, KEYS, person_id, actor=office)
    assert session().scalars(select(PasswordReset.person_id)).all() == [cashier]
    admin = actor_of(new_id(), (Role.CITY_ADMIN, new_id()))
    assert do(give_password_code, KEYS, parent_of_two, actor=admin)


def test_the_office_prints_a_code_that_works(app: Flask, client: FlaskClient, do: Any) -> None:
    school = OrganisationFactory.create().id
    cashier = PersonFactory.create(name="Болат", email=None, phone="+77010000009", roles=[(Role.CASHIER, school)]).id
    office = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school)]).id)
    page = f"/people/{school}/members/{cashier}/way-in"
    answer = post(office, page, f"{page}/code")
    shown = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", answer.get_data(as_text=True))
    assert shown is not None
    answer = post(client, "/sign-in/new-password", code=shown[1].lower(), new=NEW)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert is_secret(password_of(cashier), NEW)


def test_a_removed_second_factor_ends_all_sessions(app: Flask, do: Any, aigul: UUID) -> None:
    browser = signed_in(app, aigul)
    do(reset_second_factor, KEYS, aigul)
    assert browser.get("/me").status_code == 303
    assert session().scalars(select(RecoveryCode)).all() == []
    assert all(one.ended_at is not None for one in session().scalars(select(SignInSession)))
