"""Menus: drafted, published in versions, copied, read from files."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from schoolmeals import canteen as door
from schoolmeals.actors import Role
from schoolmeals.audit import AuditEvent
from schoolmeals.canteen.actions.imports import import_menus
from schoolmeals.canteen.menu_files import template
from schoolmeals.canteen.menus import NewMenuItem
from schoolmeals.errors import Invalid, NotFound, Refusal
from schoolmeals.ids import new_id
from tests.factories.canteen import Canteen, new_eater
from tests.factories.identity import actor_of

TODAY = date(2026, 11, 23)
TOMORROW = TODAY + timedelta(days=1)
COMPOTE = NewMenuItem(kind="buffet", name_kk="Компот", name_ru="Компот", name_en="Compote", price_minor=150_00)
LUNCH = NewMenuItem(
    kind="set", age_group="6-10", name_kk="Түскі ас", name_ru="Обед", name_en="Lunch", price_minor=800_00
)


def of_day(do: Any, canteen: Canteen, day: date) -> Any:
    """The one sitting's menu of a day, with its draft."""
    (menu,) = do(door.menu_in_draft, canteen.school_id, day)
    return menu


def names(lines: Any) -> list[str]:
    return [line.names["en"] for line in lines]


def test_a_draft_is_sold_once_it_is_published(do: Any, canteen: Canteen) -> None:
    do(door.put_item, canteen.school_id, TOMORROW, canteen.sitting_id, LUNCH)
    menu = of_day(do, canteen, TOMORROW)
    assert (menu.version, names(menu.items), names(menu.draft)) == (0, [], ["Lunch"])
    assert menu.missing_age_groups == ("11-14", "15-18")
    assert do(door.publish_menu, canteen.school_id, TOMORROW, canteen.sitting_id) == 1
    menu = of_day(do, canteen, TOMORROW)
    assert (menu.version, names(menu.items), menu.has_changes) == (1, ["Lunch"], False)


def test_what_was_published_is_sold_until_the_next_version(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=9_000_00)
    dearer = NewMenuItem(kind="buffet", name_kk="Шырын", name_ru="Сок", name_en="Juice", price_minor=400_00)
    new_id_of_juice = do(door.replace_item, canteen.school_id, canteen.juice, dearer)
    do(door.take_off_item, canteen.school_id, canteen.bun)
    assert new_id_of_juice != canteen.juice
    codes = [one.code for one in ring(*(canteen.order(pupil_id, item) for item in (canteen.juice, canteen.bun)))]
    assert codes == [None, None]
    assert ring(canteen.order(pupil_id, new_id_of_juice))[0].code == "M31"
    assert do(door.publish_menu, canteen.school_id, TODAY, canteen.sitting_id) == 2
    orders = [canteen.order(pupil_id, item) for item in (canteen.juice, canteen.bun, new_id_of_juice)]
    assert [one.code for one in ring(*orders)] == ["M31", "M31", None]


def test_a_line_of_the_draft_is_written_anew_and_taken_off(do: Any, canteen: Canteen) -> None:
    item_id = do(door.put_item, canteen.school_id, TOMORROW, canteen.sitting_id, COMPOTE)
    assert do(door.replace_item, canteen.school_id, item_id, LUNCH) == item_id
    do(door.take_off_item, canteen.school_id, item_id)
    assert of_day(do, canteen, TOMORROW).draft == ()
    with pytest.raises(NotFound):
        do(door.take_off_item, canteen.school_id, item_id)


