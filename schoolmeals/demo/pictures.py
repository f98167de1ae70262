"""Small drawn pictures: a plate for a dish, a figure without a face for a pupil. No photographs, and nobody's art."""

import io
from functools import lru_cache
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from schoolmeals.demo.chance import chance_of

SIDE: Final = 160
TABLE: Final = "#f3efe6"
CHINA: Final = "#ffffff"
RIM: Final = "#cfd6da"
WALLS: Final = ("#d9e4e2", "#e6dfee", "#efe4d2", "#dbe6f0", "#e1ead6", "#f0dfdf")
SHIRTS: Final = ("#2f6f73", "#7a5c8e", "#8a6d3b", "#41719c", "#5c7d3f", "#94575f", "#4d5f8a", "#f4f4f1")
HAIRS: Final = ("#1f1a17", "#2d211b", "#3b2a20", "#5a4030", "#8a6440")
SKINS: Final = ("#e6bd97", "#dcae86", "#efcbaa", "#d29f74")


@lru_cache(maxsize=128)
def dish_picture(look: str, colour: str) -> bytes:
    """A drawn dish as WebP. ``look`` is bowl, plate, salad, bun, glass or fruit."""
    picture = Image.new("RGB", (SIDE * 2, SIDE * 2), TABLE)
    draw = ImageDraw.Draw(picture)
    _LOOKS[look](draw, colour, chance_of(look, colour))
    return _as_webp(picture)


@lru_cache(maxsize=512)
def figure_picture(number: int, *, is_girl: bool) -> bytes:
    """A drawn head and shoulders without a face, as WebP. Alike for the same ``number``."""
    chance = chance_of("figure", number)
    picture = Image.new("RGB", (SIDE * 2, SIDE * 2), chance.choice(WALLS))
    draw = ImageDraw.Draw(picture)
    hair, skin = chance.choice(HAIRS), chance.choice(SKINS)
    if is_girl:
        draw.rounded_rectangle((88, 70, 232, 70 + chance.choice((160, 200, 230))), radius=66, fill=hair)
    draw.ellipse((40, 222, 280, 440), fill=chance.choice(SHIRTS))
    draw.rectangle((138, 190, 182, 240), fill=skin)
    draw.ellipse((100, 70, 220, 210), fill=skin)
    draw.chord((96, 56, 224, 190 + chance.randint(-10, 20)), 180 + chance.randint(-6, 6), 360, fill=hair)
    if is_girl and chance.random() < 0.5:
        draw.ellipse((138, 36, 182, 80), fill=hair)
    return _as_webp(picture)


def _as_webp(picture: Image.Image) -> bytes:
    small = picture if picture.width == SIDE else picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=60, method=2)
    return buffer.getvalue()


def _disc(draw: ImageDraw.ImageDraw, radius: int, colour: str, *, x: int = SIDE, y: int = SIDE) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _bowl(draw: ImageDraw.ImageDraw, colour: str, chance: Random) -> None:
    _disc(draw, 132, RIM)
    _disc(draw, 126, CHINA)
    _disc(draw, 96, colour)
    for _ in range(7):
        _disc(draw, 9, "#5e8a3a", x=SIDE + chance.randint(-60, 60), y=SIDE + chance.randint(-60, 60))


def _plate(draw: ImageDraw.ImageDraw, colour: str, chance: Random) -> None:
    _disc(draw, 140, RIM)
    _disc(draw, 135, CHINA)
    _disc(draw, 100, "#f7f7f5")
    for _ in range(60):
        _disc(draw, 20, colour, x=SIDE + chance.randint(-55, 55), y=SIDE + chance.randint(-45, 50))
    for _ in range(6):
        _disc(draw, 10, "#6c9a45", x=SIDE + chance.randint(-60, 60), y=SIDE + chance.randint(-60, 60))


def _salad(draw: ImageDraw.ImageDraw, colour: str, chance: Random) -> None:
    _disc(draw, 110, RIM)
    _disc(draw, 104, CHINA)
    for _ in range(60):
        x, y = SIDE + chance.randint(-60, 45), SIDE + chance.randint(-60, 45)
        draw.line((x, y, x + chance.randint(-10, 30), y + chance.randint(5, 30)), fill=colour, width=9)


def _bun(draw: ImageDraw.ImageDraw, colour: str, _chance: Random) -> None:
    draw.rounded_rectangle((50, 95, 270, 235), radius=70, fill=colour)
    for x in (110, 160, 210):
        draw.line((x - 15, 125, x + 15, 175), fill="#fff4dc", width=7)


def _glass(draw: ImageDraw.ImageDraw, colour: str, _chance: Random) -> None:
    draw.polygon(((90, 50), (230, 50), (210, 285), (110, 285)), fill=RIM)
    draw.polygon(((96, 95), (224, 95), (205, 279), (115, 279)), fill=colour)


def _fruit(draw: ImageDraw.ImageDraw, colour: str, _chance: Random) -> None:
    _disc(draw, 95, colour, y=SIDE + 15)
    draw.line((SIDE, 85, SIDE + 12, 40), fill="#6b4a2b", width=10)
    draw.ellipse((SIDE + 12, 40, SIDE + 75, 75), fill="#6c9a45")


_LOOKS: Final = {"bowl": _bowl, "plate": _plate, "salad": _salad, "bun": _bun, "glass": _glass, "fruit": _fruit}
