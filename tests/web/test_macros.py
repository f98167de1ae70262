"""The page's frame and its patterns: well-formed, escaped, labelled, and never colour alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask import Blueprint, Flask, render_template_string
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from html5lib.html5parser import ParseError

from schoolmeals.web import formats

LUNCH = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'&"
EVERYTHING = """
{% extends "web/page.html" %}
{% import "web/macros.html" as m %}
{% block title %}{{ evil }}{% endblock %}
{% block main %}
{{ m.error_summary({"sum": evil, "phone": [evil, "two"], "": evil}, evil) }}
{{ m.back_link("/", evil) }}
<form method="post" enctype="multipart/form-data">{{ m.csrf() }}
{{ m.field("phone", evil, evil, hint=evil, error=[evil, "two"], type="tel") }}
{{ m.field("sum", evil, type="money", error=evil, required=false, attributes={"maxlength": 9}) }}
{{ m.field("code", evil, type="code", hint=evil) }}
{{ m.field("words", evil, evil, type="textarea") }}
{{ m.select("class", evil, [(1, evil), (2, "7")], value="2", empty=evil, error=evil) }}
{{ m.radios("sitting", evil, [("a", evil), ("b", "B", evil)], value="b", hint=evil, error=evil) }}
{{ m.checkboxes("allergen", evil, [("milk", evil), ("egg", "E", evil)], values=["egg"]) }}
{{ m.checkbox("consent", evil, checked=true, hint=evil, error=evil) }}
{{ m.chips("round", evil, [(2000, evil), (5000, "5")], value=5000, error=evil) }}
{{ m.file_upload("file", evil, accept=".csv", hint=evil, error=evil, multiple=true) }}
{{ m.button(evil, "warning", "do", evil) }}{{ m.button_link(evil, "/", "secondary") }}
</form>
{{ m.notification(evil, "bad") }}{{ m.notification(evil, "message") }}
{{ m.panel(evil, evil) }}{{ m.warning_text(evil) }}{{ m.inset(evil) }}{% call m.inset() %}<p>x</p>{% endcall %}
{{ m.empty_state(evil, evil, (evil, "/")) }}
{% for kind in ("good", "bad", "care", "info", "neutral") %}{{ m.tag(evil, kind) }}{% endfor %}
{{ m.progress(1, 3, evil) }}
{{ m.summary_list([(evil, evil), (evil, evil, "/x"), (evil, evil, "/y", evil, evil)]) }}
{{ m.task_list([{"label": evil, "href": "/", "state": evil, "kind": "good"},
                {"label": evil, "hint": evil, "state": evil}]) }}
{{ m.table(evil, [evil, evil], [[evil, evil], [evil, evil]], numeric=(1,), foot=[evil, evil]) }}
{% call m.details(evil) %}<p>x</p>{% endcall %}
{{ m.timeline([{"title": evil, "moment": at, "text": evil, "href": "/", "state": "done"},
               {"title": evil, "state": "current"}, {"title": evil, "state": "coming"}]) }}
{{ m.pagination("/?page=1&x=2", "/?page=3&x=2", evil) }}
{{ m.card(evil, 325000, class_name=evil, enough=evil, href="/") }}
{% call m.card(evil, -5, photo_url="/photo") %}<p>x</p>{% endcall %}
{{ m.meals([{"title": evil, "moment": at, "amount_minor": 85050, "detail": evil, "href": "/"}]) }}
{{ m.chart("", evil, [evil, evil], [[evil, evil]], series=(evil, evil)) }}
{{ m.money(5, "KZT", plus=true) }} {{ m.as_of(at) }}
{% endblock %}
"""


@pytest.fixture
def app() -> Iterator[Flask]:
    app = Flask("bare", static_folder=None, template_folder=None)
    app.config.update(SECRET_KEY="only-for-this-test")
    Babel(app, default_locale="en", default_timezone="Asia/Almaty")
    CSRFProtect(app)
    formats.register(app)
    web = Blueprint("web", "schoolmeals.web", template_folder="templates", static_folder="static", static_url_path="/s")
    web.add_url_rule("/language/<language>", "set_language", methods=["POST"])
    app.register_blueprint(web)
    with app.test_request_context("/"):
        yield app


def parsed(page: str) -> Element:
    """Parse strictly: any mistake in the markup is an error."""
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    return tree


def test_a_planted_mistake_in_the_markup_is_found() -> None:
    with pytest.raises(ParseError):
        parsed("<!doctype html><title>x</title><p>one</div>")


def test_everything_is_well_formed_and_escaped(app: Flask) -> None:
    nav = [{"label": EVIL, "href": "/a", "current": True}, {"label": EVIL, "href": "/b", "post": True}]
    page = render_template_string(
        EVERYTHING.strip(), evil=EVIL, at=LUNCH, nav_items=nav, demo=True, errors={"sum": EVIL}, request_id=EVIL
    )
    tree = parsed(page)
    assert "<script" not in page
    ids = [identity for element in tree.iter() if (identity := element.get("id"))]
    assert sorted(ids) == sorted(set(ids))
    for element in tree.iter():
        for attribute in ("aria-describedby", "for"):
            assert set((element.get(attribute) or "").split()) <= set(ids)
        if (target := element.get("href") or "").startswith("#"):
            assert target.removeprefix("#") in ids


def test_a_refused_field_keeps_what_was_typed_and_says_why(app: Flask) -> None:
    call = (
        """{% from "web/macros.html" import field %}{{ field("sum", "Sum", "12,5x", type="money", error="Number?") }}"""
    )
    tree = parsed("<!doctype html><title>x</title>" + render_template_string(call))
    (box,) = tree.iter("input")
    assert (box.get("value"), box.get("inputmode"), box.get("aria-invalid")) == ("12,5x", "decimal", "true")
    assert box.get("aria-describedby") == "f-sum-error"
    (told,) = (element for element in tree.iter("p") if element.get("id") == "f-sum-error")
    assert " ".join("".join(told.itertext()).split()) == "Error: Number?"


@pytest.mark.parametrize("kind", ["good", "bad", "care"])
def test_a_tag_has_a_sign_and_a_word_beside_its_colour(app: Flask, kind: str) -> None:
    tag = render_template_string("""{% import "web/macros.html" as m %}{{ m.tag("Accepted", kind) }}""", kind=kind)
    assert "<svg" in tag
    assert tag.endswith("Accepted</strong>")


def test_the_language_switch_says_languages_in_their_own_words(app: Flask) -> None:
    tree = parsed(render_template_string("""{% extends "web/page.html" %}{% block title %}x{% endblock %}"""))
    switch = {
        button.text: (button.get("formaction"), button.get("lang"), button.get("aria-current"))
        for button in tree.iter("button")
    }
    assert switch == {
        "қазақша": ("/language/kk", "kk", None),
        "русский": ("/language/ru", "ru", None),
        "English": ("/language/en", "en", "true"),
    }


TABLE = """{% import "web/macros.html" as m %}{{ m.table("Sold", head, rows, numeric=(1,), foot=foot) }}"""


def test_a_wide_table_keeps_its_roles_and_says_each_column_beside_its_value(app: Flask) -> None:
    head, rows, foot = ["Item", "Sum", EVIL], [["Bun", "200 ₸", "fresh"], ["Tea", "50 ₸", ""]], ["Total", "250 ₸", ""]
    text = render_template_string(TABLE, head=head, rows=rows, foot=foot)
    tree = parsed("<!doctype html><title>x</title>" + text)
    roles = [
        element.get("role") for element in tree.iter() if element.tag in ("table", "thead", "tbody", "tfoot", "tr")
    ]
    assert roles == ["table", "rowgroup", "row", "rowgroup", "row", "row", "rowgroup", "row"]
    assert [cell.get("data-label") for cell in tree.iter("td")] == [
        "Sum",
        EVIL.replace("<script>", "").replace("</script>", ""),
    ] * 3
    assert [cell.get("role") for cell in tree.iter("th")] == ["columnheader"] * 3 + ["rowheader"] * 3
    # An empty cell stays empty, so that a phone leaves it out.
    assert [len(cell) for cell in tree.iter("td")] == [1, 1, 1, 0, 1, 0]


def test_a_table_of_two_columns_stays_one(app: Flask) -> None:
    text = render_template_string(TABLE, head=["Item", "Sum"], rows=[["Bun", "200 ₸"]], foot=None)
    assert "role=" not in text.replace('role="region"', "")
    assert "data-label" not in text


FRAME = """{% extends "web/page.html" %}{% block title %}x{% endblock %}"""


def test_sections_are_behind_one_button_and_the_languages_of_somebody_signed_in_too(app: Flask) -> None:
    nav = [{"label": "Day", "href": "/day", "current": True}]
    shown = parsed(render_template_string(FRAME, nav_items=nav, actor={"kind": "person"}))
    (menu,) = (one for one in shown.iter("details") if one.get("class") == "menu")
    assert [one.tag for one in menu] == ["summary", "nav", "form"]
    public = parsed(render_template_string(FRAME, nav_items=nav, actor={"kind": "public"}))
    (menu,) = public.iter("details")
    assert [one.tag for one in menu] == ["summary", "nav"]
    assert [one.get("class") for one in public.iter("form")] == ["languages"]
    nothing = parsed(render_template_string(FRAME, nav_items=[], actor={"kind": "public"}))
    assert list(nothing.iter("details")) == []
