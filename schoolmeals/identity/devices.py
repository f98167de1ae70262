"""How devices are called on pages: tills in the reader's language, browsers by their own names."""

import re
from typing import Final

from flask_babel import gettext

_NUMBERED_TILL: Final = re.compile(r"(?:(\d{1,3})[- \u2011]касса|(?:касса|till) *№? *(\d{1,3}))", re.IGNORECASE)
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MiuiBrowser/", "Mi Browser"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What a browser's line about itself holds, and its name. Most of them also name those further down."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST_PROGRAM: Final = 40


def till_name(name: str) -> str:
    """A till's name. One that is but a number, whoever wrote it, is said in the reader's language, on one line."""
    numbered = _NUMBERED_TILL.fullmatch(name.strip())
    if numbered is None:
        return name
    return str(gettext("Till %(number)s", number=numbered[1] or numbered[2])).replace(" ", "\N{NO-BREAK SPACE}")


def browser_name(user_agent: str) -> str:
    """What a program says of itself, in short: ``Chrome, Android``; of no browser, its first word."""
    known = (_first_of(_BROWSERS, user_agent), _first_of(_SYSTEMS, user_agent))
    if any(known):
        return ", ".join(one for one in known if one)
    return user_agent.split(" ")[0].split("/")[0][:_LONGEST_PROGRAM] or str(gettext("unknown program"))


def _first_of(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in names if sign in user_agent), "")
