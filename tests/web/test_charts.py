"""Charts: well-formed, named, with their numbers as text, within their view, and without inline styles."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from schoolmeals.web import charts
from schoolmeals.web.charts import Bar, Stack

WEEK = [Bar("дс", 125_000, "1 250"), Bar("сс", 0, "—"), Bar("ср", 250_000, "2 500")]
Drawing = Callable[..., Markup]


def read(svg: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: Markup) -> list[str | None]:
    return [element.text for element in read(svg).iter("text")]


def draw(how: Drawing, what: object) -> Markup:
    return how(what, name="week", title="Апта", description="Күн сайынғы сома")


def test_week_bars_are_in_proportion_and_say_their_numbers() -> None:
    svg = draw(charts.week_bars, WEEK)
    assert [bar.get("height") for bar in read(svg).iter("rect")] == ["64", "0", "128"]
    assert texts(svg) == ["1 250", "дс", "—", "сс", "2 500", "ср"]


def test_level_bars_share_one_scale() -> None:
    svg = draw(charts.level_bars, [Bar("Жоспар", 400, "400"), Bar("Төленді", 100, "100")])
    assert [bar.get("width") for bar in read(svg).iter("rect") if bar.get("class") == "bar"] == ["320", "80"]
    assert texts(svg) == ["Жоспар", "400", "Төленді", "100"]


def test_parts_of_a_stack_touch_and_carry_their_number_in_the_legend() -> None:
    svg = draw(charts.stacked_bars, [Stack("№ 7 мектеп", (50, 30, 0, 20), "100 ₸")])
    parts = [(part.get("class"), part.get("x"), part.get("width")) for part in read(svg).iter("rect")]
    assert parts == [("s1 cut", "0", "160"), ("s2 cut", "160", "96"), ("s3 cut", "256", "0"), ("s4 cut", "256", "64")]
    assert texts(svg) == ["№ 7 мектеп", "100 ₸", "1", "2", "4"]


def test_a_long_label_makes_room_for_the_number() -> None:
    svg = draw(charts.level_bars, [Bar("№ 12 мектеп-гимназия, Сарыарқа ауданы", 1, "1 500 000 ₸")])
    assert texts(svg) == ["№ 12 мектеп-гимназия,…", "1 500 000 ₸"]


def test_a_line_numbers_its_highest_and_its_last_point() -> None:
    points = [Bar(f"{day} қар.", value, str(value)) for day, value in enumerate((10, 40, 20, 5, 15, 25), start=1)]
    svg = draw(charts.line, points)
    assert texts(svg) == ["40", "25", "1 қар.", "6 қар."]
    (drawn,) = read(svg).iter("polyline")
    assert drawn.get("points") == "8,124 68,28 129,92 190,140 251,108 312,76"


def test_a_line_numbers_one_point_where_two_would_collide() -> None:
    points = [Bar("1 қар.", 10, "10"), Bar("2 қар.", 40, "40")]
    assert texts(draw(charts.line, points)) == ["40", "1 қар.", "2 қар."]


def test_names_and_descriptions_are_tied_to_the_picture() -> None:
    svg = read(draw(charts.week_bars, WEEK))
    title, description = svg.find("title"), svg.find("desc")
    assert title is not None
    assert description is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}" == "week-title week-desc"
    assert (title.text, description.text) == ("Апта", "Күн сайынғы сома")


def test_what_people_typed_stays_text() -> None:
    svg = draw(charts.week_bars, [Bar('<script x="1">', 1, "a & b")])
    assert texts(svg) == ["a & b", '<script x="1">']
    assert "<script" not in svg


@pytest.mark.parametrize("how", [charts.week_bars, charts.level_bars, charts.stacked_bars, charts.line])
def test_nothing_to_show_is_still_a_picture(how: Drawing) -> None:
    assert texts(draw(how, [])) == []


values = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=7)


@given(values)
def test_everything_stays_inside_the_view(amounts: list[int]) -> None:
    bars = [Bar("дс", amount, "1 250") for amount in amounts]
    for how in (charts.week_bars, charts.level_bars, charts.line):
        assert_inside(draw(how, bars))
    assert_inside(draw(charts.stacked_bars, [Stack("№ 7", tuple(amounts[:4]), "1 250")]))


def assert_inside(svg: Markup) -> None:
    picture = read(svg)
    _, _, width, height = map(int, picture.get("viewBox", "").split())
    assert "style=" not in svg
    for element in picture.iter("rect"):
        x, y, across, down = (int(element.get(name, "")) for name in ("x", "y", "width", "height"))
        assert min(x, y, across, down) >= 0
        assert x + across <= width
        assert y + down <= height
    for element in picture.iter("text"):
        assert 0 <= int(element.get("x", "")) <= width
        assert 12 <= int(element.get("y", "")) <= height
