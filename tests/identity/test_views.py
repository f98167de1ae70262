"""The room's doors, as browsers and programs meet them."""

import base64
import re
import statistics
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, update
from werkzeug.test import TestResponse

from schoolmeals import identity
from schoolmeals.actors import ActorKind, Role
from schoolmeals.app import create_app
from schoolmeals.clock import MovableClock
from schoolmeals.config import Settings
from schoolmeals.database import db
from schoolmeals.identity import visitors
from schoolmeals.identity.actions import second_factor, sessions
from schoolmeals.identity.models import Attempts, Device, Organisation, Person, RoleGrant, SignInSession
from schoolmeals.identity.passwords import is_secret
from schoolmeals.identity.rules import totp_step
from schoolmeals.ids import new_id
from schoolmeals.web import actor
from tests.factories import saved, session
from tests.factories.identity import (
    DeviceFactory,
    OrganisationFactory,
    PersonFactory,
    signed_in,
    signed_in_till,
    till_signature,
    till_token,
)

GOOD = "қой тау көмір жел"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def post(client: FlaskClient, path: str, page: str | None = None, **form: Any) -> TestResponse:
    """Send a form as a browser does: with the token of the page that it stands on."""
    found = TOKEN.search(client.get(page or path).get_data(as_text=True))
    assert found is not None
    return client.post(path, data={"csrf_token": found[1], **form})


def count(model: Any, *where: Any) -> int:
    return session().scalar(select(func.count()).select_from(model).where(*where)) or 0


@pytest.fixture
def aigul(do: Any) -> UUID:
    """Somebody with a password."""
    id: UUID = do(identity.new_person, name="Айгүл", email="a@example.kz", phone="+77010000001", password=GOOD)
    session().execute(update(Person).values(language="en"))
    return id


def with_totp(client: FlaskClient) -> str:
    """Set an authenticator app up for whoever is signed in: its secret."""
    post(client, "/me/second-factor")
    page = client.get("/me/second-factor").get_data(as_text=True)
    assert "<svg" in page
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret is not None
    return secret[1]


# Signing in


