"""How money, days and times are written in Kazakh, Russian and English, and the template filters that do it.

The functions are pure and take the language; the filters take it from the request. Numbers keep together by no-break
spaces. Names of months and weekdays come from CLDR; the order of the words is ours, because people say
"23 қараша, дүйсенбі" and not "2026 ж. 23 қар.".
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from flask import Flask, current_app, request
from flask_babel import get_locale, get_timezone, gettext

from schoolmeals.clock import in_utc
from schoolmeals.ids import spoken_number
from schoolmeals.money import MINOR_DIGITS

NO_BREAK: Final = "\u00a0"
MINUS: Final = "\u2212"
CURRENCY_SIGNS: Final = {"KZT": "₸", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = {"kk": "d MMMM, EEEE", "ru": "d MMMM, EEEE", "en": "EEEE d MMMM"}
_DAY_AND_YEAR: Final = {
    "kk": "y 'жылғы' d MMMM, EEEE",
    "ru": "d MMMM y 'года', EEEE",
    "en": "EEEE d MMMM y",
}
_SHORT_DAY: Final = {"kk": "d MMM, EEE", "ru": "d MMM, EEE", "en": "EEE d MMM"}
_DAY_OF_MOMENT: Final = {"kk": "d MMMM", "ru": "d MMMM", "en": "d MMMM"}
_DAY_AND_YEAR_OF_MOMENT: Final = {"kk": "y 'жылғы' d MMMM", "ru": "d MMMM y 'года'", "en": "d MMMM y"}


def grouped(number: int, language: str) -> str:
    """A whole number with its thousands apart: ``1 250`` in Kazakh and Russian, ``1,250`` in English."""
    text = f"{abs(number):,}".replace(",", "," if language == "en" else NO_BREAK)
    return f"{MINUS}{text}" if number < 0 else text


def currency_sign(currency: str) -> str:
    """The sign of an ISO 4217 currency, or its code where it has no sign of its own."""
    return CURRENCY_SIGNS.get(currency, currency)


def money(minor: int, currency: str, language: str) -> str:
    """A sum in minor units as people write it: ``1 250 ₸``, and ``1 250,50 ₸`` only where there are tiyn."""
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(abs(minor), 10**digits)
    text = grouped(whole, language)
    if rest:
        text += f"{'.' if language == 'en' else ','}{rest:0{digits}d}"
    return f"{MINUS if minor < 0 else ''}{text}{NO_BREAK}{currency_sign(currency)}"


def day(value: date, language: str, zone: tzinfo, *, year: bool = False) -> str:
    """A day with its weekday: ``23 қараша, дүйсенбі``. An instant is taken in ``zone``."""
    return _written(value, zone, (_DAY_AND_YEAR if year else _DAY)[language], language)


def date_alone(value: date, language: str) -> str:
    """A day of long ago, whose weekday tells nothing: ``2014 жылғы 5 мамыр``."""
    return _written(value, UTC, _DAY_AND_YEAR_OF_MOMENT[language], language)


def short_day(value: date, language: str, zone: tzinfo) -> str:
    """A day for narrow columns: ``23 қар., дс``."""
    return _written(value, zone, _SHORT_DAY[language], language)


def clock_time(instant: datetime, zone: tzinfo) -> str:
    """The wall clock's time at an aware instant: ``12:05``."""
    return in_utc(instant).astimezone(zone).strftime("%H:%M")


def moment(instant: datetime, language: str, zone: tzinfo, *, year: bool = False) -> str:
    """An instant as day and time: ``23 қараша, 12:05``."""
    pattern = (_DAY_AND_YEAR_OF_MOMENT if year else _DAY_OF_MOMENT)[language]
    return f"{_written(instant, zone, pattern, language)}, {clock_time(instant, zone)}"


def machine_time(instant: datetime) -> str:
    """An aware instant as RFC 3339 in UTC with Z, for machines and the ``datetime`` attribute."""
    return in_utc(instant).isoformat(timespec="seconds").replace("+00:00", "Z")


def ago(instant: datetime, now: datetime, language: str, zone: tzinfo) -> str:
    """How long ago within a day, in whole minutes or hours (``3 минут бұрын``); the day and time for all others."""
    since = in_utc(now) - in_utc(instant)
    if abs(since) < _MINUTE:
        return str(gettext("just now"))
    if not _MINUTE <= since < timedelta(days=1):
        return moment(instant, language, zone)
    unit = _HOUR if since >= _HOUR else _MINUTE
    return format_timedelta(-(since - since % unit), threshold=1, add_direction=True, locale=language)


def page_language() -> str:
    """The language of the page that is being made: kk, ru or en."""
    locale = get_locale()
    return str(locale.language) if locale is not None else "kk"


def here() -> str:
    """The path and query of the page that is being made, to come back to; ``/`` where it answers to forms only."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None or not adapter.test(method="GET"):
        return "/"
    return request.full_path.removesuffix("?")


def register(app: Flask) -> None:
    """Give ``app``'s templates the filters and the two names of this module. Needs flask-babel with a time zone."""
    app.add_template_filter(lambda minor, currency="KZT": money(minor, currency, page_language()), "money")
    app.add_template_filter(currency_sign, "currency_sign")
    app.add_template_filter(lambda number: grouped(number, page_language()), "grouped")
    app.add_template_filter(lambda value, year=False: day(value, page_language(), _zone(), year=year), "day")
    app.add_template_filter(lambda value: date_alone(value, page_language()), "date_alone")
    app.add_template_filter(spoken_number, "spoken_number")
    app.add_template_filter(lambda value: short_day(value, page_language(), _zone()), "short_day")
    app.add_template_filter(lambda instant: clock_time(instant, _zone()), "clock_time")
    app.add_template_filter(lambda instant, year=False: moment(instant, page_language(), _zone(), year=year), "moment")
    app.add_template_filter(machine_time, "machine_time")
    app.add_template_filter(lambda instant, now: ago(instant, now, page_language(), _zone()), "ago")
    app.add_template_global(page_language, "page_language")
    app.add_template_global(here, "here")


def _zone() -> tzinfo:
    return get_timezone() or ZoneInfo("UTC")


def _written(value: date, zone: tzinfo, pattern: str, language: str) -> str:
    on = in_utc(value).astimezone(zone).date() if isinstance(value, datetime) else value
    return re.sub(r"(?<=\d) ", NO_BREAK, format_date(on, pattern, locale=language))
