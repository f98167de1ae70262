"""The form of the four-week menu: days that need no typing, a week copied, a table pasted; all without scripts."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.actors import SYSTEM
from schoolmeals.errors import FieldProblem
from schoolmeals.procurement.queries.drafts import lots_of, sections_of
from schoolmeals.procurement.rules.menus import place_of, weekdays_of, with_table, with_week_copied, written_rows
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import LOT_SECTIONS, Procurement, texts

DAYS = LOT_SECTIONS["menu"]["days"]


def row(week: int, weekday: int, name: str = "Borscht", meal: str = "lunch") -> dict[str, Any]:
    return {"week": week, "weekday": weekday, "meal": meal, "dishes": texts(name), "kcal": 700}


@given(st.permutations(DAYS), st.integers(1, 4), st.integers(1, 4))
def test_a_copied_week_is_the_other_and_the_rest_stays(days: list[Any], source: int, target: int) -> None:
    marked = [{**one, "kcal": 100 * one["week"] + one["weekday"]} for one in days]
    made = with_week_copied(marked, source, target)
    said = {(one["week"], one["weekday"]): one["kcal"] for one in made}
    assert len(made) == len(said) == len(DAYS)
    for (week, weekday), kcal in said.items():
        assert kcal == 100 * (source if week == target else week) + weekday
    assert made == written_rows(made), "in the order of the days"


def test_lines_of_a_table_go_to_the_days_in_their_turn() -> None:
    text = "Борщ\tБорщ\tBorscht\t650\n\nПалау;Плов;Pilaf;800"
    made = with_table([row(2, 2, "Soup")], text, "lunch", 2, 5)
    assert not isinstance(made, FieldProblem)
    told = [(one["week"], one["weekday"], one["dishes"]["en"], one["kcal"]) for one in made]
    assert told == [(2, 1, "Borscht", 650), (2, 2, "Soup", 700), (2, 3, "Pilaf", 800)]
    six = with_table([], "\n".join(["а;б;c;500"] * 24), "lunch", 1, 6)
    assert not isinstance(six, FieldProblem)
    assert six[-1]["weekday"] == 6


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "menu-lines"),
        ("\n".join(["а;б;c;500"] * 21), "menu-lines"),
        ("а;б;c", "menu-line"),
        ("а;б;c;many", "menu-line"),
        ("а;б;c;-5", "menu-line"),
        ("а;б;c;²", "menu-line"),
    ],
)
def test_what_is_no_table_is_refused_whole(text: str, code: str) -> None:
    refused = with_table([], text, "lunch", 1, 5)
    assert isinstance(refused, FieldProblem)
    assert refused.code == code


def test_rows_out_of_the_table_are_kept_and_six_days_are_seen() -> None:
    odd = {"week": 9, "dishes": texts("Soup")}
    assert place_of(odd) is None
    assert written_rows([odd, row(1, 1), {"week": 1, "weekday": 2, "meal": "lunch"}]) == [row(1, 1), odd]
    assert (weekdays_of([row(1, 5)]), weekdays_of([row(1, 6)])) == (5, 6)


def test_an_officer_fills_the_menu_without_typing_a_day(world: Procurement, app: Flask) -> None:
    draft_id = world.draft()
    lot_id = world.look(lots_of, draft_id, actor=SYSTEM)[0].id
    page = f"/procurement/tenders/{draft_id}/lots/{lot_id}/edit/menu"
    assert world.editor.id is not None
    editor = signed_in(app, world.editor.id)
    first = shown(editor, page)
    assert first.count("<fieldset") == 20
    assert "Borscht" in first
    assert "Saturday</legend>" not in first
    assert shown(editor, f"{page}?weekdays=6").count("<fieldset") == 24
    form = {"season": "winter-spring", "weekdays": "5"}
    form |= {"days.0.week": "1", "days.0.weekday": "1", "days.0.meal": "lunch", "days.0.kcal": "640"}
    form |= {f"days.0.dishes.{code}": "Көже" for code in ("kk", "ru", "en")}
    form |= {"days.1.week": "1", "days.1.weekday": "2", "days.1.meal": "lunch"}
    assert send(editor, page, form, shown_at=page).status_code == 303
    assert menu(world, draft_id, lot_id) == [(1, 1, 640)], "a day that is left empty is left out"
    copied = {**form, "step": "copy", "from_week": "1", "to_week": "3"}
    assert send(editor, page, copied, shown_at=page).location.endswith("/edit/menu")
    assert menu(world, draft_id, lot_id) == [(1, 1, 640), (3, 1, 640)]
    pasted = {**form, "step": "paste", "paste_meal": "lunch", "paste_week": "4", "table": "а;б;c;500\nа;б;c;510"}
    assert send(editor, page, pasted, shown_at=page).status_code == 303
    assert menu(world, draft_id, lot_id) == [(1, 1, 640), (4, 1, 500), (4, 2, 510)]
    wrong = send(editor, page, {**pasted, "table": "а;б"}, shown_at=page)
    assert wrong.status_code == 422
    assert "Көже" in wrong.text, "what was typed is kept"
    assert send(editor, page, {**copied, "to_week": "5"}, shown_at=page).status_code == 422
    assert menu(world, draft_id, lot_id) == [(1, 1, 640), (4, 1, 500), (4, 2, 510)]


def menu(world: Procurement, draft_id: UUID, lot_id: UUID) -> list[tuple[int, int, int]]:
    days = world.look(sections_of, draft_id, actor=SYSTEM)[lot_id]["menu"]["days"]
    return [(one["week"], one["weekday"], one["kcal"]) for one in days]


def shown(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)
