"""Staff behind a second factor, and dangerous deeds behind a fresh proof."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from schoolmeals import identity
from schoolmeals.actors import Awaits, Role, person
from schoolmeals.clock import MovableClock
from schoolmeals.identity import visitors
from schoolmeals.identity.models import Invitation, Passkey, Person, RoleGrant, SignInSession
from schoolmeals.identity.rules import SECOND_FACTOR_ROLES, awaited, proof_stands
from schoolmeals.ids import new_id
from tests.conftest import A_MONDAY
from tests.factories import saved, session
from tests.factories.identity import OrganisationFactory, PersonFactory, RoleGrantFactory, SessionFactory, signed_in

GOOD = "қой тау көмір жел"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
LATER = timedelta(minutes=10)


def token(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None
    return found[1]


def post(client: FlaskClient, page: str, path: str | None = None, **form: str) -> Any:
    """Send a form with the token of ``page``, to ``path`` or to the page itself."""
    return client.post(path or page, data={"csrf_token": token(client.get(page).get_data(as_text=True)), **form})


def set_up_totp(client: FlaskClient, clock: MovableClock) -> str:
    post(client, "/me/second-factor")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get("/me/second-factor").get_data(as_text=True))
    assert secret is not None
    code = pyotp.TOTP(secret[1]).at(clock())
    assert post(client, "/me/second-factor", "/me/second-factor/confirm", code=code).status_code == 200
    return secret[1]


@pytest.fixture
def strict(with_settings: Callable[..., None]) -> None:
    """An installation that demands a second factor of its staff."""
    with_settings(staff_second_factor="yes")


@pytest.fixture
def school(app: Flask) -> UUID:
    """A school."""
    found: UUID = OrganisationFactory.create().id
    return found


@pytest.fixture
def office(school: UUID, do: Any) -> UUID:
    """Somebody of the school's office, with a password."""
    id: UUID = do(identity.new_person, name="Дана", email="dana@example.kz", password=GOOD)
    session().execute(update(Person).values(language="en"))
    RoleGrantFactory.create(person_id=id, role=Role.SCHOOL_OFFICE.value, organisation_id=school)
    return id


# The rules


def test_only_a_second_factor_makes_staff_of_somebody() -> None:
    for role in Role:
        waits = role in SECOND_FACTOR_ROLES
        assert awaited([role], ["password"], has_second_factor=False) is (Awaits.SET_UP if waits else None)
        assert awaited([role], ["password"], has_second_factor=True) is (Awaits.PROOF if waits else None)
        for factor in ("totp", "recovery", "passkey"):
            assert awaited([role], ["password", factor], has_second_factor=True) is None
    assert awaited([Role.PARENT, Role.AUDITOR], ["demo"], has_second_factor=False) is Awaits.SET_UP


def test_a_proof_is_fresh_for_ten_minutes() -> None:
    assert proof_stands(A_MONDAY, ["password"], A_MONDAY + LATER - timedelta(seconds=1))
    assert not proof_stands(A_MONDAY, ["password"], A_MONDAY + LATER)
    assert proof_stands(A_MONDAY, ["demo"], A_MONDAY + LATER)


# Staff


@pytest.mark.usefixtures("strict")
def test_after_the_password_staff_are_led_to_the_second_step(client: FlaskClient, school: UUID, office: UUID) -> None:
    assert post(client, "/sign-in", contact="dana@example.kz", password=GOOD).status_code == 303
    for page in ("/me", "/people", f"/school/{school}/calendar", "/me/sessions", "/me/password"):
        answer = client.get(page)
        assert (answer.status_code, answer.location) == (303, "/me/second-step"), page
    shown = client.get("/me/second-step").get_data(as_text=True)
    assert "/me/second-factor" in shown
    assert "/me/passkeys" in shown
    assert client.get("/me/second-factor").status_code == 200


@pytest.mark.usefixtures("strict")
def test_they_set_it_up_and_are_in(client: FlaskClient, clock: MovableClock, school: UUID, office: UUID) -> None:
    post(client, "/sign-in", contact="dana@example.kz", password=GOOD)
    set_up_totp(client, clock)
    assert client.get(f"/people/{school}").status_code == 200
    assert client.get("/me/second-step").location == "/"
    factors = session().scalar(select(SignInSession.factors).where(SignInSession.person_id == office))
    assert factors == ["password", "totp"]


@pytest.mark.usefixtures("strict")
def test_a_password_alone_gets_nobody_past_their_passkey(app: Flask, client: FlaskClient, office: UUID) -> None:
    """Nor may it set up another second factor beside it."""
    saved(
        Passkey(
            id=new_id(),
            person_id=office,
            credential_id=uuid4().bytes,
            public_key=b"key",
            sign_count=0,
            transports=[],
            name="Phone",
            created_at=A_MONDAY,
        )
    )
    post(client, "/sign-in", contact="dana@example.kz", password=GOOD)
    page = client.get("/me/second-step")
    for path in ("/me/second-factor", "/me/second-factor/confirm", "/me/passkeys/options", "/me/passkeys"):
        answer = client.post(path, data={"csrf_token": token(page.get_data(as_text=True))})
        assert (answer.status_code, answer.location) == (303, "/me/second-step"), path
    assert session().scalar(select(Person.totp_secret_sealed).where(Person.id == office)) is None
    assert 'id="passkey-sign-in"' in page.get_data(as_text=True)
    assert post(client, "/me/second-step", "/sign-out").location == "/sign-in"


@pytest.mark.usefixtures("strict")
def test_programs_are_told_why(app: Flask, office: UUID) -> None:
    answer = signed_in(app, office).get("/api/me")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "second-factor-needed")


