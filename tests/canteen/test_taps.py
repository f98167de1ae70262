"""Ringing up on a real PostgreSQL: what is answered, what is stored, what the purses hold."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from schoolmeals import asking, audit, identity, ledger
from schoolmeals.actors import Role
from schoolmeals.audit import AuditEvent
from schoolmeals.canteen.actions.taps import ring_up
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.models import Sale, SaleLine
from schoolmeals.canteen.orders import AnswerItem
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.ids import new_id
from schoolmeals.ledger import JournalEntry
from tests.factories import session
from tests.factories.canteen import GRACE_MINOR, JUICE_MINOR, LUNCH_MINOR, Canteen, new_card, new_eater
from tests.factories.identity import OrganisationFactory, PersonFactory
from tests.factories.pupils import SchoolClassFactory
from tests.factories.wallet import balances


def held(do: Any, canteen: Canteen, pupil_id: UUID) -> tuple[int, int]:
    """Purse and grace of a pupil, in minor units."""
    both: tuple[int, int] = do(balances, pupil_id, school_id=canteen.school_id)
    return both


def stored(do: Any, model: Any) -> int:
    """How many rows a table has."""
    return int(do(lambda work: work.session.scalar(select(func.count()).select_from(model))))


def found(do: Any, wanted: Any) -> list[Any]:
    """The rows that a select finds."""
    return list(do(lambda work: work.session.scalars(wanted).all()))


def sale_of(do: Any, canteen: Canteen, tap_id: UUID) -> Sale:
    sale: Sale = do(lambda work: work.session.get_one(Sale, (canteen.school_id, tap_id)))
    return sale


def test_a_tap_sells_the_meal_of_the_pupils_age(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=2_000_00)
    card = new_card(canteen, pupil_id)
    order = canteen.order(card, meal=True)
    (answer,) = ring(order)
    assert (answer.tap_id, answer.verdict, answer.code, answer.warnings) == (order.id, "served", None, ())
    assert answer.items == (AnswerItem(canteen.lunch_older, 1, True),)
    assert answer.pupil.id == pupil_id
    assert held(do, canteen, pupil_id) == (2_000_00 - LUNCH_MINOR, 0)
    sale = sale_of(do, canteen, order.id)
    assert (sale.pupil_id, sale.service_day, sale.menu_version) == (pupil_id, date(2026, 11, 23), 1)
    assert (sale.total_minor, sale.money_minor, sale.grace_minor, sale.courtesy_minor) == (
        LUNCH_MINOR,
        LUNCH_MINOR,
        0,
        0,
    )
    assert sale.entry_id == order.id
    assert (stored(do, Sale), stored(do, SaleLine)) == (1, 1)
    events = found(do, select(AuditEvent).where(AuditEvent.action == "canteen.ring_up"))
    assert [(event.subject_id, event.actor_id) for event in events] == [(order.id, canteen.device_id)]


def test_a_line_keeps_its_price_and_its_contract(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=2_000_00)
    ring(canteen.order(pupil_id, (canteen.juice, 3)))
    (line,) = found(do, select(SaleLine))
    assert (line.menu_item_id, line.quantity, line.price_minor, line.is_set_meal) == (
        canteen.juice,
        3,
        JUICE_MINOR,
        False,
    )
    assert held(do, canteen, pupil_id) == (2_000_00 - 3 * JUICE_MINOR, 0)


def test_the_set_meal_is_paid_by_purse_then_grace_then_the_courtesy_fund(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=100_00)
    shares = []
    for day in range(4):
        at = canteen.now + timedelta(days=day)
        do(publish_again, canteen, at.date())
        order = canteen.order(pupil_id, meal=True, tapped_at=at)
        (answer,) = ring(order, at=at)
        assert answer.verdict == "served"
        sale = sale_of(do, canteen, order.id)
        shares.append((sale.money_minor, sale.grace_minor, sale.courtesy_minor))
    assert shares == [(100_00, 750_00, 0), (0, 850_00, 0), (0, 100_00, 750_00), (0, 0, 850_00)]
    assert held(do, canteen, pupil_id) == (0, GRACE_MINOR)
    rows = {row.purpose: row.balance_minor for row in do(ledger.trial_balance, [canteen.school_id])}
    assert (rows["meals-sold"], rows["courtesy-meals"]) == (4 * LUNCH_MINOR, 1_600_00)


def publish_again(work: Work, canteen: Canteen, day: date) -> None:
    """The same menu on another day."""
    from schoolmeals.canteen.models import Menu, MenuItem

    if day == date(2026, 11, 23):
        return
    menu = Menu(
        school_id=canteen.school_id,
        id=new_id(),
        day=day,
        sitting_id=canteen.sitting_id,
        version=1,
        published_at=work.now,
        published_by=None,
    )
    row = work.session.get_one(MenuItem, (canteen.school_id, canteen.lunch_older))
    values = {column.name: getattr(row, column.name) for column in MenuItem.__table__.columns}
    work.session.add(menu)
    work.session.flush()
    work.session.add(MenuItem(**{**values, "id": new_id(), "menu_id": menu.id}))


def test_a_buffet_item_without_money_is_declined_quietly_and_nothing_moves(
    do: Any, canteen: Canteen, ring: Any
) -> None:
    pupil_id = new_eater(canteen, do, money_minor=JUICE_MINOR - 1)
    entries = stored(do, JournalEntry)
    order = canteen.order(pupil_id, canteen.juice)
    (answer,) = ring(order)
    assert (answer.verdict, answer.code, answer.items) == ("refused", "F70", ())
    assert held(do, canteen, pupil_id) == (JUICE_MINOR - 1, 0)
    assert (stored(do, JournalEntry), stored(do, SaleLine), stored(do, Sale)) == (entries, 0, 1)


def test_the_meal_is_served_and_the_juice_left_out(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=LUNCH_MINOR + JUICE_MINOR - 1)
    order = canteen.order(pupil_id, canteen.juice, meal=True)
    (answer,) = ring(order)
    assert (answer.verdict, answer.code) == ("served", None)
    assert answer.items == (AnswerItem(canteen.lunch_older, 1, True),)
    assert answer.declined == (AnswerItem(canteen.juice, 1, False),)
    assert [one.code for one in answer.warnings] == ["F70"]
    assert held(do, canteen, pupil_id) == (JUICE_MINOR - 1, 0)
    (again,) = ring(order)
    assert again == answer.again()


def test_the_daily_limit_binds_the_buffet_alone(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00)
    set_limit(canteen, pupil_id, 500_00)
    codes = [
        answer.code
        for answer in ring(
            canteen.order(pupil_id, canteen.juice),
            canteen.order(pupil_id, canteen.juice),
            canteen.order(pupil_id, canteen.bun),
            canteen.order(pupil_id, canteen.bun),
            canteen.order(pupil_id, meal=True),
        )
    ]
    assert codes == [None, "L60", None, "L60", None]
    assert held(do, canteen, pupil_id) == (5_000_00 - 500_00 - LUNCH_MINOR, 0)


def set_limit(canteen: Canteen, pupil_id: UUID, limit_minor: int) -> None:
    from schoolmeals.wallet.models import Purse

    purse = session().scalars(select(Purse).where(Purse.pupil_id == pupil_id)).one()
    purse.limit_minor_day = limit_minor
    session().commit()


def test_a_second_portion_needs_a_word_and_money(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=2 * LUNCH_MINOR)
    meant = ["V53"]
    answers = ring(
        canteen.order(pupil_id, meal=True),
        canteen.order(pupil_id, meal=True),
        canteen.order(pupil_id, meal=True, decisions=meant),
        canteen.order(pupil_id, meal=True, decisions=meant),
    )
    assert [answer.code for answer in answers] == [None, "V53", None, "F70"]
    assert held(do, canteen, pupil_id) == (0, 0)


def test_an_undone_meal_was_not_eaten(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    first = canteen.order(pupil_id, meal=True)
    ring(first)
    do(undo_sale, canteen.school_id, first.id, undo_id=new_id(), actor=canteen.till)
    (answer,) = ring(canteen.order(pupil_id, meal=True))
    assert answer.code is None
    assert held(do, canteen, pupil_id) == (0, LUNCH_MINOR)


def test_sent_twice_is_sold_once(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=2_000_00)
    order = canteen.order(new_card(canteen, pupil_id), canteen.juice, meal=True)
    (first,) = ring(order)
    (second,) = ring(order)
    assert (first.replayed, second.replayed) == (False, True)
    assert second == first.again()
    assert held(do, canteen, pupil_id) == (2_000_00 - LUNCH_MINOR - JUICE_MINOR, 0)
    assert stored(do, Sale) == 1


def test_a_refused_tap_stays_refused_when_money_has_come(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    order = canteen.order(pupil_id, canteen.juice)
    (first,) = ring(order)
    do(put_cash, canteen, pupil_id)
    (second,) = ring(order)
    assert (first.code, second) == ("F70", first.again())
    assert held(do, canteen, pupil_id) == (10_000_00, 0)


def put_cash(work: Work, canteen: Canteen, pupil_id: UUID) -> None:
    from tests.factories.wallet import put_in

    put_in(work, pupil_id, 10_000_00, school_id=canteen.school_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"wants_set_meal": False},
        {"seq": 77},
        {"tapped_at": datetime.fromisoformat("2026-11-23T07:00:01Z")},
        {"items": ()},
        {"sitting_id": UUID(int=9)},
        {"number_hash": b"\x07" * 32, "pupil_id": None},
    ],
)
def test_the_same_id_with_other_content_is_a_conflict(
    do: Any, canteen: Canteen, ring: Any, changes: dict[str, Any]
) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00)
    order = canteen.order(pupil_id, canteen.juice, meal=True)
    ring(order)
    before = held(do, canteen, pupil_id)
    (answer,) = ring(replace(order, **changes))
    assert (answer.verdict, answer.code, answer.pupil) == ("refused", "E04", None)
    assert held(do, canteen, pupil_id) == before
    assert stored(do, Sale) == 1
    assert found(do, select(AuditEvent.action)).count("canteen.refuse_other_content") == 1


def test_another_till_cannot_send_a_known_id(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    order = canteen.order(pupil_id, meal=True)
    ring(order)
    (answer,) = ring(order, actor=canteen.another_till())
    assert answer.code == "E04"


def test_duplicates_within_a_batch_are_answered_like_repeats(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00)
    order = canteen.order(pupil_id, canteen.juice)
    answers = ring(order, order, replace(order, items=()), replace(order, id=new_id(canteen.now)))
    assert [(answer.code, answer.replayed) for answer in answers] == [
        (None, False),
        (None, True),
        ("E04", False),
        ("E03", False),
    ]
    assert held(do, canteen, pupil_id) == (5_000_00 - JUICE_MINOR, 0)
    assert stored(do, Sale) == 1


def test_a_number_that_the_device_has_counted_before_is_out_of_order(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00)
    order = canteen.order(pupil_id, canteen.juice)
    ring(order)
    (answer,) = ring(replace(order, id=new_id(canteen.now)))
    assert answer.code == "E03"
    assert stored(do, Sale) == 1


def test_a_poisoned_order_never_stops_the_rest(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00)
    answers = ring(
        canteen.order(b"\x09" * 32, meal=True),
        canteen.order(uuid4(), meal=True),
        canteen.order(pupil_id),
        canteen.order(pupil_id, (canteen.juice, 21)),
        canteen.order(pupil_id, uuid4()),
        canteen.order(pupil_id, meal=True, sitting_id=uuid4()),
        canteen.order(pupil_id, meal=True),
    )
    assert [answer.code for answer in answers] == ["C10", "C10", "E01", "E01", "M31", "M30", None]
    assert held(do, canteen, pupil_id) == (5_000_00 - LUNCH_MINOR, 0)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"blocked_at": datetime.fromisoformat("2026-11-22T07:00:00Z"), "block_reason": "lost"}, "C11"),
        ({"expires_on": date(2026, 11, 22)}, "C12"),
        ({"expires_on": date(2026, 11, 23)}, None),
        ({"replaced_at": datetime.fromisoformat("2026-11-22T07:00:00Z")}, "C12"),
    ],
)
def test_a_card_that_no_longer_opens(do: Any, canteen: Canteen, ring: Any, card: dict[str, Any], code: str) -> None:
    pupil_id = new_eater(canteen, do)
    (answer,) = ring(canteen.order(new_card(canteen, pupil_id, **card), meal=True))
    assert answer.code == code


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"left_on": date(2026, 11, 23)}, "P20"),
        ({"left_on": date(2026, 11, 24)}, None),
        ({"joined_on": date(2026, 11, 24)}, "P20"),
    ],
)
def test_only_who_is_on_the_roll_eats(do: Any, canteen: Canteen, ring: Any, facts: dict[str, Any], code: str) -> None:
    pupil_id = new_eater(canteen, do, **facts)
    (answer,) = ring(canteen.order(pupil_id, meal=True))
    assert answer.code == code


@pytest.mark.parametrize(
    ("hours", "decisions", "code"),
    [(-2, [], "M30"), (-1, [], None), (2, [], None), (2.5, [], "M30"), (2.5, ["M30"], None)],
)
def test_a_meal_has_its_hours(
    do: Any, canteen: Canteen, ring: Any, hours: int, decisions: list[str], code: str
) -> None:
    pupil_id = new_eater(canteen, do)
    at = canteen.now + timedelta(hours=hours)
    (answer,) = ring(canteen.order(pupil_id, meal=True, tapped_at=at, decisions=decisions), at=at)
    assert answer.code == code


def test_a_clock_that_runs_ahead_is_noted_and_ours_is_taken(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    order = canteen.order(pupil_id, meal=True, tapped_at=canteen.now + timedelta(days=1))
    (answer,) = ring(order)
    assert (answer.code, [one.code for one in answer.warnings]) == (None, ["E05"])
    assert sale_of(do, canteen, order.id).service_day == date(2026, 11, 23)


def test_a_tap_from_this_morning_still_counts_for_its_own_hour(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    order = canteen.order(pupil_id, meal=True)
    (answer,) = ring(order, at=canteen.now + timedelta(hours=71))
    assert (answer.code, [one.code for one in answer.warnings]) == (None, ["E05"])
    assert sale_of(do, canteen, order.id).service_day == date(2026, 11, 23)


def test_the_same_card_at_another_till_within_a_minute_is_shown(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00)
    card = new_card(canteen, pupil_id)
    ring(canteen.order(card, canteen.juice), actor=canteen.another_till())
    near, far = (canteen.now + timedelta(seconds=seconds) for seconds in (59, 60))
    answers = ring(
        canteen.order(card, canteen.juice, tapped_at=near), canteen.order(card, canteen.juice, tapped_at=far), at=far
    )
    assert [[one.code for one in answer.warnings] for answer in answers] == [["C14"], []]


@pytest.mark.parametrize(
    ("allergens", "decisions", "code"),
    [
        ([("milk", "certified")], [], "A40"),
        ([("milk", "certified")], ["A40"], "A40"),
        ([("milk", "intolerance")], [], "A41"),
        ([("milk", "wish")], [], "A42"),
        ([("milk", "wish")], ["A42"], None),
        ([("fish", "certified")], [], None),
    ],
)
def test_the_bun_with_milk_in_it(
    do: Any, canteen: Canteen, ring: Any, allergens: Any, decisions: list[str], code: str
) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00, allergens=allergens)
    (answer,) = ring(canteen.order(pupil_id, canteen.bun, decisions=decisions))
    assert answer.code == code
    assert answer.pupil.allergens == tuple(allergens)


def test_only_the_school_office_at_the_till_decides_against_a_doctor(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=5_000_00, allergens=[("milk", "certified")])
    cashier = PersonFactory.create(roles=[(Role.CASHIER, canteen.school_id)])
    office = PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, canteen.school_id)])
    till = do(identity.device_of, canteen.device_id)
    codes = [
        ring(canteen.order(pupil_id, canteen.bun, decisions=["A40"]), device=replace(till, cashier_id=who.id))[0].code
        for who in (cashier, office)
    ]
    assert codes == ["A40", None]


def test_a_revoked_till_sells_nothing(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    till = replace(do(identity.device_of, canteen.device_id), revoked_at=canteen.now)
    (answer,) = ring(canteen.order(pupil_id, meal=True), device=till)
    assert (answer.code, answer.pupil) == ("E02", None)
    assert stored(do, Sale) == 0


def test_a_pupil_of_another_school_is_not_known(do: Any, canteen: Canteen, ring: Any) -> None:
    school_id = OrganisationFactory.create().id
    elsewhere = replace(canteen, school_id=school_id, class_id=SchoolClassFactory.create(school_id=school_id).id)
    pupil_id = new_eater(elsewhere, do, money_minor=5_000_00)
    (by_name, by_card) = ring(
        canteen.order(pupil_id, meal=True), canteen.order(new_card(elsewhere, pupil_id), meal=True)
    )
    assert (by_name.code, by_name.pupil, by_card.code, by_card.pupil) == ("C10", None, "C10", None)


def test_only_a_till_rings_up(do: Any, canteen: Canteen) -> None:
    with pytest.raises(NotFound):
        do(ring_up, [canteen.order(uuid4(), meal=True)])


def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(
    do: Any, canteen: Canteen, count_statements: Any
) -> None:
    cards = [new_card(canteen, new_eater(canteen, do, money_minor=5_000_00)) for _ in range(20)]

    def counted(work: Work, orders: Any) -> int:
        with count_statements(work.session) as counted:
            ring_up(work, orders)
            work.session.flush()  # sends what was kept for the last
        return int(counted.count)

    one = do(counted, [canteen.order(cards[0], canteen.juice)], actor=canteen.till)
    many = do(counted, [canteen.order(card, canteen.juice) for card in cards for _ in range(10)], actor=canteen.till)
    assert one == many
    assert one <= 17


def test_the_count_of_statements_would_notice_a_query_per_order(
    do: Any, canteen: Canteen, count_statements: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil_id = new_eater(canteen, do, money_minor=50_000_00)
    once = audit.recording

    def one_by_one(work: Work, events: Any) -> Any:
        return [question for event in events for question in once(work, [event])]

    def counted(work: Work) -> int:
        with count_statements(work.session) as counted:
            ring_up(work, orders)
            work.session.flush()  # sends what was kept for the last
        return int(counted.count)

    monkeypatch.setattr(audit, "recording", one_by_one)
    orders = [canteen.order(pupil_id, canteen.juice)]
    one = do(counted, actor=canteen.till)
    orders = [canteen.order(pupil_id, canteen.juice) for _ in range(10)]
    assert do(counted, actor=canteen.till) == one + 9


def test_a_batch_takes_two_round_trips(do: Any, canteen: Canteen, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [new_card(canteen, new_eater(canteen, do, money_minor=5_000_00)) for _ in range(3)]
    device = do(identity.device_of, canteen.device_id)
    sent: list[Any] = []
    once = asking._send

    def counted(*everything: Any) -> Any:
        sent.append(everything)
        return once(*everything)

    monkeypatch.setattr(asking, "_send", counted)
    do(ring_up, [canteen.order(card, canteen.juice) for card in cards], actor=canteen.till, device=device)
    # What is known, the purses locked; what happened, the books and the commit.
    assert len(sent) == 2
