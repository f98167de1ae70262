"""Every page of the product, as somebody who may see it, in three languages, on a phone and on a desk, and in the dark.

A page that is new here is found by its route; one that is none (a file, a probe) must be named in ``NO_PAGES``.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Literal

import html5lib
import pytest
from babel.messages.pofile import read_po
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Request
from sqlalchemy import update
from werkzeug.routing import Rule

from schoolmeals.app import PACKAGE, ROOMS
from schoolmeals.clock import MovableClock
from schoolmeals.identity.models import Person
from schoolmeals.pupils.models import RosterImport
from schoolmeals.web.security import device_cookie_name
from tests.browser.conftest import no_barriers
from tests.factories.identity import till_token
from tests.house.test_routes import policy_of
from tests.house.world import World, build

pytestmark = pytest.mark.browser

FILES: Final = {
    "canteen.day_file",
    "canteen.menu_template",
    "canteen.menu_workbook",
    "files.download",
    "parents.meals_csv",
    "procurement.bid_file",
    "procurement.bid_room_json",
    "procurement.complaint_file",
    "procurement.contract_text",
    "procurement.draws_json",
    "procurement.evidence_file",
    "procurement.mended_file",
    "procurement.notice_json",
    "procurement.opening_version",
    "procurement.opening_work",
    "procurement.own_bids_json",
    "procurement.proof_file",
    "procurement.protocol_json",
    "procurement.protocol_pdf",
    "procurement.ocds_releases",
    "procurement.scores_json",
    "procurement.security_paper",
    "procurement.tender_document",
    "procurement.receipt_file",
    "procurement.register_template",
    "procurement.tender_feed",
    "procurement.tender_record",
    "pupils.photo",
    "pupils.problems",
    "pupils.pupils_as_csv",
    "pupils.template_csv",
    "pupils.template_xlsx",
    "transparency.trace_file",
    "wallet.statement_csv",
}
PIECES: Final = {"canteen.till.faces"}
PROBES: Final = {"parents.home_version", "web.healthz", "web.metrics", "web.readyz", "web.version"}
LATER: Final = {
    "procurement.admission_bid",
    "procurement.admission_matrix",
    "procurement.low_price",
    "procurement.mend",
    "procurement.scores",
    "procurement.scoring_bid",
    "procurement.scoring_board",
}
"""They are there once bids are open; ``test_evaluation.py`` looks at them with bids on the table."""
NO_PAGES: Final = FILES | PIECES | PROBES | LATER
SIGNPOSTS: Final = {
    "/",
    "/day",
    "/menu",
    "/cash-desk",
    "/pupils",
    "/people",
    "/sign-in/code",
    "/me/second-step",
    "/supplier",
}
"""They lead on to a page that is looked at by its own address; the last two do where nobody is half signed in."""
ERRORS: Final = {"public": ("/nowhere", 404), "parent": ("/city", 403), "cashier": ("/till", 403)}
"""What is not there, what is somebody else's, and what is for tills."""
ROLES: Final = ("school-office", "parent", "city-admin", "auditor", "cashier", "commission-member", "supplier")
"""Where several may see a page, the first of these looks at it."""
STAFF_ONLY: Final = {"identity.my_pin"}
"""Open to all who are signed in, of use to cashiers."""
LONG: Final = {"/api/docs"}
"""Axe reads these for many seconds, so it does so once."""
WORDS: Final = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
SHOWN: Final = """() => {
const foreign = [...document.querySelectorAll("body [lang=en]")];
foreign.forEach((one) => one.style.setProperty("display", "none", "important"));
const said = [document.title, document.body.innerText,
  ...["aria-label", "alt", "title", "placeholder"].flatMap((name) =>
    [...document.querySelectorAll(`[${name}]`)]
      .filter((one) => !one.closest("body [lang=en]")).map((one) => one.getAttribute(name))),
].join("\\n");
foreign.forEach((one) => one.style.removeProperty("display"));
return said;
}"""
"""What the page says, without the parts that say of themselves that they are English."""


SIDEWAYS: Final = """() => [...document.querySelectorAll("body, body *")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .filter((one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
  .map((one) => [one.tagName, one.className, one.getAttribute("aria-label"), one.scrollWidth].join(" "))
"""
"""What a finger must push sideways to be read whole."""