@pytest.mark.parametrize(
    ("day", "code"), [(TODAY - timedelta(days=1), "day-is-over"), (TODAY, "nothing-new"), (TOMORROW, "menu-is-empty")]
)
def test_what_cannot_be_published(do: Any, canteen: Canteen, day: date, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        do(door.publish_menu, canteen.school_id, day, canteen.sitting_id)
    assert refusal.value.code == code


def test_a_line_that_no_menu_can_hold_is_refused_field_by_field(do: Any, canteen: Canteen) -> None:
    bad = NewMenuItem(
        kind="set", name_kk=" ", name_ru="x" * 121, name_en="\u202e", price_minor=-1, kcal=9_999, portion_g=0,
        allergens=["cheese"], dishes=[{"ru": "Суп"}],
    )  # fmt: skip
    with pytest.raises(Invalid) as refusal:
        do(door.put_item, canteen.school_id, TOMORROW, canteen.sitting_id, bad)
    assert {name: [one.code for one in found] for name, found in refusal.value.fields.items()} == {
        "age_group": ["unknown"],
        "name_kk": ["needed"],
        "name_ru": ["too-long"],
        "name_en": ["odd-characters"],
        "price": ["out-of-range"],
        "portion_g": ["out-of-range"],
        "kcal": ["out-of-range"],
        "allergens": ["unknown-allergen"],
        "dishes": ["needed"],
    }
    assert of_day(do, canteen, TOMORROW).draft == ()


def test_only_the_schools_own_office_keeps_menus(do: Any, canteen: Canteen) -> None:
    for role, school_id in ((Role.CASHIER, canteen.school_id), (Role.SCHOOL_OFFICE, new_id())):
        who = actor_of(new_id(), (role, school_id))
        with pytest.raises(NotFound):
            do(door.put_item, canteen.school_id, TOMORROW, canteen.sitting_id, COMPOTE, actor=who)
    assert of_day(do, canteen, TOMORROW).draft == ()


def test_a_day_is_copied_as_it_was_sold(do: Any, canteen: Canteen) -> None:
    do(door.put_item, canteen.school_id, TOMORROW, canteen.sitting_id, COMPOTE)
    do(door.take_off_item, canteen.school_id, canteen.bun)
    assert do(door.copy_day, canteen.school_id, source=TODAY, target=TOMORROW) == 4
    assert names(of_day(do, canteen, TOMORROW).draft) == names(do(door.menu_of, canteen.school_id, TODAY)[0].items)
    with pytest.raises(NotFound):
        do(door.copy_day, canteen.school_id, source=date(2026, 1, 1), target=TOMORROW)


def test_a_sitting_is_held_moved_and_ended(do: Any, canteen: Canteen) -> None:
    sitting_id = do(
        door.hold_sitting, canteen.school_id, meal="breakfast", opens_at=time(8), closes_at=time(9), shift=2
    )
    do(door.move_sitting, canteen.school_id, sitting_id, opens_at=time(8, 30), closes_at=time(9, 30))
    do(door.end_sitting, canteen.school_id, sitting_id, on=TOMORROW)
    assert [one.meal for one in do(door.sittings_of, canteen.school_id, TODAY)] == ["breakfast", "lunch"]
    assert [one.meal for one in do(door.sittings_of, canteen.school_id, TOMORROW)] == ["lunch"]
    with pytest.raises(Invalid) as refusal:
        do(door.hold_sitting, canteen.school_id, meal="tea", opens_at=time(9), closes_at=time(9), shift=4)
    assert set(refusal.value.fields) == {"meal", "closes_at", "shift"}


def test_the_template_can_be_read(do: Any, canteen: Canteen) -> None:
    found = do(import_menus, canteen.school_id, template())
    assert (found.lines, found.bad) == (2, [])
    menu = of_day(do, canteen, TODAY)
    assert names(menu.draft) == ["Lunch", "Apple juice"]
    assert [line.price_minor for line in menu.draft] == [850_00, 300_00]
    assert menu.draft[0].dishes[1] == {"kk": "Палау", "ru": "Плов", "en": "Pilaf"}
    assert menu.draft[0].allergens == ("celery", "milk")
    assert len(menu.items) == 4


def test_good_rows_go_in_and_every_bad_cell_is_told(do: Any, canteen: Canteen) -> None:
    rows = [
        "day,meal,shift,kind,age_group,name_kk,name_ru,price,kcal,allergens",
        '24.11.2026,lunch,1,buffet,,Компот,Компот,"150,50",,',
        "2026-11-24,lunch,1,set,6–10,Түскі ас,Обед,850,700,milk",
        "2026-13-24,lunch,1,buffet,,Компот,Компот,150,,",
        "2026-11-24,lunch,2,buffet,,Компот,Компот,150,,",
        "2026-11-24,supper,1,drink,,Компот,,dear,many,cheese",
        "2026-11-20,lunch,1,buffet,,Компот,Компот,150,,",
    ]
    found = do(import_menus, canteen.school_id, "\n".join(rows).encode())
    menu = of_day(do, canteen, TOMORROW)
    assert [(line.kind, line.age_group, line.price_minor) for line in menu.draft] == [
        ("buffet", None, 150_50),
        ("set", "6-10", 850_00),
    ]
    assert [(bad.line, bad.column, bad.problem.code) for bad in found.bad] == [
        (4, "day", "unreadable"),
        (5, "meal", "no-such-sitting"),
        (6, "meal", "unreadable"),
        (6, "price", "unreadable"),
        (6, "kcal", "unreadable"),
        (6, "kind", "unknown"),
        (6, "name_ru", "needed"),
        (6, "allergens", "unknown-allergen"),
        (0, "2026-11-20", "day-is-over"),
    ]
    (event,) = do(
        lambda work: work.session.scalars(
            select(AuditEvent.payload).where(AuditEvent.action == "canteen.import_menus")
        ).all()
    )
    assert '"lines":2' in event


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "file-empty"), (b"a;b\n1;2", "header-unknown"), (b"PK\x03\x04zip", "header-unknown")]
)
def test_a_file_that_is_no_menu_is_refused(do: Any, canteen: Canteen, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        do(import_menus, canteen.school_id, content)
    assert refusal.value.code == code


def test_a_day_is_counted_and_closed_once(do: Any, canteen: Canteen, ring: Any) -> None:
    first, second = new_eater(canteen, do, money_minor=9_000_00), new_eater(canteen, do)
    taken_back = canteen.order(second, meal=True)
    ring(
        canteen.order(first, canteen.juice, meal=True),
        taken_back,
        canteen.order(second, canteen.juice),
    )
    do(door.undo_sale, canteen.school_id, taken_back.id, undo_id=new_id(), actor=canteen.till)
    counts = do(door.day_counts, canteen.school_id, TODAY)
    (lunch,) = counts.sittings
    assert (lunch.set_meals, lunch.pupils, lunch.buffet_sales, lunch.refused, lunch.undone) == (1, 1, 1, 1, 1)
    assert (counts.pupils, counts.fed, counts.total_minor, counts.closed_at) == (2, 1, 1_150_00, None)
    closing = do(door.close_day, canteen.school_id, TODAY)
    assert closing.counts["fed"] == 1
    assert sum(row["debits_minor"] - row["credits_minor"] for row in closing.trial_balance) == 0
    with pytest.raises(Refusal) as refusal:
        do(door.close_day, canteen.school_id, TODAY)
    assert refusal.value.code == "already-closed"
    with pytest.raises(Refusal) as refusal:
        do(door.put_item, canteen.school_id, TODAY, canteen.sitting_id, COMPOTE)
    assert refusal.value.code == "day-is-closed"
