"""The hosted page: forms without scripts, three languages, a policy that allows nothing from elsewhere, no barriers."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
from werkzeug.wrappers import Response

from schoolmeals.demo.stripe_double import create_double, demo_payments
from schoolmeals.demo.stripe_double.cards import ON_THE_PAGE
from schoolmeals.demo.stripe_double.words import WORDS, sum_in_words
from schoolmeals.money import Money
from tests.factories import payments as factory
from tests.factories.payments import DoubleBench

SUM = "5\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}₸"


@pytest.fixture
def bench() -> Iterator[DoubleBench]:
    with factory.in_process() as double:
        yield double


def parsed(page: str) -> Any:
    """The page as a tree; a page that is not well formed fails."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(page)


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_the_page_speaks_the_language_that_the_shop_asked_for(bench: DoubleBench, language: str) -> None:
    page = bench.page(bench.payments.checkout(bench.intent(language=language)))
    tree = parsed(page.text)
    assert tree.get("lang") == language
    assert WORDS[language]["demo"] in page.text
    assert f"<strong>{SUM}</strong>" in page.text
    assert WORDS[language]["pay"].format(sum=SUM) in page.text


def test_the_reader_can_choose_another_language_and_keeps_it(bench: DoubleBench) -> None:
    checkout = bench.payments.checkout(bench.intent(language="kk"))
    path = urlsplit(checkout.url).path
    client = Client(bench.double)
    page = client.get(path, query_string={"lang": "ru"})
    action = parsed(page.text).find(".//form").get("action")
    assert action == f"{path}?lang=ru"
    declined = client.post(action, data={"card": factory.TOO_POOR})
    assert WORDS["ru"]["insufficient_funds"] in declined.text
    asking = client.post(action, data={"card": factory.ASKS})
    links = [link.get("href") for link in parsed(asking.text).findall(".//nav/a")]
    assert links == [f"{path}?lang={code}" for code in ("kk", "ru", "en")]
    assert client.get(path, query_string={"lang": "xx"}).text.count('lang="kk"') >= 1


def test_all_languages_have_all_the_words_and_no_english_ones() -> None:
    assert WORDS["kk"].keys() == WORDS["ru"].keys() == WORDS["en"].keys()
    for language in ("kk", "ru"):
        for text in WORDS[language].values():
            assert not re.search("[a-z]{2,}", text.replace("{sum}", "")), text


@pytest.mark.parametrize("path", ["pay", "closed", "unknown", "asking", "declined"])
def test_every_page_is_well_formed_and_has_nothing_inline(bench: DoubleBench, path: str) -> None:
    page = _page(bench, path)
    tree = parsed(page.text)
    assert tree.findall(".//script") == []
    assert tree.findall(".//style") == []
    assert not [one for one in tree.iter() if any(name == "style" or name.startswith("on") for name in one.attrib)]
    assert len(tree.findall(".//h1")) == 1
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


def _page(bench: DoubleBench, path: str) -> Any:
    checkout = bench.payments.checkout(bench.intent())
    match path:
        case "closed":
            bench.pay(checkout)
        case "asking":
            return bench.pay(checkout, factory.ASKS)
        case "declined":
            return bench.pay(checkout, factory.DECLINED)
        case "unknown":
            return Client(bench.double).get("/pay/cs_test_unknown")
    return bench.page(checkout)


def test_the_way_back_to_another_origin_is_allowed_to_the_form(bench: DoubleBench) -> None:
    page = bench.page(bench.payments.checkout(bench.intent()))
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' http://shop.test")


def test_a_decline_is_said_on_top_and_the_choice_is_kept(bench: DoubleBench) -> None:
    page = bench.pay(bench.payments.checkout(bench.intent(language="en")), factory.TOO_POOR)
    tree = parsed(page.text)
    alert = tree.find(".//div[@role='alert']")
    assert alert.find(".//a").get("href") == "#card-1"
    assert alert.find(".//a").text == WORDS["en"]["insufficient_funds"]
    checked = [one.get("value") for one in tree.findall(".//input") if one.get("checked") is not None]
    assert checked == [factory.TOO_POOR]


def test_only_the_cards_on_the_page_are_taken(bench: DoubleBench) -> None:
    asked = bench.intent(language="en")
    checkout = bench.payments.checkout(asked)
    for number in ("", "4111111111111111", "4000002760003184"):
        page = bench.pay(checkout, number)
        assert page.status_code == 422
        assert WORDS["en"]["choose"] in page.text
    assert bench.told(asked.top_up_id) == []
    inputs = parsed(bench.page(checkout).text).findall(".//input")
    assert [one.get("value") for one in inputs] == [card.number for card in ON_THE_PAGE]


def test_a_page_that_nobody_knows_takes_no_money(bench: DoubleBench) -> None:
    client = Client(bench.double)
    assert client.post("/pay/cs_test_unknown", data={"card": factory.PAYS}).status_code == 404
    assert client.post("/pay/cs_test_unknown/bank", data={"answer": "confirm"}).status_code == 404
    checkout = bench.payments.checkout(bench.intent())
    assert bench.answer(checkout, "confirm").status_code == 200
    assert bench.payments.fetch(checkout.session_id).status == "open"


def test_closed_pages_lead_back(bench: DoubleBench) -> None:
    paid = bench.payments.checkout(bench.intent())
    bench.pay(paid)
    link = parsed(bench.page(paid).text).find(".//main//a")
    assert link.get("href") == f"http://shop.test/back?session={paid.session_id}"
    expired = bench.payments.checkout(bench.intent())
    bench.client.v1.checkout.sessions.expire(expired.session_id)
    assert parsed(bench.page(expired).text).find(".//main//a").get("href") == "http://shop.test/cancel"


def test_what_a_shop_writes_is_shown_and_not_run(bench: DoubleBench) -> None:
    page = bench.page(bench.payments.checkout(bench.intent(description="<script>alert(1)</script>")))
    assert parsed(page.text).find(".//h1").text == "<script>alert(1)</script>"


def test_it_works_below_a_path_of_another_application() -> None:
    double = create_double(None, public_url="http://shop.test/demo-bank", secret="s")
    whole = DispatcherMiddleware(Response("the shop"), {"/demo-bank": double})
    checkout = demo_payments(double).checkout(factory.intent(double.premises.clock()))
    client = Client(whole)
    tree = parsed(client.get(urlsplit(checkout.url).path).text)
    assert tree.find(".//form").get("action") == f"/demo-bank/pay/{checkout.session_id}"
    with client.get(tree.find(".//link[@rel='stylesheet']").get("href")) as style:
        assert (style.status_code, style.mimetype) == (200, "text/css")
    assert client.post(tree.find(".//form").get("action"), data={"card": factory.PAYS}).status_code == 303
    double.close()


def test_sums_are_written_as_in_the_product() -> None:
    assert sum_in_words(Money.major(1_250)) == "1\N{NO-BREAK SPACE}250\N{NO-BREAK SPACE}₸"
    assert sum_in_words(Money(125_005)) == "1\N{NO-BREAK SPACE}250,05\N{NO-BREAK SPACE}₸"
    assert sum_in_words(Money(500, "JPY")) == "500\N{NO-BREAK SPACE}JPY"


def test_a_page_that_is_sent_many_times_at_once_is_paid_once(bench: DoubleBench) -> None:
    checkout = bench.payments.checkout(bench.intent())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: bench.pay(checkout).status_code, range(24)))
    assert answers == [303] * 24
    assert [event.provider_type for event in bench.events()].count("charge.succeeded") == 1
