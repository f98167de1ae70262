"""A school's grace limit: set by the city for all pupils at once, never below what somebody has used."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from schoolmeals import ledger, wallet
from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.audit import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Conflict, Invalid, NotFound
from schoolmeals.ledger import Account
from schoolmeals.ledger.proofs import prove
from schoolmeals.wallet.actions import set_grace_limit
from schoolmeals.wallet.models import SchoolPolicy
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of, signed_in
from tests.factories.wallet import Family, balances, csrf_token, eat, new_pupil, put_in

Do = Callable[..., Any]
COMMON = ("action", "at")


@pytest.fixture
def city(app: Flask) -> Actor:
    """Somebody who administers the city."""
    place = OrganisationFactory.create(kind="city").id
    found = PersonFactory.create(roles=[(Role.CITY_ADMIN, place)])
    return actor_of(found.id, (Role.CITY_ADMIN, place))


@pytest.fixture
def admin(app: Flask, city: Actor) -> FlaskClient:
    assert city.id is not None
    return signed_in(app, city.id)


def page_of(family: Family) -> str:
    return f"/school/{family.school_id}/money-rules"


def save(browser: FlaskClient, family: Family, limit: str) -> Any:
    return browser.post(page_of(family), data={"csrf_token": csrf_token(browser, page_of(family)), "limit": limit})


def ceilings(work: Work, school_id: UUID) -> set[int | None]:
    wanted = select(Account.ceiling_minor).where(Account.school_id == school_id, Account.purpose == "grace")
    return set(work.session.scalars(wanted))


def events(work: Work, action: str) -> list[dict[str, Any]]:
    told = work.session.scalars(select(AuditEvent.payload).where(AuditEvent.action == action))
    return [{name: value for name, value in json.loads(one).items() if name not in COMMON} for one in told]


def test_the_limit_holds_for_every_pupil_at_once_and_for_those_to_come(do: Do, family: Family, city: Actor) -> None:
    for pupil_id in (family.pupil_id, new_pupil(family.school_id)):
        do(put_in, pupil_id, 0, school_id=family.school_id)
    do(set_grace_limit, family.school_id, 2_500_00, currency="KZT", actor=city)
    assert do(ceilings, family.school_id) == {2_500_00}
    do(put_in, new_pupil(family.school_id), 0, school_id=family.school_id)
    assert do(ceilings, family.school_id) == {2_500_00}
    do(eat, family.pupil_id, 2_400_00, school_id=family.school_id)
    assert do(balances, family.pupil_id, school_id=family.school_id) == (0, 2_400_00)
    assert do(events, "wallet.set_grace_limit") == [
        {"before_minor": 1_700_00, "after_minor": 2_500_00, "currency": "KZT"}
    ]
    assert do(events, "ledger.set_bounds") == [
        {"purpose": "grace", "accounts": 2, "floor_minor": None, "ceiling_minor": 2_500_00}
    ]


def test_it_is_never_set_below_what_a_pupil_has_used(do: Do, family: Family, city: Actor) -> None:
    do(put_in, new_pupil(family.school_id), 0, school_id=family.school_id)
    do(eat, family.pupil_id, 850_50, school_id=family.school_id)
    with pytest.raises(Conflict) as refused:
        do(set_grace_limit, family.school_id, 850_00, currency="KZT", actor=city)
    assert (refused.value.code, refused.value.params["pupils"], refused.value.params["furthest"]) == (
        "grace-used",
        1,
        851,
    )
    assert do(ceilings, family.school_id) == {1_700_00}
    assert do(lambda work: work.session.scalars(select(SchoolPolicy.grace_limit_minor)).all()) == [1_700_00]
    assert do(events, "wallet.set_grace_limit") == do(events, "ledger.set_bounds") == []
    do(set_grace_limit, family.school_id, 850_50, currency="KZT", actor=city)
    assert do(ceilings, family.school_id) == {850_50}


@pytest.mark.parametrize("limit_minor", [-1, 20_000_01])
def test_a_limit_that_makes_no_sense_is_refused(do: Do, family: Family, city: Actor, limit_minor: int) -> None:
    with pytest.raises(Invalid):
        do(set_grace_limit, family.school_id, limit_minor, currency="KZT", actor=city)


def test_only_the_city_sets_it(do: Do, family: Family) -> None:
    for who in (family.office, family.parent):
        with pytest.raises(NotFound):
            do(set_grace_limit, family.school_id, 0, currency="KZT", actor=who)


def test_the_number_of_statements_does_not_depend_on_the_purses(
    do: Do, family: Family, city: Actor, statements: list[str]
) -> None:
    counts = []
    for limit, pupils in ((1_000_00, 1), (1_100_00, 30)):
        for _ in range(pupils):
            do(put_in, new_pupil(family.school_id), 0, school_id=family.school_id)
        statements.clear()
        do(set_grace_limit, family.school_id, limit, currency="KZT", actor=city)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 10


def test_the_first_setting_says_the_schools_currency_and_a_later_one_does_not(
    do: Do, family: Family, city: Actor
) -> None:
    do(set_grace_limit, family.school_id, 1_000, currency="EUR", actor=city)
    purse = do(wallet.lock_purses, family.school_id, [family.pupil_id])[family.pupil_id]
    assert (purse.money.currency, purse.grace.currency, purse.grace.ceiling_minor) == ("EUR", "EUR", 1_000)
    do(wallet.school_accounts, family.school_id)
    assert do(lambda work: set(work.session.scalars(select(Account.currency)))) == {"EUR"}
    do(set_grace_limit, family.school_id, 1_000, currency="KZT", actor=city)
    later = new_pupil(family.school_id)
    assert do(wallet.purse_of, family.school_id, later).currency == "EUR"
    assert do(wallet.lock_purses, family.school_id, [later])[later].money.currency == "EUR"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("eat"), st.integers(0, 1), st.integers(1, 1_500_00)),
            st.tuples(st.just("pay"), st.integers(0, 1), st.integers(1, 1_500_00)),
            st.tuples(st.just("limit"), st.just(0), st.integers(0, 3_000_00)),
        ),
        max_size=8,
    )
)
def test_no_run_of_deeds_leads_beyond_a_bound(
    app: Flask, clock: MovableClock, city: Actor, run: list[tuple[str, int, int]]
) -> None:
    school = OrganisationFactory.create().id
    mine = [new_pupil(school), new_pupil(school)]
    limit = 1_700_00
    for deed, which, sum_minor in run:
        with transaction(SYSTEM, clock()) as work:
            most = max(balances(work, pupil, school_id=school)[1] for pupil in mine)
        # Refused exactly where somebody has used more, and then nothing changes.
        is_refused = deed == "limit" and most > sum_minor
        wanted = pytest.raises(Conflict, match="grace-used") if is_refused else nullcontext()
        with wanted, transaction(city if deed == "limit" else SYSTEM, clock()) as work:
            if deed == "eat":
                eat(work, mine[which], sum_minor, school_id=school)
            elif deed == "pay":
                put_in(work, mine[which], sum_minor, school_id=school)
            else:
                set_grace_limit(work, school, sum_minor, currency="KZT")
        if deed == "limit" and not is_refused:
            limit = sum_minor
        with transaction(SYSTEM, clock()) as work:
            assert ceilings(work, school) == {limit}
            assert all(balances(work, pupil, school_id=school)[1] <= limit for pupil in mine)
            assert all(finding.holds for finding in prove(work))


def test_a_planted_bound_behind_a_balance_is_refused_by_the_table_itself(do: Do, family: Family) -> None:
    do(eat, family.pupil_id, 500_00, school_id=family.school_id)

    def plant(work: Work) -> None:
        account = ledger.account_of(work, family.school_id, "grace", family.pupil_id)
        assert account is not None
        account.ceiling_minor = 499_99
        work.session.flush()

    with pytest.raises(Exception, match="not_above_ceiling"):
        do(plant)


def test_the_city_sets_it_on_the_page_and_the_office_looks(
    app: Flask, do: Do, family: Family, admin: FlaskClient, office: FlaskClient
) -> None:
    do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    assert save(admin, family, "2 550,50").status_code == 303
    page = admin.get(page_of(family)).text
    assert "2,550.50\u00a0₸" in page
    assert "The limit is saved." in page
    assert "850\u00a0₸" in office.get(page_of(family)).text
    assert "<form" not in office.get(page_of(family)).text.split("<main", 1)[1]
    assert "2,550.50\u00a0₸" in admin.get("/money-rules").text
    refused = save(admin, family, "100")
    assert refused.status_code == 409
    assert "have used more than that already: 1. The most is 850 KZT." in refused.text
    assert 'value="100"' in refused.text
    assert save(admin, family, "much").status_code == 422
    assert do(ceilings, family.school_id) == {2_550_50}


def test_a_strange_school_is_not_there(office: FlaskClient, admin: FlaskClient) -> None:
    other = OrganisationFactory.create().id
    assert office.get(f"/school/{other}/money-rules").status_code == 404
    assert admin.get(f"/school/{uuid4()}/money-rules").status_code == 404