@pytest.mark.usefixtures("strict")
def test_who_waits_has_no_grants_whatever_a_door_forgets(
    app: Flask, office: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(*args: Any) -> Any:
        seen.append(person(*args))
        return seen[-1]

    monkeypatch.setattr(visitors, "person", look)
    browser = signed_in(app, office)
    with browser:
        browser.get("/me/second-step")
        assert len(seen[-1].grants) == 1
        assert identity.find_actor().grants == frozenset()


@pytest.mark.usefixtures("strict")
def test_parents_and_cashiers_are_not_asked(app: Flask, school: UUID) -> None:
    for role in (Role.PARENT, Role.CASHIER, Role.SUPPLIER):
        browser = signed_in(app, PersonFactory.create(roles=[(role, school)]).id)
        assert browser.get("/me").status_code == 200


def test_the_demo_does_not_ask_and_production_does(
    app: Flask, office: UUID, with_settings: Callable[..., None]
) -> None:
    browser = signed_in(app, office)
    assert browser.get("/me").status_code == 200
    with_settings(demo=False)
    assert browser.get("/me").status_code == 303
    with_settings(demo=False, staff_second_factor="no")
    assert browser.get("/me").status_code == 200


def test_a_planted_rule_that_forgets_passkeys_is_found(
    app: Flask, client: FlaskClient, office: UUID, with_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: to have a second factor is taken for having used it."""
    with_settings(staff_second_factor="yes")

    def forgets(roles: Any, factors: Any, *, has_second_factor: bool) -> Awaits | None:
        return None if has_second_factor else awaited(roles, factors, has_second_factor=False)

    monkeypatch.setattr(visitors, "awaited", forgets)
    with pytest.raises(AssertionError):
        test_a_password_alone_gets_nobody_past_their_passkey(app, client, office)


# Dangerous deeds


def invitations() -> int:
    return len(session().scalars(select(Invitation)).all())


def test_a_dangerous_deed_asks_again_after_ten_minutes_and_goes_on(
    app: Flask, clock: MovableClock, school: UUID, office: UUID
) -> None:
    browser = signed_in(app, office)
    page = f"/people/{school}"
    assert post(browser, page, f"{page}/invitations", name="Болат", role="cashier").status_code == 200
    clock.move(LATER)
    answer = post(browser, page, f"{page}/invitations", name="Сәуле", role="cashier")
    assert (answer.status_code, invitations()) == (403, 1)
    asked = answer.get_data(as_text=True)
    kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', asked))
    assert (kept["name"], kept["role"], kept["proof_target"]) == ("Сәуле", "cashier", f"{page}/invitations")
    wrong = browser.post("/me/prove", data={**kept, "csrf_token": token(asked), "proof": "not it"})
    assert (wrong.status_code, invitations()) == (422, 1)
    assert 'name="role" value="cashier"' in wrong.get_data(as_text=True)
    body = {**kept, "csrf_token": token(asked), "proof": GOOD}
    proved = browser.post("/me/prove", data=body)
    assert (proved.status_code, proved.location) == (307, f"{page}/invitations")
    assert browser.post(proved.location, data=body).status_code == 200
    assert invitations() == 2


def test_a_page_asks_first_and_then_opens(app: Flask, clock: MovableClock, office: UUID) -> None:
    browser = signed_in(app, office)
    clock.move(LATER)
    answer = browser.get("/me/passkeys")
    assert (answer.status_code, answer.location) == (303, "/me/prove?proof_target=/me/passkeys")
    proved = post(browser, answer.location, "/me/prove", proof=GOOD, proof_target="/me/passkeys")
    assert (proved.status_code, proved.location) == (303, "/me/passkeys")
    assert browser.get("/me/passkeys").status_code == 200


def test_who_has_an_app_proves_by_its_code_and_not_by_the_password(
    app: Flask, clock: MovableClock, office: UUID
) -> None:
    browser = signed_in(app, office)
    secret = set_up_totp(browser, clock)
    clock.move(LATER)
    assert post(browser, "/me/prove", proof=GOOD).status_code == 422
    assert post(browser, "/me/prove", proof=pyotp.TOTP(secret).at(clock())).status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example"])
def test_nobody_is_led_to_another_site(app: Flask, office: UUID, target: str) -> None:
    assert post(signed_in(app, office), "/me/prove", proof=GOOD, proof_target=target).location == "/me"


@pytest.mark.parametrize(
    "path",
    [
        "/people/{school}/members/{cashier}/revoke",
        "/people/{school}/members/{cashier}/way-in/code",
        "/people/{school}/members/{cashier}/way-in/second-factor/remove",
        "/me/second-factor",
        "/me/passkeys/options",
        "/me/passkeys/{cashier}/remove",
    ],
)
def test_these_deeds_are_dangerous(app: Flask, clock: MovableClock, school: UUID, office: UUID, path: str) -> None:
    cashier = PersonFactory.create(roles=[(Role.CASHIER, school)]).id
    other = SessionFactory.create(person_id=cashier, token_hash=b"another")
    browser = signed_in(app, office)
    clock.move(LATER)
    page = token(browser.get("/me").get_data(as_text=True))
    address = path.format(school=school, cashier=cashier)
    assert browser.post(address, data={"csrf_token": page, "role": "cashier"}).status_code == 403
    session().expire_all()
    assert session().scalars(select(RoleGrant.revoked_at)).all() == [None, None]
    assert session().get_one(SignInSession, other.token_hash).ended_at is None


def test_passwords_are_not_tried_for_long(app: Flask, office: UUID) -> None:
    browser = signed_in(app, office)
    assert [post(browser, "/me/prove", proof="no").status_code for _ in range(6)] == [422] * 5 + [429]
    assert post(browser, "/me/prove", proof=GOOD).status_code == 429
