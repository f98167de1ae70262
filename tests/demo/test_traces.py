"""A receipt of the demo city, whose tenders were really sealed, opened and judged: every step back to the tender holds,
and whatever somebody with the database in their hands changes on the way is found.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, current_app
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from schoolmeals import canteen, identity
from schoolmeals.actors import PUBLIC, SYSTEM, device
from schoolmeals.canteen.orders import Order, OrderItem
from schoolmeals.database import Work, reading, transaction
from schoolmeals.demo.city import seed_city, tell_tenders
from schoolmeals.identity.queries import devices_of
from schoolmeals.ids import new_id
from schoolmeals.procurement import ServerKeys
from schoolmeals.pupils.models import Pupil
from schoolmeals.transparency.commands import trace_receipt
from schoolmeals.transparency.tracing import Trace, trace
from schoolmeals.web.frame import frame
from tests.shelf import empty

NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
CHAIN = ["menu", "price", "contract", "award", "bid", "tender"]


@pytest.fixture(scope="module")
def receipt(_session_app: Flask, owner_engine: Engine) -> Iterator[UUID]:
    """What one pupil of the first school buys at noon: lunch, and two things of the buffet."""
    with _session_app.app_context():
        seed_city(NOON, zone=frame().zone, schools=4, pupils=40, days=1)
        tell_tenders(NOON)
        yield buy_lunch()
    empty(owner_engine)


def buy_lunch() -> UUID:
    with reading(SYSTEM, NOON) as look:
        school = identity.schools(look)[0]
        (menu, *_) = [one for one in canteen.menu_of(look, school.id, NOON.date()) if one.meal == "lunch"]
        till = devices_of(look, school.id)[0]
        eaten = "SELECT pupil_id FROM sale WHERE school_id = :school AND service_day = :day"
        fed = look.session.scalars(text(eaten), {"school": school.id, "day": NOON.date()}).all()
        pupil_id = look.session.scalars(
            select(Pupil.id).where(Pupil.school_id == school.id, Pupil.left_on.is_(None), Pupil.id.not_in(fed))
        ).first()
    buffet = [line for line in menu.items if line.kind == "buffet" and not line.allergens]
    order = Order(
        id=new_id(NOON),
        seq=1_000_000,
        tapped_at=NOON,
        sitting_id=menu.sitting_id,
        number_hash=None,
        pupil_id=pupil_id,
        wants_set_meal=True,
        items=tuple(OrderItem(line.id, 1) for line in buffet[:2]),
        decisions=(),
    )
    with transaction(device(till.id, school.id), NOON) as work:
        (answer,) = canteen.ring_up(work, [order], zone=frame().zone)
    assert answer.is_served, answer.code
    return order.id


def traced(receipt: UUID, engine: Engine, changes: str = "", **how: Any) -> Trace:
    """The walk, after changes past every trigger that are forgotten again."""
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in filter(None, changes.split("; ")):
            assert connection.exec_driver_sql(statement).rowcount, statement
        keys = ServerKeys.of(frame().settings.secret_key)
        found = trace(Work(Session(connection), PUBLIC, NOON), receipt, keys=keys, **how)
        connection.rollback()
    return found


def broken(found: Trace) -> list[str]:
    """The steps of the first line that do not hold."""
    return [step.code for step in found.lines[0].steps if not step.holds]


def test_a_receipt_is_walked_back_to_the_tender(receipt: UUID, owner_engine: Engine) -> None:
    found = traced(receipt, owner_engine)
    assert [step.code for step in found.lines[0].steps] == CHAIN
    assert broken(found) == []
    assert found.holds
    assert found.is_whole
    price = found.lines[0].price
    assert price is not None
    assert price.bid is not None
    assert price.contract.supplier.identifier, "registers are asked by a supplier's number"
    assert found.lines[0].sold.price_minor == price.contract.price_minor == price.bid.price_minor
    assert found.sold.total_minor == found.sold.posted_minor


OTHER_LINE = (
    "UPDATE menu_item SET contract_item_id = gen_random_uuid(); "
    "UPDATE sale_line SET contract_item_id = (SELECT contract_item_id FROM menu_item WHERE id = menu_item_id)"
)
OTHER_SCHOOL = (
    "UPDATE contract SET buyer_id = (SELECT id FROM organisation"
    " WHERE kind = 'school' AND id <> contract.buyer_id LIMIT 1)"
)
OTHER_MEAL = "UPDATE sitting SET meal = 'breakfast' WHERE meal = 'lunch'"
FRAUDS = {
    "the menu's price": ("UPDATE menu_item SET price_minor = price_minor + 1", "menu"),
    "a dearer sale": ("UPDATE sale_line SET price_minor = price_minor + 1", "menu"),
    "another price line": (OTHER_LINE, "price"),
    "the contract's price": ("UPDATE contract_price SET price_minor = price_minor + 1", "price"),
    "another school's contract": (OTHER_SCHOOL, "price"),
    "another meal": (OTHER_MEAL, "price"),
    "a contract that had not begun": (
        "UPDATE contract SET starts_on = starts_on + 400, ends_on = ends_on + 400",
        "price",
    ),
    "a contract that was over": ("UPDATE contract SET starts_on = starts_on - 400, ends_on = ends_on - 400", "price"),
    "a contract that nobody put in force": ("UPDATE contract SET active_at = NULL", "price"),
    "a contract that was terminated": (
        "UPDATE contract SET terminated_at = active_at, fault = 'none' WHERE active_at IS NOT NULL",
        "price",
    ),
    "another meal's price line": ("UPDATE contract_item SET quantity = 1, lot_item_id = NULL", "contract"),
    "another supplier's contract": (
        "UPDATE contract SET supplier_id = (SELECT id FROM organisation WHERE id <> contract.supplier_id LIMIT 1)",
        "contract",
    ),
    "the contract's text": ("UPDATE contract_document SET text = replace(text, '\"award\"', '\"x\"')", "contract"),
    "a signature that is gone": ("DELETE FROM contract_signature WHERE side = 'buyer'", "contract"),
    "a signature for another text": ("UPDATE contract_signature SET sha256 = sha256('x'::bytea)", "contract"),
    "the points of the award": ("UPDATE award SET points_milli = points_milli + 500", "award"),
    "the score sheet": ("UPDATE score_sheet SET text = replace(text, '\"rank\":1', '\"rank\":2')", "award"),
    "the manifest": ("UPDATE frozen_bid SET manifest = manifest || decode('20', 'hex')", "bid"),
    "what the bid asked": (
        "UPDATE opened_bid SET plaintext = replace(plaintext::text, '_minor\": ', '_minor\": 1')::jsonb",
        "bid",
    ),
    "another bid's supplier": (
        "UPDATE frozen_bid SET tenderer_id = (SELECT id FROM organisation WHERE id <> frozen_bid.tenderer_id LIMIT 1)",
        "bid",
    ),
    "what else the bid said": (
        "UPDATE opened_bid SET plaintext = plaintext || '{\"x\": 1}'::jsonb WHERE plaintext IS NOT NULL",
        "bid",
    ),
    "the digest of what was opened": (
        "UPDATE opened_bid SET plaintext_sha256 = repeat('0', 64) WHERE plaintext_sha256 IS NOT NULL",
        "bid",
    ),
    "the sealed files": ("UPDATE ciphertext_part SET body = set_byte(body, 99, get_byte(body, 99) # 1)", "bid"),
    "a share of the opening": ("UPDATE opening_share SET share = sha256(share) || share WHERE ok", "bid"),
    "another bid's decision": ("UPDATE award SET value_minor = value_minor + 1", "award"),
    "a text that nobody can read": ("UPDATE contract_document SET text = 'x'", "price"),
    "the tender's text": ("UPDATE tender_version SET text = replace(text, '\"kz', '\"KZ')", "tender"),
}


@pytest.mark.parametrize("name", FRAUDS)
def test_whatever_was_changed_on_the_way_is_found(receipt: UUID, owner_engine: Engine, name: str) -> None:
    statement, code = FRAUDS[name]
    found = traced(receipt, owner_engine, statement)
    assert code in broken(found), name
    assert not found.holds
    assert traced(receipt, owner_engine).holds, "the change was forgotten"


def test_large_files_are_opened_by_the_command_alone(receipt: UUID, owner_engine: Engine) -> None:
    """What the page did not open again it does not vouch for: there a changed digest of the content is not found."""
    statement, _ = FRAUDS["the digest of what was opened"]
    unopened = traced(receipt, owner_engine, statement, open_up_to=0)
    assert broken(unopened) == []
    facts = {step.code: step.facts for step in unopened.lines[0].steps}
    assert not facts["bid"]["opened_again"]
    assert broken(traced(receipt, owner_engine, statement, open_up_to=None)) == ["bid"]


def test_a_sum_that_the_books_do_not_know_is_found(receipt: UUID, owner_engine: Engine) -> None:
    changed = "UPDATE sale SET total_minor = total_minor + 1, money_minor = money_minor + 1"
    found = traced(receipt, owner_engine, changed)
    assert (found.sold.adds_up, found.holds) == (False, False)


def test_the_command_walks_the_same_way(receipt: UUID) -> None:
    runner = current_app.test_cli_runner()
    good = runner.invoke(trace_receipt, [str(receipt)])
    assert good.exit_code == 0, good.output
    codes = [line.split()[1] for line in good.output.splitlines() if line.startswith("holds")]
    assert codes[:7] == ["receipt", *CHAIN]
    assert runner.invoke(trace_receipt, [str(new_id())]).exit_code == 1
