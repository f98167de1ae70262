"""The look's promises: light enough to send, contrast enough to read, nothing inline that our policy would block."""

import gzip
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "schoolmeals"
SITE = PACKAGE / "web" / "static" / "css" / "site.css"
TILL = PACKAGE / "web" / "static" / "css" / "till.css"
MOST_BYTES = 10_000
LEAST_TEXT, LEAST_SHAPE = 4.5, 3.0
"""WCAG 2.2: 1.4.3 for text, 1.4.11 for what must be seen to use a page."""

BINDING = {
    "ink": "#0b0c0c",
    "soft": "#505a5f",
    "paper": "#ffffff",
    "mist": "#f3f5f6",
    "line": "#b1b4b6",
    "accent": "#00538a",
    "accent-hover": "#003a61",
    "band": "#00afca",
    "good": "#00703c",
    "bad": "#a50e1e",
    "care": "#b58800",
    "care-mist": "#fff7e0",
    "focus": "#ffdd00",
}
TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "accent", "accent-hover", "bad") for ground in ("paper", "mist")),
    ("good", "paper"),
    ("good", "good-mist"),
    ("bad", "bad-mist"),
    ("ink", "good-mist"),
    ("ink", "bad-mist"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-good", "good"),
    ("on-bad", "bad"),
    ("on-care", "care-mist"),
    ("on-focus", "focus"),
    ("on-band", "band"),
]
SHAPE_PAIRS = [("edge", "paper"), ("edge", "mist"), ("accent", "paper"), ("care", "care-mist"), ("bad", "paper")]
INLINE = re.compile(
    r"""\sstyle\s*=|<style\b|\son[a-z]+\s*=\s*["']|<script\b(?![^>]*\ssrc\s*=)|javascript:""", re.IGNORECASE
)


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b", css))


def light() -> dict[str, str]:
    return tokens(SITE.read_text().partition("@media (prefers-color-scheme: dark)")[0])


def dark() -> dict[str, str]:
    block = SITE.read_text().partition("@media (prefers-color-scheme: dark)")[2].partition("\n}\n")[0]
    return {**light(), **tokens(block)}


def till() -> dict[str, str]:
    return {**dark(), **tokens(TILL.read_text())}


SCHEMES = {"light": light, "dark": dark, "till": till}


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_reckoned_as_wcag_reckons_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#777777", "#ffffff") < LEAST_TEXT < contrast("#767676", "#ffffff")


def test_the_tokens_are_those_that_bind() -> None:
    found = light()
    assert {name: found.get(name) for name in BINDING} == BINDING


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    colours = SCHEMES[scheme]()
    assert contrast(colours[text], colours[ground]) >= LEAST_TEXT


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("shape", "ground"), SHAPE_PAIRS)
def test_edges_can_be_seen(scheme: str, shape: str, ground: str) -> None:
    colours = SCHEMES[scheme]()
    assert contrast(colours[shape], colours[ground]) >= LEAST_SHAPE


def test_stylesheets_are_light() -> None:
    sheets = sorted(PACKAGE.glob("*/static/**/*.css"))
    assert {SITE, TILL} <= set(sheets)
    assert len(gzip.compress(b"".join(sheet.read_bytes() for sheet in sheets), 9)) <= MOST_BYTES


def test_stylesheets_take_colours_from_tokens_and_nothing_from_elsewhere() -> None:
    for sheet in PACKAGE.glob("*/static/**/*.css"):
        css = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        loose = re.sub(r"--[a-z-]+:\s*#[0-9a-f]{6}\b", "", css)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)", loose) == [], sheet.name
        assert re.findall(r"url\(|@import|https?:", css) == [], sheet.name
        assert set(re.findall(r"var\(--([a-z-]+)\)", css)) <= set(light()), sheet.name


def test_templates_hold_nothing_inline() -> None:
    # What is printed on paper is never served: the PDF's maker reads its style from the document itself.
    templates = [path for path in sorted(PACKAGE.glob("*/templates/**/*.html")) if not path.name.startswith("paper_")]
    assert templates
    assert {path.name: found for path in templates if (found := INLINE.findall(path.read_text()))} == {}


@pytest.mark.parametrize(
    "planted",
    [
        '<p style="color:red">',
        "<style>p{}</style>",
        "<script>go()</script>",
        "<a onclick='go()'>",
        "<a href='javascript:go()'>",
    ],
)
def test_a_planted_inline_style_or_script_is_found(planted: str) -> None:
    assert INLINE.search(planted)


def test_a_script_from_a_file_of_ours_is_fine() -> None:
    assert not INLINE.search(
        """<script type="module" src="{{ url_for('canteen.static', filename='till.js') }}"></script>"""
    )
