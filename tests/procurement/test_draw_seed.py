"""The seed of a draw is written in one form, which is announced with its source: no public value gives two draws."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotNow
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.actions import draws
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.draw import seed_example, seed_problem, written_seed
from tests.factories.identity import signed_in
from tests.factories.procurement import SEED, Procurement, rates_of

OTHERWISE = (
    "525,31 567,89 6,71",  # commas
    "52531 56789 671",  # no points
    "525.310 567.890 6.710",  # needless zeros behind
    "0525.31 567.89 6.71",  # and in front
    "525.3 567.8 6.7",  # cut
    "525.31 567.89",  # a number is missing
    "525.31 567.89 6.71 6.71",
    "525.31, 567.89, 6.71",
    "USD 525.31 EUR 567.89 RUB 6.71",
    "+525.31 567.89 6.71",
    "525.31\u2007567.89\u20076.7\u0661",  # a digit of another alphabet
    "5 25.31 567.89 6.71",
    "",
)


@st.composite
def values(chosen: st.DrawFn) -> tuple[list[int], int]:
    """Public values in their last digit, and how many digits stand after the point."""
    return chosen(st.lists(st.integers(0, 10**9), min_size=1, max_size=6)), chosen(st.integers(0, 6))


def as_announced(numbers: Sequence[int], decimals: int) -> str:
    """Each number by whole-number arithmetic alone: the rule, written a second time."""
    unit = 10**decimals
    return " ".join(f"{one // unit}" + (f".{one % unit:0{decimals}d}" if decimals else "") for one in numbers)


@given(values())
def test_every_public_value_has_one_form(value: tuple[list[int], int]) -> None:
    numbers, decimals = value
    seed = as_announced(numbers, decimals)
    assert seed_problem(seed, len(numbers), decimals) is None
    back = [int(one.replace(".", "")) for one in seed.split(" ")]
    assert back == numbers, "two seeds are two values"


@given(values(), st.text(alphabet="0123456789., +-eE\u0661\u00a0", max_size=30))
def test_whatever_is_taken_is_the_form_of_its_value(value: tuple[list[int], int], typed: str) -> None:
    """Written in any other way, with other separators, zeros or signs, it is refused or becomes the very same seed."""
    count, decimals = len(value[0]), value[1]
    seed = written_seed(typed)
    if seed_problem(seed, count, decimals) is None:
        assert seed == as_announced([int(one.replace(".", "")) for one in seed.split(" ")], decimals)


def test_the_example_has_the_form() -> None:
    assert seed_example(3, 2) == "123.45 123.45 123.45"
    for count in range(1, 7):
        for decimals in range(7):
            assert seed_problem(seed_example(count, decimals), count, decimals) is None


@pytest.mark.parametrize("typed", OTHERWISE)
def test_a_seed_written_otherwise_is_refused(world: Procurement, typed: str) -> None:
    tender_id = announced(world)
    before = world.look(tender_queries.acts, tender_id)
    with pytest.raises(Invalid) as caught:
        world.do(draws.draw_members, tender_id, typed)
    (problem,) = caught.value.fields["seed"]
    assert problem.code == "seed-form"
    assert problem.params == {"count": 3, "decimals": 2, "example": "123.45 123.45 123.45"}
    assert world.look(tender_queries.acts, tender_id) == before
    assert world.seats(tender_id) == ()


def test_spaces_alone_make_no_other_seed(world: Procurement) -> None:
    tender_id = announced(world)
    world.do(draws.draw_members, tender_id, "  525.31\t567.89  6.71\n")
    assert seed_of(world, tender_id) == SEED


def test_a_draw_that_takes_any_writing_is_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: whatever is typed is the seed, so one public value gives whoever types it a choice of draws."""
    tender_id = announced(world)
    monkeypatch.setattr(draws, "seed_problem", lambda *_: None)
    world.do(draws.draw_members, tender_id, OTHERWISE[0])
    assert seed_of(world, tender_id) == OTHERWISE[0]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"numbers": ()}, "seed_numbers", "seed-names"),
        ({"numbers": ("",)}, "seed_numbers", "seed-names"),
        ({"numbers": ("USD", " ")}, "seed_numbers", "seed-names"),
        ({"numbers": tuple("ABCDEFG")}, "seed_numbers", "seed-names"),
        ({"numbers": ("USD\x00",)}, "seed_numbers", "seed-names"),
        ({"numbers": ("USD", " USD")}, "seed_numbers", "twice"),
        ({"decimals": -1}, "seed_decimals", "out-of-range"),
        ({"decimals": 7}, "seed_decimals", "out-of-range"),
        ({"source": " "}, "seed_source", "needed"),
    ],
)
def test_an_announcement_says_the_whole_form(world: Procurement, change: dict[str, Any], field: str, code: str) -> None:
    tender_id = world.bare_draft()
    plan = replace(rates_of(world.clock() + timedelta(hours=1)), **change)
    with pytest.raises(Invalid) as caught:
        world.do(draws.announce_draw, tender_id, plan)
    assert {name: [one.code for one in found] for name, found in caught.value.fields.items()} == {field: [code]}
    assert all(one.kind != "draw-announced" for one in world.look(tender_queries.acts, tender_id))


def test_what_was_announced_without_a_form_is_announced_anew(
    world: Procurement, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Announcements of earlier versions stand in the record; nobody draws by them any more."""
    with monkeypatch.context() as earlier:
        earlier.setattr("schoolmeals.procurement.actions.draws.record_act", as_recorded_earlier)
        tender_id = announced(world)
    with pytest.raises(NotNow) as caught:
        world.do(draws.draw_members, tender_id, SEED)
    assert caught.value.code == "seed-without-form"
    assert world.editor.id is not None
    page = signed_in(app, world.editor.id).get(f"/procurement/tenders/{tender_id}/commission").text
    assert "Announce the draw" in page
    assert app.test_client().get(f"/draws/{announcement_of(world, tender_id)}").status_code == 200
    world.do(draws.announce_draw, tender_id, rates_of(world.clock() + timedelta(minutes=1)))
    world.clock.move(timedelta(minutes=2))
    assert len(world.do(draws.draw_members, tender_id, SEED)) == 8


def test_everybody_reads_the_form_with_the_source(world: Procurement, app: Flask) -> None:
    tender_id = announced(world)
    page = app.test_client().get(f"/draws/{announcement_of(world, tender_id)}").text
    assert "Rates of the National Bank" in page
    assert "USD, EUR, RUB" in page


def announced(world: Procurement) -> UUID:
    """A draft whose draw is announced, and whose seed is known by now."""
    tender_id = world.bare_draft()
    world.do(draws.announce_draw, tender_id, rates_of(world.clock() + timedelta(minutes=1)))
    world.clock.move(timedelta(minutes=2))
    return tender_id


def announcement_of(world: Procurement, tender_id: UUID) -> UUID:
    acts = world.look(tender_queries.acts, tender_id)
    found: UUID = next(one.id for one in reversed(acts) if one.kind == "draw-announced")
    return found


def seed_of(world: Procurement, tender_id: UUID) -> str:
    found = world.look(commission_queries.draw_record, announcement_of(world, tender_id)).seed
    assert isinstance(found, str)
    return found


def as_recorded_earlier(work: Work, hand: AtHand, kind: ActKind, payload: dict[str, Any]) -> Act:
    said = {name: value for name, value in payload.items() if name not in ("seed_numbers", "seed_decimals")}
    return record_act(work, hand, kind, said)
