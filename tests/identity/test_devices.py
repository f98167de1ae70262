"""What devices are called on pages."""

import pytest
from flask import Flask
from flask_babel import force_locale

from schoolmeals.identity.devices import browser_name, till_name

CHROME = "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0"
YANDEX = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 YaBrowser/24.12 Safari/537.36"
SAMSUNG = (
    "Mozilla/5.0 (Linux; Android 13; SM-A536B) AppleWebKit/537.36 SamsungBrowser/27.0 Chrome/125 Mobile Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Safari/604.1"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
MAC_CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (CHROME, "Chrome, Android"),
        (EDGE, "Edge, Windows"),
        (YANDEX, "Yandex Browser, Windows"),
        (SAMSUNG, "Samsung Internet, Android"),
        (IPHONE, "Safari, iPhone"),
        (FIREFOX, "Firefox, Linux"),
        (MAC_CHROME, "Chrome, macOS"),
        ("python-requests/2.32.3", "python-requests"),
        ("curl/8.5 (x86_64)", "curl"),
        ("x" * 300, "x" * 40),
        ("", "unknown program"),
    ],
)
def test_a_browser_is_called_by_its_name(app: Flask, line: str, name: str) -> None:
    with app.test_request_context(), force_locale("en"):
        assert browser_name(line) == name


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1-касса", "Till\N{NO-BREAK SPACE}1"),
        ("2\u2011касса", "Till\N{NO-BREAK SPACE}2"),
        ("Касса 12", "Till\N{NO-BREAK SPACE}12"),
        ("касса №3", "Till\N{NO-BREAK SPACE}3"),
        ("Till 4", "Till\N{NO-BREAK SPACE}4"),
        ("Till 1, at the window", "Till 1, at the window"),
        ("Негізгі касса", "Негізгі касса"),
    ],
)
def test_a_numbered_till_speaks_the_readers_language(app: Flask, written: str, shown: str) -> None:
    with app.test_request_context(), force_locale("en"):
        assert till_name(written) == shown
