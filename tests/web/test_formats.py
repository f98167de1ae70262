"""Money, days and times as people of three languages write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel, force_locale
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.web import formats

ALMATY = ZoneInfo("Asia/Almaty")
LUNCH = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "language", "written"),
    [
        (125_000, "KZT", "kk", "1\u00a0250\u00a0₸"),
        (125_000, "KZT", "ru", "1\u00a0250\u00a0₸"),
        (125_000, "KZT", "en", "1,250\u00a0₸"),
        (125_050, "KZT", "kk", "1\u00a0250,50\u00a0₸"),
        (125_005, "KZT", "ru", "1\u00a0250,05\u00a0₸"),
        (125_050, "KZT", "en", "1,250.50\u00a0₸"),
        (-85_000, "KZT", "kk", "\u2212850\u00a0₸"),
        (-50, "KZT", "ru", "\u22120,50\u00a0₸"),
        (0, "KZT", "kk", "0\u00a0₸"),
        (123_456_789_00, "KZT", "kk", "123\u00a0456\u00a0789\u00a0₸"),
        (1_250, "JPY", "en", "1,250\u00a0¥"),
        (1_250, "KGS", "ru", "12,50\u00a0KGS"),
    ],
)
def test_money_is_written_as_people_write_it(minor: int, currency: str, language: str, written: str) -> None:
    assert formats.money(minor, currency, language) == written


@given(st.integers(min_value=-(10**15), max_value=10**15), st.sampled_from(["kk", "ru", "en"]))
def test_no_tiyn_is_lost_in_writing(minor: int, language: str) -> None:
    text = formats.money(minor, "KZT", language).removesuffix("\u00a0₸")
    plain = text.replace("\u2212", "-").replace("\u00a0", "")
    plain = plain.replace(",", "") if language == "en" else plain.replace(",", ".")
    whole, _, rest = plain.removeprefix("-").partition(".")
    assert (int(whole) * 100 + int(rest or 0)) * (-1 if plain.startswith("-") else 1) == minor


@pytest.mark.parametrize(
    ("language", "written", "with_year", "short"),
    [
        ("kk", "23\u00a0қараша, дүйсенбі", "2026\u00a0жылғы 23\u00a0қараша, дүйсенбі", "23\u00a0қар., дс"),
        ("ru", "23\u00a0ноября, понедельник", "23\u00a0ноября 2026\u00a0года, понедельник", "23\u00a0нояб., пн"),
        ("en", "Monday 23\u00a0November", "Monday 23\u00a0November 2026", "Mon 23\u00a0Nov"),
    ],
)
def test_days(language: str, written: str, with_year: str, short: str) -> None:
    on = date(2026, 11, 23)
    assert formats.day(on, language, ALMATY) == written
    assert formats.day(on, language, ALMATY, year=True) == with_year
    assert formats.short_day(on, language, ALMATY) == short


def test_an_instant_is_shown_on_the_day_it_had_in_the_city() -> None:
    late = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    assert formats.day(late, "ru", ALMATY) == "24\u00a0ноября, вторник"
    assert formats.moment(late, "ru", ALMATY) == "24\u00a0ноября, 01:00"
    assert formats.clock_time(LUNCH, ALMATY) == "12:05"
    assert formats.machine_time(LUNCH.astimezone(ALMATY)) == "2026-11-23T07:05:00Z"


@pytest.mark.parametrize(
    ("language", "written", "with_year"),
    [
        ("kk", "23\u00a0қараша, 12:05", "2026\u00a0жылғы 23\u00a0қараша, 12:05"),
        ("ru", "23\u00a0ноября, 12:05", "23\u00a0ноября 2026\u00a0года, 12:05"),
        ("en", "23\u00a0November, 12:05", "23\u00a0November 2026, 12:05"),
    ],
)
def test_moments(language: str, written: str, with_year: str) -> None:
    assert formats.moment(LUNCH, language, ALMATY) == written
    assert formats.moment(LUNCH, language, ALMATY, year=True) == with_year


@pytest.mark.parametrize("formatter", [formats.clock_time, formats.machine_time])
def test_a_time_without_a_zone_is_refused(formatter: object) -> None:
    naive = LUNCH.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without a zone"):
        formatter(naive, ALMATY) if formatter is formats.clock_time else formatter(naive)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("since", "kazakh", "russian", "english"),
    [
        (timedelta(minutes=3), "3 минут бұрын", "3 минуты назад", "3 minutes ago"),
        (timedelta(minutes=59, seconds=59), "59 минут бұрын", "59 минут назад", "59 minutes ago"),
        (timedelta(minutes=119), "1 сағат бұрын", "1 час назад", "1 hour ago"),
        (timedelta(hours=5), "5 сағат бұрын", "5 часов назад", "5 hours ago"),
        (timedelta(minutes=-2), "23\u00a0қараша, 12:05", "23\u00a0ноября, 12:05", "23\u00a0November, 12:05"),
        (timedelta(days=1), "23\u00a0қараша, 12:05", "23\u00a0ноября, 12:05", "23\u00a0November, 12:05"),
    ],
)
def test_how_long_ago(since: timedelta, kazakh: str, russian: str, english: str) -> None:
    for language, written in (("kk", kazakh), ("ru", russian), ("en", english)):
        assert formats.ago(LUNCH, LUNCH + since, language, ALMATY) == written


def test_templates_take_language_and_zone_from_the_request() -> None:
    app = Flask("bare")
    Babel(app, default_locale="ru", default_timezone="Asia/Almaty")
    formats.register(app)
    app.add_url_rule("/meals", "meals")
    page = (
        "{{ page_language() }}|{{ here() }}|{{ 125050|money }}|{{ 99|money('EUR') }}|{{ 'KZT'|currency_sign }}|"
        "{{ 1250|grouped }}|{{ at|day }}|{{ at|day(year=true) }}|{{ at|short_day }}|{{ at|clock_time }}|"
        "{{ at|moment }}|{{ at|machine_time }}|{{ at|ago(at) }}"
    )
    with app.test_request_context("/meals?page=2"):
        assert render_template_string(page, at=LUNCH).replace("\u00a0", "_").split("|") == [
            "ru",
            "/meals?page=2",
            "1_250,50_₸",
            "0,99_€",
            "₸",
            "1_250",
            "23_ноября, понедельник",
            "23_ноября 2026_года, понедельник",
            "23_нояб., пн",
            "12:05",
            "23_ноября, 12:05",
            "2026-11-23T07:05:00Z",
            "just now",
        ]
    with app.test_request_context("/meals"), force_locale("kk"):
        assert render_template_string("{{ here() }} {{ at|day }}", at=LUNCH) == "/meals 23\u00a0қараша, дүйсенбі"


def test_one_does_not_come_back_to_an_address_that_only_takes_forms() -> None:
    app = Flask("bare")
    app.add_url_rule("/card", "card", methods=["GET"])
    app.add_url_rule("/card", "block card", methods=["POST"])
    app.add_url_rule("/undo", "undo", methods=["POST"])
    for path, back in (("/card?lost=yes", "/card?lost=yes"), ("/undo?sale=7", "/"), ("/nowhere", "/")):
        with app.test_request_context(path, method="POST"):
            assert formats.here() == back