@pytest.mark.parametrize("contact", ["a@example.kz", "A@Example.kz ", "8 701 000 00 01"])
def test_one_signs_in_by_email_or_phone(client: FlaskClient, aigul: UUID, contact: str) -> None:
    answer = post(client, "/sign-in", contact=contact, password=GOOD, next="/me")
    assert (answer.status_code, answer.location) == (303, "/me")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("session="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert "Айгүл" in client.get("/me").get_data(as_text=True)


def test_over_https_the_cookie_is_bound_to_the_host(settings: Settings, app: Flask, aigul: UUID) -> None:
    secure = create_app(replace(settings, base_url="https://meals.example.kz"), clock=lambda: app_clock(app))
    client = secure.test_client()
    with secure.app_context():
        page = client.get("/sign-in", base_url="https://meals.example.kz").get_data(as_text=True)
        form = {"contact": "a@example.kz", "password": GOOD, "csrf_token": TOKEN.search(page)[1]}  # type: ignore[index]
        headers = {"Referer": "https://meals.example.kz/sign-in"}
        answer = client.post("/sign-in", data=form, base_url="https://meals.example.kz", headers=headers)
        db.engine.dispose()
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-session="))
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "Domain" not in cookie


def app_clock(app: Flask) -> Any:
    return app.extensions["schoolmeals"].clock()


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(client: FlaskClient, aigul: UUID, target: str) -> None:
    assert post(client, "/sign-in", contact="a@example.kz", password=GOOD, next=target).location == "/"


def test_wrong_and_unknown_are_answered_alike(client: FlaskClient, aigul: UUID) -> None:
    answers = []
    for contact, password in (("a@example.kz", "wrong"), ("b@example.kz", "wrong"), ("nonsense", "wrong")):
        answer = post(client, "/sign-in", contact=contact, password=password)
        page = answer.get_data(as_text=True).replace(contact, "CONTACT")
        answers.append((answer.status_code, re.sub(r'value="[^"]{60,}"|data-csrf="[^"]+"|<code>\w+</code>', "", page)))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 422
    assert 'value="CONTACT"' in answers[0][1]
    assert count(SignInSession) == 0


def test_wrong_and_unknown_take_equally_long(do: Any, aigul: UUID) -> None:
    keys = identity.Keyring.of("timing")
    medians = []
    for contact in ("a@example.kz", "b@example.kz"):
        times = []
        for n in range(11):
            caller = sessions.Caller(f"203.0.113.{n}", "", timedelta(days=1))
            started = time.process_time()
            do(sessions.sign_in, keys, contact=contact, password="wrong", caller=caller)
            times.append(time.process_time() - started)
        medians.append(statistics.median(times))
    assert abs(medians[0] - medians[1]) < 0.25 * max(medians)


def test_without_the_second_look_the_difference_shows(do: Any, aigul: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    right = is_secret
    monkeypatch.setattr(sessions, "is_secret", lambda stored, given: stored is not None and right(stored, given))
    with pytest.raises(AssertionError):
        test_wrong_and_unknown_take_equally_long(do, aigul)


def test_after_five_wrong_passwords_even_the_right_one_waits(
    client: FlaskClient, aigul: UUID, clock: MovableClock
) -> None:
    codes = [post(client, "/sign-in", contact="a@example.kz", password="wrong").status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]
    blocked = post(client, "/sign-in", contact="a@example.kz", password=GOOD)
    assert (blocked.status_code, blocked.headers["Retry-After"]) == (429, "61")
    clock.move(timedelta(minutes=1))
    assert post(client, "/sign-in", contact="a@example.kz", password=GOOD).status_code == 303
    assert post(client, "/sign-in", contact="a@example.kz", password="wrong").status_code == 422


def test_a_hundred_guesses_are_few(do: Any, aigul: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "is_secret", lambda *_args: False)
    caller = sessions.Caller("203.0.113.1", "", timedelta(days=1))
    keys = identity.Keyring.of("guesses")
    codes = [
        do(sessions.sign_in, keys, contact="a@example.kz", password=f"guess {n}", caller=caller).code
        for n in range(100)
    ]
    assert codes == ["wrong-password"] * 5 + ["too-many-attempts"] * 95


def test_without_the_count_a_hundred_guesses_are_a_hundred(
    do: Any, aigul: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_count_sign_in", lambda *_args: None)
    with pytest.raises(AssertionError):
        test_a_hundred_guesses_are_few(do, aigul, monkeypatch)


def test_the_database_does_not_say_who_tried(client: FlaskClient, aigul: UUID) -> None:
    post(client, "/sign-in", contact="a@example.kz", password="wrong")
    assert count(Attempts) == 3
    assert all(b"example" not in key for key in session().scalars(select(Attempts.key)))


# Second factor


def test_a_totp_code_opens_once(app: Flask, client: FlaskClient, aigul: UUID, clock: MovableClock) -> None:
    totp = pyotp.TOTP(with_totp(signed := signed_in(app, aigul)))
    page = post(signed, "/me/second-factor/confirm", "/me/second-factor", code=totp.at(clock())).get_data(as_text=True)
    recovery = re.findall(r"<code>(\w{5}-\w{5})</code>", page)
    assert len(recovery) == 10
    assert replay(client, totp.at(clock())).status_code == 422
    clock.move(timedelta(seconds=30))
    code = totp.at(clock())
    assert replay(client, code).status_code == 303
    assert replay(app.test_client(), code).status_code == 422
    assert replay(app.test_client(), recovery[0]).status_code == 303
    assert replay(app.test_client(), recovery[0]).status_code == 422


def replay(client: FlaskClient, code: str) -> TestResponse:
    first = post(client, "/sign-in", contact="a@example.kz", password=GOOD)
    assert first.location == "/sign-in/code"
    assert client.get("/me").status_code == 303
    return post(client, "/sign-in/code", code=code)


def test_without_the_last_step_a_code_opens_twice(
    app: Flask, client: FlaskClient, aigul: UUID, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = totp_step
    monkeypatch.setattr(second_factor, "totp_step", lambda secret, code, _last, now: right(secret, code, None, now))
    with pytest.raises(AssertionError):
        test_a_totp_code_opens_once(app, client, aigul, clock)


def test_codes_cannot_be_guessed_and_a_password_gets_old(
    app: Flask, client: FlaskClient, aigul: UUID, clock: MovableClock
) -> None:
    totp = pyotp.TOTP(with_totp(signed := signed_in(app, aigul)))
    post(signed, "/me/second-factor/confirm", "/me/second-factor", code=totp.at(clock()))
    post(client, "/sign-in", contact="a@example.kz", password=GOOD)
    codes = [post(client, "/sign-in/code", code="000000").status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]
    clock.move(timedelta(minutes=10))
    late = post(client, "/sign-in/code", code=totp.at(clock()))
    assert 'name="contact"' in late.get_data(as_text=True)
    assert count(SignInSession) == 1


def test_the_secret_is_sealed(app: Flask, aigul: UUID) -> None:
    secret = with_totp(signed_in(app, aigul))
    sealed = session().scalar(select(Person.totp_secret_sealed))
    assert sealed is not None
    assert secret.encode() not in sealed


# Sessions


def test_signing_in_gives_a_new_session_and_ends_the_old(app: Flask, aigul: UUID) -> None:
    client = signed_in(app, aigul)
    before = client.get_cookie("session")
    post(client, "/sign-in", contact="a@example.kz", password=GOOD)
    after = client.get_cookie("session")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    old = app.test_client()
    old.set_cookie("session", before.value)
    assert old.get("/me").status_code == 303


def test_signing_out_ends_the_session_on_the_server(app: Flask, aigul: UUID) -> None:
    client = signed_in(app, aigul)
    cookie = client.get_cookie("session")
    assert cookie is not None
    assert post(client, "/sign-out", "/me").location == "/sign-in"
    assert client.get_cookie("session") is None
    client.set_cookie("session", cookie.value)
    assert client.get("/me").status_code == 303


@pytest.mark.parametrize(("wait", "status"), [({"hours": 11, "minutes": 59}, 200), ({"hours": 12}, 303)])
def test_an_idle_session_ends(app: Flask, aigul: UUID, clock: MovableClock, wait: dict[str, int], status: int) -> None:
    client = signed_in(app, aigul)
    clock.move(timedelta(**wait))
    assert client.get("/me").status_code == status


def test_a_session_that_is_used_ends_after_thirty_days(app: Flask, aigul: UUID, clock: MovableClock) -> None:
    client = signed_in(app, aigul)
    for _ in range(59):
        clock.move(timedelta(hours=11, minutes=59))
        assert client.get("/me").status_code == 200
    clock.move(timedelta(hours=11, minutes=59))
    clock.move(timedelta(hours=1))
    assert client.get("/me").status_code == 303


def test_last_seen_is_written_once_a_minute(app: Flask, aigul: UUID, clock: MovableClock) -> None:
    client, start = signed_in(app, aigul), clock()
    seen = []
    for _ in range(3):
        clock.move(timedelta(seconds=40))
        client.get("/me")
        seen.append(session().scalar(select(SignInSession.last_seen_at)))
    assert seen == [start, start + timedelta(seconds=80), start + timedelta(seconds=80)]


def test_one_sees_and_ends_ones_other_sessions(app: Flask, aigul: UUID) -> None:
    here, there = signed_in(app, aigul), signed_in(app, aigul)
    stranger = signed_in(app, PersonFactory.create().id)
    other = there.get("/api/session").get_json()["id"]
    assert post(stranger, f"/me/sessions/{other}/end", "/me/sessions").status_code == 404
    assert there.get("/me").status_code == 200
    assert post(here, f"/me/sessions/{other}/end", "/me/sessions").status_code == 303
    assert there.get("/me").status_code == 303
    third = signed_in(app, aigul)
    assert post(here, "/me/sessions/end-others", "/me/sessions").status_code == 303
    assert (here.get("/me").status_code, third.get("/me").status_code) == (200, 303)


def test_a_revoked_role_ends_the_session_at_once(app: Flask) -> None:
    school = OrganisationFactory.create()
    office = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school.id)]).id)
    clerk = PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school.id)])
    browser = signed_in(app, clerk.id)
    assert browser.get(f"/people/{school.id}").status_code == 200
    path = f"/people/{school.id}/members/{clerk.id}/revoke"
    assert post(office, path, f"/people/{school.id}", role="school-office").status_code == 303
    assert browser.get(f"/people/{school.id}").location == f"/sign-in?next=/people/{school.id}"