def test_what_is_left_out_is_there(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= NO_PAGES
    assert {rule.rule for rule in app.url_map.iter_rules()} >= SIGNPOSTS


Look = tuple[int, Literal["light", "dark"]]
LOOKS: Final[dict[str, list[Look]]] = {
    "kk": [(360, "light"), (360, "dark"), (1280, "light")],
    "ru": [(360, "light"), (1280, "light")],
    "en": [(360, "light"), (1280, "light")],
}
"""Width in pixels, and the colours that the reader's device asks for, by language."""
WALKS: Final = ("one half", "other half")
"""Each page is in one of them; so that two processes can share the way."""


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("language", list(LOOKS))
def test_every_page_is_open_to_everybody_and_speaks_their_language(
    app: Flask,
    address: str,
    clock: MovableClock,
    do: Any,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
    language: str,
    walk: str,
) -> None:
    world = build(app, do, clock)
    do(lambda work: work.session.execute(update(Person).values(language=language)))
    do(lambda work: work.session.execute(update(RosterImport).values(preview=PREVIEW)))
    english = english_texts(language)
    found: dict[str, str] = {}
    for role, paths in walked(world, walk):
        context = new_context(360, 800, language)
        enter(world, context, role, address, sign_in)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", partial(note, asked))
        for path in paths:
            wanted = 200 if ERRORS.get(role, ("",))[0] != path else ERRORS[role][1]
            found |= {f"{role} {path}": wrong for wrong in [trouble(page, path, wanted, language, english)] if wrong}
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        context.close()
    assert found == {}


def walked(world: World, walk: str) -> list[tuple[str, list[str]]]:
    """Who looks at which pages in a walk. Every page is in one of them."""
    halves: dict[str, list[tuple[str, list[str]]]] = {name: [] for name in WALKS}
    for role, paths in sorted(by_role(world).items(), key=lambda one: (-len(one[1]), one[0])):
        min(halves.values(), key=lambda half: sum(len(paths) for _, paths in half)).append((role, paths))
    return halves[walk]


def test_the_walks_leave_no_page_out(app: Flask, clock: MovableClock, do: Any) -> None:
    world = build(app, do, clock)
    seen = sorted((role, path) for walk in WALKS for role, paths in walked(world, walk) for path in paths)
    assert seen == sorted((role, path) for role, paths in by_role(world).items() for path in paths)


def note(asked: list[str], request: Request) -> None:
    """Remember what a page asks for."""
    asked.append(request.url)


def trouble(page: Page, path: str, wanted: int, language: str, english: list[str]) -> str:
    """What is wrong with the page at ``path``; empty where nothing is."""
    answer = page.goto(path)
    assert answer is not None
    if answer.status != wanted or answer.request.redirected_from:
        return f"answered {answer.status} at {page.url}"
    try:
        html5lib.HTMLParser(strict=True).parse(answer.text())
        assert page.locator("html").get_attribute("lang") == language, "speaks another language"
    except (AssertionError, html5lib.html5parser.ParseError) as wrong:
        return str(wrong)[:1500]
    for width, colours in LOOKS[language]:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=colours)
        try:
            look_at(page, path, (language, width), english)
        except AssertionError as wrong:
            return f"{width} pixels, {colours}: {wrong}"[:1500]
    return ""


def look_at(page: Page, path: str, here: tuple[str, int], english: list[str]) -> None:
    """The page as it stands now. It came once: no page's script asks how wide the window is, or what its colours are
    (``test_no_script_asks_how_wide_the_window_is``).
    """
    if path not in LONG or here == ("kk", 360):
        no_barriers(page)
    if here[1] == 360:
        assert page.evaluate(SIDEWAYS) == [], "scrolls sideways"
    shown = page.evaluate(SHOWN)
    assert [text for text in english if text in shown] == [], "speaks English"


ASKS_FOR_THE_WINDOW: Final = re.compile(
    r"innerWidth|outerWidth|clientWidth|offsetWidth|matchMedia|ResizeObserver|\bresize\b|getBoundingClientRect"
)


def test_no_script_asks_how_wide_the_window_is() -> None:
    scripts = [path for path in PACKAGE.rglob("*.js") if "built" not in path.parts]
    assert len(scripts) > 10
    assert [path.name for path in scripts if ASKS_FOR_THE_WINDOW.search(path.read_text("utf-8"))] == []


