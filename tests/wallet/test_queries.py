"""What may be seen of purses, and that a statement always adds up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schoolmeals import ledger, wallet
from schoolmeals.actors import CITY_WIDE, PUBLIC, SYSTEM, Actor, Role, device
from schoolmeals.clock import MovableClock
from schoolmeals.database import reading, transaction
from schoolmeals.errors import NotFound
from schoolmeals.ledger import StatementLine
from schoolmeals.wallet import Statement
from schoolmeals.wallet.queries import lost_top_ups, top_up_of
from schoolmeals.wallet.statements import Line, as_csv, merged, receipt_of
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of
from tests.factories.wallet import CASH, SCHOOL, Family, eat, new_family, paid, pupil_with, put_in, start

Do = Callable[..., Any]
ID = UUID("01985e1e-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
LONG = (NOW - timedelta(days=30), NOW + timedelta(days=30))


def city_person(role: Role) -> Actor:
    city = OrganisationFactory.create(kind="city")
    return actor_of(PersonFactory.create().id, (role, city.id))


LOOKS: list[Callable[[Any, Family], Any]] = [
    lambda work, family: wallet.purse_of(work, family.school_id, family.pupil_id),
    lambda work, family: wallet.top_ups_of(work, family.school_id, family.pupil_id),
    lambda work, family: wallet.statement_of(work, family.school_id, family.pupil_id, *LONG),
    lambda work, family: top_up_of(work, family.school_id, ID),
]


@pytest.mark.parametrize("look", LOOKS)
def test_a_purse_is_seen_by_its_guardians_its_office_and_the_city(do: Do, family: Family, look: Any) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    for who in (family.parent, family.office, SYSTEM, *[city_person(role) for role in CITY_WIDE]):
        assert do(look, family, actor=who) == do(look, family)


@pytest.mark.parametrize("look", LOOKS)
def test_nobody_else_learns_that_there_is_a_purse(do: Do, family: Family, look: Any) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    other = new_family()
    cashier = actor_of(PersonFactory.create().id, (Role.CASHIER, family.school_id))
    till = device(uuid4(), family.school_id)
    for who in (other.parent, other.office, cashier, till, PUBLIC):
        with pytest.raises(NotFound):
            do(look, family, actor=who)


def test_an_unopened_purse_is_an_empty_one(do: Do, family: Family, clock: MovableClock) -> None:
    purse = do(wallet.purse_of, family.school_id, family.pupil_id, actor=family.parent)
    assert (purse.balance_minor, purse.money_minor, purse.grace_minor, purse.limit_minor_day) == (0, 0, 0, None)
    assert (purse.purse_id, purse.currency, purse.as_of) == (None, "KZT", clock())
    empty = do(wallet.statement_of, family.school_id, family.pupil_id, *LONG, actor=family.parent)
    assert (empty.opening_minor, empty.closing_minor, empty.lines) == (0, 0, ())


def test_the_balance_is_the_money_less_what_grace_has_lent(do: Do) -> None:
    rich, poor = do(pupil_with, 1_000_00), do(pupil_with, 100_00)
    do(eat, poor, 850_00)
    purses = do(wallet.purses_of, SCHOOL, [rich, poor])
    assert [(purses[id].balance_minor, purses[id].grace_minor) for id in (rich, poor)] == [
        (1_000_00, 0),
        (-750_00, 750_00),
    ]


def test_purses_are_looked_up_with_one_statement(do: Do, statements: list[str]) -> None:
    pupils = [do(pupil_with, 100_00) for _ in range(5)]
    del statements[:]
    assert len(do(wallet.purses_of, SCHOOL, pupils)) == 5
    assert len(statements) == 1


def test_top_ups_come_newest_first(do: Do, family: Family, clock: MovableClock) -> None:
    ids = [uuid4() for _ in range(3)]
    for one in ids:
        do(start, family, top_up_id=one, actor=family.parent)
        clock.move(timedelta(minutes=1))
    assert [one.id for one in do(wallet.top_ups_of, family.school_id, family.pupil_id)] == ids[::-1]
    assert [one.id for one in do(wallet.top_ups_of, family.school_id, family.pupil_id, limit=1)] == ids[2:]


def test_a_schools_day_has_what_filled_purses_on_it(do: Do, family: Family, clock: MovableClock) -> None:
    day = (NOW, NOW + timedelta(hours=1))
    do(start, family, top_up_id=ID, actor=family.parent)
    pending = uuid4()
    do(start, family, top_up_id=pending, actor=family.parent)
    do(wallet.settle_top_up, "stripe", paid(ID))
    cash = {"bounds": CASH, "amount_minor": 700_00}
    by_hand, too_late = uuid4(), uuid4()
    do(wallet.take_cash, family.school_id, family.pupil_id, top_up_id=by_hand, actor=family.office, **cash)
    clock.move(timedelta(hours=1))
    do(wallet.take_cash, family.school_id, family.pupil_id, top_up_id=too_late, actor=family.office, **cash)
    found = do(wallet.top_ups_of_school_day, family.school_id, *day, actor=family.office)
    assert {one.id for one in found} == {ID, by_hand}
    only_cash = do(wallet.top_ups_of_school_day, family.school_id, *day, method="cash-desk", actor=family.office)
    assert [one.id for one in only_cash] == [by_hand]
    for who in (new_family().office, family.parent):
        with pytest.raises(NotFound):
            do(wallet.top_ups_of_school_day, family.school_id, *day, actor=who)


def test_a_top_up_is_lost_after_ten_minutes(do: Do, family: Family, clock: MovableClock) -> None:
    settled, failed = uuid4(), uuid4()
    for one in (ID, settled, failed):
        do(start, family, top_up_id=one, actor=family.parent)
    do(wallet.settle_top_up, "stripe", paid(settled))
    do(wallet.fail_top_up, family.school_id, failed, code="expired")
    assert do(lost_top_ups, at=clock.move(timedelta(minutes=9, seconds=59))) == []
    assert [one.id for one in do(lost_top_ups, at=clock.move(timedelta(seconds=1)))] == [ID]


# Statements


def test_a_statement_names_what_came_in_and_went_out(do: Do, family: Family, clock: MovableClock) -> None:
    meal = do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    clock.move(timedelta(hours=1))
    since = clock()
    do(start, family, top_up_id=ID, actor=family.parent)
    do(wallet.settle_top_up, "stripe", paid(ID))
    clock.move(timedelta(hours=1))
    by_hand, undone = uuid4(), uuid4()
    cash = {"bounds": CASH, "amount_minor": 700_00, "top_up_id": by_hand, "actor": family.office}
    do(wallet.take_cash, family.school_id, family.pupil_id, **cash)
    clock.move(timedelta(hours=1))
    do(ledger.reverse, family.school_id, meal, reversal_id=undone, kind="sale-undone")
    until = clock.move(timedelta(hours=1))
    do(eat, family.pupil_id, 200_00, school_id=family.school_id)
    with reading(family.parent, clock()) as look:
        found = wallet.statement_of(look, family.school_id, family.pupil_id, since, until)
    assert (found.opening_minor, found.in_minor, found.out_minor, found.closing_minor) == (
        -850_00,
        6_550_00,
        0,
        5_700_00,
    )
    assert [(line.kind, line.change_minor, line.balance_after_minor, line.receipt) for line in found.lines] == [
        ("top-up", 5_000_00, 4_150_00, "00000\u00a000001"),
        ("cash-top-up", 700_00, 4_850_00, "№ 1"),
        ("sale-undone", 850_00, 5_700_00, receipt_of(undone, None)),
    ]
    assert found.lines[2].reverses_id == meal


def test_what_moves_between_money_and_grace_alone_has_no_line() -> None:
    money = [StatementLine(ID, "grace-settled", NOW, -550_00, 0, "grace", None)]
    grace = [StatementLine(ID, "grace-settled", NOW, -550_00, 0, "purse", None)]
    assert merged(money, grace, opening_minor=0, receipt_numbers={}) == ()


def test_the_courtesy_funds_share_is_nobodys_spending(do: Do, family: Family, clock: MovableClock) -> None:
    for _ in range(3):
        do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    with reading(SYSTEM, clock()) as look:
        found = wallet.statement_of(look, family.school_id, family.pupil_id, *LONG)
    assert (found.out_minor, found.closing_minor) == (1_700_00, -1_700_00)
    assert len(found.lines) == 2


deeds = st.lists(
    st.tuples(st.sampled_from(["fill", "eat", "undo", "top-up"]), st.integers(1, 3_000_00), st.integers(0, 90)),
    max_size=8,
)


@given(deeds=deeds, cuts=st.tuples(st.integers(0, 400), st.integers(0, 400)))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_statement_always_adds_up_and_goes_on_where_the_last_one_ended(
    app: Flask, deeds: list[tuple[str, int, int]], cuts: tuple[int, int]
) -> None:
    family, clock = new_family(), MovableClock(NOW)
    school, pupil, meals = family.school_id, family.pupil_id, []
    for kind, amount, minutes in deeds:
        with transaction(SYSTEM, clock.move(timedelta(minutes=minutes))) as work:
            if kind == "eat":
                meals.append(eat(work, pupil, amount, school_id=school))
            elif kind == "undo" and meals:
                ledger.reverse(work, school, meals.pop(), reversal_id=uuid4(), kind="sale-undone")
            elif kind == "fill":
                put_in(work, pupil, amount, school_id=school)
        if kind == "top-up":
            with transaction(family.parent, clock()) as work:
                top_up = start(work, family, top_up_id=uuid4())
            with transaction(SYSTEM, clock()) as work:
                wallet.settle_top_up(work, "stripe", paid(top_up.id))
    begin, (first, second) = NOW - timedelta(days=1), sorted(NOW + timedelta(minutes=cut) for cut in cuts)
    end = NOW + timedelta(days=1)
    with reading(SYSTEM, clock()) as look:
        parts = [
            wallet.statement_of(look, school, pupil, since, until)
            for since, until in ((begin, first), (first, second), (second, end))
        ]
        whole = wallet.statement_of(look, school, pupil, begin, end)
        balance = wallet.purse_of(look, school, pupil).balance_minor
    for part in (*parts, whole):
        assert part.opening_minor + part.in_minor - part.out_minor == part.closing_minor
    assert [part.closing_minor for part in parts[:2]] == [part.opening_minor for part in parts[1:]]
    assert (whole.opening_minor, whole.closing_minor) == (0, balance)
    assert sum((part.lines for part in parts), ()) == whole.lines


def statement(*lines: Line, opening_minor: int = 0, closing_minor: int = 0) -> Statement:
    return Statement(SCHOOL, uuid4(), "KZT", *LONG, NOW, opening_minor, closing_minor, lines)


def line(change_minor: int, **changes: Any) -> Line:
    facts: dict[str, Any] = {
        "entry_id": ID,
        "kind": "sale",
        "at": NOW,
        "in_minor": max(change_minor, 0),
        "out_minor": max(-change_minor, 0),
        "balance_after_minor": change_minor,
        "receipt": "№ 7",
        "reverses_id": None,
    }
    return Line(**(facts | changes))


def test_a_statement_that_does_not_add_up_is_not_made() -> None:
    with pytest.raises(AssertionError, match="adds up"):
        statement(line(100), closing_minor=99)


def test_forgetting_the_grace_account_is_seen() -> None:
    """A planted bug: the lines of the purse alone, when grace has lent too."""
    money = [StatementLine(ID, "sale", NOW, -300_00, 0, "meals-sold", None)]
    grace = [StatementLine(ID, "sale", NOW, 550_00, 550_00, "meals-sold", None)]
    whole = merged(money, grace, opening_minor=300_00, receipt_numbers={})
    assert statement(*whole, opening_minor=300_00, closing_minor=-550_00).out_minor == 850_00
    half = merged(money, [], opening_minor=300_00, receipt_numbers={})
    with pytest.raises(AssertionError, match="adds up"):
        statement(*half, opening_minor=300_00, closing_minor=-550_00)


def test_the_csv_is_what_spreadsheets_read() -> None:
    found = statement(
        line(1_250_50, receipt="№ 7", kind="cash-top-up"),
        line(-2_000_00, balance_after_minor=-749_50, at=NOW + timedelta(hours=1)),
        closing_minor=-749_50,
    )
    text = as_csv(found, words=lambda word: word, kind_of=lambda line: f"={line.kind}", zone=ZoneInfo("Asia/Almaty"))
    assert text == (
        "\ufeffDate and time;What;Receipt;Paid in;Spent;Balance\r\n"
        "2026-10-24 12:00;Balance before;;;;0,00\r\n"
        "2026-11-23 12:00;'=cash-top-up;№ 7;1250,50;0,00;1250,50\r\n"
        "2026-11-23 13:00;'=sale;№ 7;0,00;2000,00;-749,50\r\n"
        ";Balance after;;1250,50;2000,00;-749,50\r\n"
    )


@pytest.mark.parametrize("planted", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(planted: str) -> None:
    found = statement(line(0, receipt=planted))
    text = as_csv(found, words=lambda word: word, kind_of=lambda _line: planted, zone=ZoneInfo("UTC"))
    assert f"'{planted}" in text
    assert f";{planted}" not in text