def test_a_disabled_person_is_out_at_once(app: Flask, aigul: UUID, clock: MovableClock) -> None:
    client = signed_in(app, aigul)
    session().execute(update(Person).values(disabled_at=clock()))
    assert client.get("/me").status_code == 303
    assert post(client, "/sign-in", contact="a@example.kz", password=GOOD).status_code == 422


def statements(app: Flask, client: FlaskClient, path: str) -> list[str]:
    """The statements that finding the actor costs."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_args: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with client:
            client.get(path)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return seen


def test_an_actor_is_found_with_one_statement(app: Flask) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id), (Role.PARENT, school.id)])
    till = DeviceFactory.create(school_id=school.id, cashier_id=cashier.id)
    assert len(statements(app, signed_in(app, cashier.id), "/healthz")) <= 1
    assert len(statements(app, signed_in(app, cashier.id), "/join")) == 1
    assert len(statements(app, signed_in_till(app, till.id), "/join")) == 1


# Devices as actors


def test_a_tills_cookie_makes_it_an_actor_with_its_cashier(app: Flask, clock: MovableClock) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    till = DeviceFactory.create(school_id=school.id, cashier_id=cashier.id)
    cookie = {"HTTP_COOKIE": f"till={till_token(till.id)}"}

    def who() -> Any:
        # Requests that a test opens by hand share what one request remembers.
        for name in ("actor", "now", "device"):
            g.pop(name, None)
        with app.test_request_context("/join", environ_overrides=cookie):
            return actor()

    found = who()
    assert (found.kind, found.id, found.school_id, found.cashier_id) == (
        ActorKind.DEVICE,
        till.id,
        school.id,
        cashier.id,
    )
    clock.move(timedelta(hours=10))
    assert who().cashier_id is None
    saved(session().get(Device, till.id)).revoked_at = clock()
    session().commit()
    assert who().kind is ActorKind.PUBLIC


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, ActorKind.DEVICE),
        ({"data": b"other taps"}, ActorKind.PUBLIC),
        ({"data": b""}, ActorKind.PUBLIC),
        ({"id": "nonsense"}, ActorKind.PUBLIC),
        ({"id": str(new_id())}, ActorKind.PUBLIC),
        ({"signature": None}, ActorKind.PUBLIC),
        ({"signature": "!"}, ActorKind.PUBLIC),
    ],
)
def test_headers_make_an_actor_only_by_a_right_signature(app: Flask, change: dict[str, Any], kind: ActorKind) -> None:
    till = DeviceFactory.create(school_id=OrganisationFactory.create().id)
    signature = base64.urlsafe_b64encode(till_signature(b"taps")).decode().rstrip("=")
    sent = {"id": str(till.id), "signature": signature, "data": b"taps"} | change
    headers = {"X-Device-Id": sent["id"]}
    if sent["signature"] is not None:
        headers["X-Device-Signature"] = sent["signature"]
    with app.test_request_context("/join", method="POST", headers=headers, data=sent["data"]):
        assert actor().kind is kind


def test_an_id_alone_would_be_believed_without_the_check(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "verify_signature", lambda *_args: True)
    with pytest.raises(AssertionError):
        test_headers_make_an_actor_only_by_a_right_signature(app, {"data": b"other taps"}, ActorKind.PUBLIC)


def test_a_browser_that_is_both_is_a_till_at_the_tills_doors(app: Flask) -> None:
    school = OrganisationFactory.create()
    till = DeviceFactory.create(school_id=school.id)
    client = signed_in(app, PersonFactory.create(name="Ерлан").id)
    client.set_cookie("till", till_token(till.id))
    page = client.get("/till/shift", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert till.name.replace(" ", "\N{NO-BREAK SPACE}") in page
    assert "Ерлан" in client.get("/me").get_data(as_text=True)


# Pages


def test_the_demo_page_offers_people_in_the_demo_only(app: Flask, client: FlaskClient) -> None:
    school = OrganisationFactory.create(name_kk="№7 мектеп")
    person = PersonFactory.create(
        name="Дана", email="dana@demo.example", language="kk", roles=[(Role.CASHIER, school.id)]
    )
    real = PersonFactory.create()
    page = client.get("/sign-in", headers={"Accept-Language": "kk"}).get_data(as_text=True)
    assert "Дана" in page
    assert "№7 мектеп" in page
    assert real.name not in page
    assert post(client, "/sign-in/demo", "/sign-in", person_id=real.id).status_code == 404
    assert post(client, "/sign-in/demo", "/sign-in", person_id=person.id).status_code == 303
    assert "Дана" in client.get("/me").get_data(as_text=True)


def test_outside_the_demo_nobody_is_offered_or_let_in(app: Flask, client: FlaskClient) -> None:
    frame = app.extensions["schoolmeals"]
    app.extensions["schoolmeals"] = replace(frame, settings=replace(frame.settings, demo=False))
    try:
        person = PersonFactory.create(name="Дана", email="dana@demo.example")
        assert "Дана" not in client.get("/sign-in").get_data(as_text=True)
        assert post(client, "/sign-in/demo", "/sign-in", person_id=person.id).status_code == 404
    finally:
        app.extensions["schoolmeals"] = frame


def test_a_person_writes_name_and_language_and_nothing_else(app: Flask, aigul: UUID) -> None:
    client = signed_in(app, aigul)
    extra = {"email": "evil@example.kz", "password_hash": "x", "totp_confirmed_at": "2026-01-01", "id": str(new_id())}
    answer = post(client, "/me/name", name="Айгүл Серікқызы", language="ru", role="city-admin", **extra)
    assert answer.status_code == 303
    row = session().get(Person, aigul)
    assert row is not None
    session().refresh(row)
    assert (row.name, row.language, row.email, row.totp_confirmed_at) == ("Айгүл Серікқызы", "ru", "a@example.kz", None)
    assert count(RoleGrant) == 0


def test_unknown_fields_of_the_api_are_refused(client: FlaskClient, aigul: UUID) -> None:
    sent = {"contact": "a@example.kz", "password": GOOD, "factors": ["passkey"]}
    answer = client.post("/api/session", json=sent)
    assert (answer.status_code, answer.get_json()["errors"]) == (422, {"factors": ["Unknown field."]})
    assert count(SignInSession) == 0


def test_a_program_signs_in_by_bearer_token(app: Flask, client: FlaskClient, aigul: UUID) -> None:
    answer = client.post("/api/session", json={"contact": "a@example.kz", "password": GOOD})
    assert answer.status_code == 201
    assert "session=" not in "".join(answer.headers.getlist("Set-Cookie"))
    token = answer.get_json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/me", headers=headers).get_json() == {
        "id": str(aigul),
        "name": "Айгүл",
        "email": "a@example.kz",
        "phone": "+77010000001",
        "language": "en",
        "has_second_factor": False,
        "grants": [],
    }
    in_cookie = app.test_client()
    in_cookie.set_cookie("session", token)
    assert in_cookie.get("/api/me").status_code == 401
    assert client.delete("/api/session", headers=headers).status_code == 204
    assert client.get("/api/me", headers=headers).status_code == 401


def test_a_program_sends_the_second_factor_at_once(
    app: Flask, client: FlaskClient, aigul: UUID, clock: MovableClock
) -> None:
    totp = pyotp.TOTP(with_totp(signed := signed_in(app, aigul)))
    post(signed, "/me/second-factor/confirm", "/me/second-factor", code=totp.at(clock()))
    clock.move(timedelta(seconds=30))
    sent = {"contact": "a@example.kz", "password": GOOD}
    refused = client.post("/api/session", json=sent)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "code-needed")
    assert client.post("/api/session", json=sent | {"code": totp.at(clock())}).status_code == 201


def test_the_language_is_kept_with_the_person(app: Flask, aigul: UUID) -> None:
    client = signed_in(app, aigul)
    assert post(client, "/language/kk", "/me").status_code == 303
    assert session().scalar(select(Person.language)) == "kk"
    assert 'lang="kk"' in client.get("/me").get_data(as_text=True)


def test_an_office_invites_and_the_invited_joins(app: Flask, client: FlaskClient) -> None:
    school = OrganisationFactory.create()
    office = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school.id)]).id)
    assert office.get("/people").location == f"/people/{school.id}"
    page = post(office, f"/people/{school.id}/invitations", f"/people/{school.id}", name="Гүлнар", role="cashier")
    code = re.search(r"\b\w{5}-\w{5}\b", page.get_data(as_text=True))
    assert code is not None
    assert code[0] not in office.get(f"/people/{school.id}").get_data(as_text=True)
    wrong = post(client, "/join", code=code[0], name="Гүлнар", contact="8 701 000 00 09", password="short")
    assert wrong.status_code == 422
    assert 'value="8 701 000 00 09"' in wrong.get_data(as_text=True)
    assert 'href="#f-password"' in wrong.get_data(as_text=True)
    joined = post(client, "/join", code=code[0], name="Гүлнар", contact="8 701 000 00 09", password=GOOD)
    assert joined.status_code == 303
    me = client.get("/api/me").get_json()
    assert me["grants"] == [{"role": "cashier", "organisation_id": str(school.id)}]


def test_a_city_admin_adds_and_edits_a_school(app: Flask) -> None:
    city = OrganisationFactory.create(kind="city")
    admin = signed_in(app, PersonFactory.create(roles=[(Role.CITY_ADMIN, city.id)]).id)
    names = {"name_kk": "№9 мектеп", "name_ru": "Школа №9", "name_en": "School 9"}
    refused = post(admin, "/city/schools/new", **names, identifier="123")
    assert refused.status_code == 422
    assert 'value="№9 мектеп"' in refused.get_data(as_text=True)
    assert post(admin, "/city/schools/new", **names, identifier="940140000385", kind="city").status_code == 303
    school = session().scalars(select(Organisation).where(Organisation.kind == "school")).one()
    assert post(admin, f"/city/schools/{school.id}", **(names | {"name_en": "School nine"})).status_code == 303
    session().refresh(school)
    assert (school.name_en, school.identifier) == ("School nine", None)
    assert admin.get(f"/city/schools/{city.id}").status_code == 404


def test_pages_of_a_school_are_for_its_own_office(app: Flask) -> None:
    school, other = OrganisationFactory.create(), OrganisationFactory.create()
    office = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school.id)]).id)
    cashier = signed_in(app, PersonFactory.create(roles=[(Role.CASHIER, school.id)]).id)
    for path in ("/school/{}/tills", "/school/{}/calendar", "/people/{}"):
        told = [office.get(path.format(id)).status_code for id in (school.id, other.id, new_id())]
        assert told == [200, 404, 404], path
        assert cashier.get(path.format(school.id)).status_code == 403
    assert office.get(f"/city/schools/{school.id}").status_code == 403


def test_a_calendar_is_edited_on_its_page(app: Flask) -> None:
    school = OrganisationFactory.create()
    office = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school.id)]).id)
    path = f"/school/{school.id}/calendar"
    names = {"name_kk": "Каникул", "name_ru": "Каникулы", "name_en": "Winter break"}
    wrong = post(office, path, first="2026-12-30", last="2026-12-20", nature="break", **names)
    assert (wrong.status_code, "Winter break" in wrong.get_data(as_text=True)) == (422, True)
    assert post(office, path, first="2026-12-30", last="2027-01-08", nature="break", **names).status_code == 303
    assert office.get(path).get_data(as_text=True).count("Winter break") == 10
    assert post(office, f"{path}/remove", path, day="2026-12-30").status_code == 303
    assert post(office, f"/school/{school.id}/week", path, days="6").status_code == 303
    assert office.get(path).get_data(as_text=True).count("Winter break") == 9


def test_a_till_is_added_renewed_and_removed_on_its_page(app: Flask) -> None:
    school = OrganisationFactory.create()
    office = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school.id)]).id)
    path = f"/school/{school.id}/tills"
    assert post(office, path, name="").status_code == 422
    codes = [re.search(r"\b\w{5}-\w{5}\b", post(office, path, name="Касса 1").get_data(as_text=True))]
    till = session().scalars(select(Device)).one()
    codes.append(re.search(r"\b\w{5}-\w{5}\b", post(office, f"{path}/{till.id}/code", path).get_data(as_text=True)))
    assert len({code[0] for code in codes if code is not None}) == 2
    assert post(office, f"{path}/{till.id}/revoke", path).status_code == 303
    assert "removed" in office.get(path).get_data(as_text=True)


def test_a_cashier_opens_the_till_on_its_page(app: Flask) -> None:
    school = OrganisationFactory.create()
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school.id)])
    till = DeviceFactory.create(school_id=school.id)
    mine = signed_in(app, cashier.id)
    assert post(mine, f"/me/pin/{school.id}", pin="1234").status_code == 422
    assert post(mine, f"/me/pin/{school.id}", pin="2580").status_code == 303
    browser = signed_in_till(app, till.id)
    wrong = post(browser, "/till/shift", cashier=cashier.id, pin="2581")
    assert wrong.status_code == 422
    shown = wrong.get_data(as_text=True)
    assert shown.count('id="f-pin-error"') == shown.count('aria-invalid="true"') == 1, "said at its field"
    assert post(browser, "/till/shift", cashier="nonsense", pin="2580").status_code == 422
    assert post(browser, "/till/shift", cashier=cashier.id, pin="2580").location == "/till"
    assert post(browser, "/till/shift/close", "/till/shift").location == "/till/shift"
    assert session().scalar(select(Device.cashier_id)) is None
    assert mine.get("/till/shift").status_code == 403
    assert app.test_client().get("/till/shift").status_code == 303