def test_a_script_that_asks_for_the_window_is_found() -> None:
    assert ASKS_FOR_THE_WINDOW.search('if (matchMedia("(width < 40em)").matches) shut();')
    assert ASKS_FOR_THE_WINDOW.search("if (window.innerWidth < 640) shut();")


# Who looks at what


def by_role(world: World) -> dict[str, list[str]]:
    """The addresses of all pages, by the role that looks at them."""
    found = {role: [path] for role, (path, _) in ERRORS.items()}
    for rule in pages(world.app):
        things = world.things["own"]
        policy = policy_of(world.app, rule.endpoint, "GET")
        assert policy is not None
        role = viewer(rule.endpoint, policy.name)
        with world.app.test_request_context():
            built = rule.build({name: things[name] for name in rule.arguments})
        assert built is not None
        found.setdefault(role, []).append(built[1])
    return found


def pages(app: Flask) -> Iterator[Rule]:
    """Every route that answers a browser's GET with a page."""
    for rule in app.url_map.iter_rules():
        is_json = rule.rule.startswith("/api/") and rule.endpoint != "web.api_docs"
        is_file = rule.endpoint.endswith("static") or rule.endpoint in NO_PAGES
        if "GET" in (rule.methods or set()) and not is_json and not is_file and rule.rule not in SIGNPOSTS:
            yield rule


def viewer(endpoint: str, policy: str) -> str:
    """Who looks at the page."""
    if policy == "public":
        return "public"
    if policy == "device":
        return "till"
    if endpoint in STAFF_ONLY:
        return "cashier"
    admitted = policy.removeprefix("roles:").split("|")
    return next((role for role in ROLES if role in admitted), "parent")


def enter(
    world: World, context: BrowserContext, role: str, address: str, sign_in: Callable[[BrowserContext, Any], None]
) -> None:
    """Let the browser carry what makes it one of ``role``."""
    if role == "till":
        name = device_cookie_name(world.app.extensions["schoolmeals"].settings)
        context.add_cookies([{"name": name, "value": till_token(world.till_id), "url": address}])
    elif role != "public":
        sign_in(context, world.people[role])


# English


def english_texts(language: str) -> list[str]:
    """The English texts of two words and more that have other words in ``language``; none where that is English."""
    if language == "en":
        return []
    found: set[str] = set()
    for room in ROOMS:
        file = PACKAGE / room / "translations" / language / "LC_MESSAGES" / "messages.po"
        with file.open("rb") as lines:
            for message in read_po(lines):
                said = [message.string] if isinstance(message.string, str) else list(message.string or ())
                ours = [message.id] if isinstance(message.id, str) else list(message.id)
                found |= {part for text in ours for part in fixed_parts(text) if part not in " ".join(said)}
    return sorted(found)


def fixed_parts(text: str) -> list[str]:
    """What stands between the values in a text, where it is two words or more."""
    parts = re.split(r"%\(\w+\)[sd]|%%|\n", text)
    return [part.strip() for part in parts if len(WORDS.findall(part)) >= 2 and len(part.strip()) >= 8]


PREVIEW: Final[dict[str, Any]] = {
    "counts": {
        "new": 2,
        "changed": 1,
        "unchanged": 3,
        "returning": 1,
        "leaving": 2,
        "classes": 1,
        "on_roll": 6,
        "problems": 1,
        "guardian_links": 1,
    },
    "must_be_confirmed": True,
    "new": [["Оспанова Томирис", "5 «Ә»"], ["Төлеген Ерасыл", "5 «Ә»"]],
    "changed": [["Волкова Дарья", "2 «А»"]],
    "returning": [["Қасымов Имран", "2 «А»"]],
    "leaving": ["Нұрланов Әли", "Жұмабаева Інжу"],
}
"""What an import would change, with something of each kind."""


def test_what_says_that_it_is_english_is_not_read_and_stays(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    page.set_content("""<p>Ас <span lang=en title="Such a dish">Such a meal</span></p><p title="Such a day">Күн</p>""")
    before = page.content()
    assert page.evaluate(SHOWN).split("\n") == ["", "Ас", "", "Күн", "Such a day"]
    assert page.content().replace(' style=""', "") == before


def test_a_planted_english_text_is_found() -> None:
    assert "Download the template" in english_texts("kk")
    assert fixed_parts("%(done)s of %(total)s rows") == []
    assert fixed_parts("Mend them in the file, %(name)s, and import it again") == [
        "Mend them in the file,",
        ", and import it again",
    ]
