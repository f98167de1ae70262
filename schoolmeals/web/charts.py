"""Charts as SVG, drawn by the server: no script, no colour without a word, classes instead of inline styles.

Every chart has a title and a description for those who hear the page, carries its numbers as text, and is followed on
the page by the same numbers as a table (the macro ``chart`` of ``web/macros.html``). All coordinates are whole numbers
in a view 320 wide, so that text of 16 units stays 16 px on the narrowest phone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

WIDTH: Final = 320
_PLOT: Final = 128
_TOP: Final = 28
_CHARACTER: Final = 9
_NARROWEST_WITH_NUMBER: Final = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One value (not negative) with its label and the text that is shown for it, e.g. ``1 250``."""

    label: str
    value: int
    shown: str


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar made of parts (not negative), always in the order of the legend, and the text shown for the whole."""

    label: str
    parts: tuple[int, ...]
    shown: str


def week_bars(bars: Sequence[Bar], *, name: str, title: str, description: str) -> Markup:
    """Upright bars side by side, at most seven: label below, number on top. ``name`` is unique on the page."""
    highest = _highest(bar.value for bar in bars)
    slot = WIDTH // max(len(bars), 1)
    floor = _TOP + _PLOT
    drawn = [Markup('<line class="axis" x1="0" y1="{y}" x2="{x}" y2="{y}"/>').format(y=floor, x=WIDTH)]
    for place, bar in enumerate(bars):
        height = _PLOT * bar.value // highest
        middle = place * slot + slot // 2
        drawn += [
            Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>').format(
                place * slot + slot // 6, floor - height, slot - 2 * (slot // 6), height
            ),
            _text(middle, floor - height - 6, bar.shown, anchor="middle"),
            _text(middle, floor + 20, bar.label, anchor="middle"),
        ]
    return _chart(drawn, floor + 28, name=name, title=title, description=description)


def level_bars(bars: Sequence[Bar], *, name: str, title: str, description: str) -> Markup:
    """Lying bars below each other on one scale, each under its label and number: for comparing a few sums."""
    highest = _highest(bar.value for bar in bars)
    drawn = []
    for place, bar in enumerate(bars):
        top = place * 64
        drawn += [
            *_label_and_number(top, bar.label, bar.shown),
            Markup('<rect class="rest" x="0" y="{}" width="{}" height="24"/>').format(top + 28, WIDTH),
            Markup('<rect class="bar" x="0" y="{}" width="{}" height="24"/>').format(
                top + 28, WIDTH * bar.value // highest
            ),
        ]
    return _chart(drawn, len(bars) * 64, name=name, title=title, description=description)


def stacked_bars(stacks: Sequence[Stack], *, name: str, title: str, description: str) -> Markup:
    """Lying bars of up to four parts on one scale; below each part stands its number in the legend."""
    highest = _highest(sum(stack.parts) for stack in stacks)
    drawn = []
    for place, stack in enumerate(stacks):
        top = place * 84
        drawn += [*_label_and_number(top, stack.label, stack.shown), *_parts(stack, top + 28, highest)]
    return _chart(drawn, len(stacks) * 84, name=name, title=title, description=description)


def line(points: Sequence[Bar], *, name: str, title: str, description: str) -> Markup:
    """A line through values in their order, with the number of the highest and of the last and the two end labels."""
    highest = _highest(point.value for point in points)
    floor = _TOP + _PLOT
    step = max(len(points) - 1, 1)
    spots = [
        (8 + (WIDTH - 16) * place // step, floor - _PLOT * point.value // highest) for place, point in enumerate(points)
    ]
    drawn = [
        Markup('<line class="axis" x1="0" y1="{y}" x2="{x}" y2="{y}"/>').format(y=floor, x=WIDTH),
        Markup('<polyline class="line" points="{}"/>').format(" ".join(f"{x},{y}" for x, y in spots)),
    ]
    for place in _worth_a_number(points):
        drawn.append(Markup('<circle class="dot" cx="{}" cy="{}" r="5"/>').format(*spots[place]))
        drawn.append(_number_at(*spots[place], points[place].shown))
    if points:
        drawn.append(_text(0, floor + 20, points[0].label))
    if len(points) > 1:
        drawn.append(_text(WIDTH, floor + 20, points[-1].label, anchor="end"))
    return _chart(drawn, floor + 28, name=name, title=title, description=description)


def _chart(drawn: Sequence[Markup], height: int, *, name: str, title: str, description: str) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>{drawn}</svg>'
    ).format(width=WIDTH, height=height, name=name, title=title, description=description, drawn=Markup("").join(drawn))


def _text(x: int, y: int, text: str, *, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _label_and_number(top: int, label: str, shown: str) -> tuple[Markup, Markup]:
    """The line over a lying bar. A label that would run into the number is cut; the table has it whole."""
    room = (WIDTH // _CHARACTER) - len(shown) - 1
    cut = label if len(label) <= room else f"{label[: room - 1].rstrip()}…"
    return _text(0, top + 20, cut), _text(WIDTH, top + 20, shown, anchor="end")


def _parts(stack: Stack, top: int, highest: int) -> list[Markup]:
    drawn = []
    before = 0
    for number, part in enumerate(stack.parts, start=1):
        left, right = WIDTH * before // highest, WIDTH * (before + part) // highest
        drawn.append(
            Markup('<rect class="s{} cut" x="{}" y="{}" width="{}" height="24"/>').format(
                number, left, top, right - left
            )
        )
        if right - left >= _NARROWEST_WITH_NUMBER:
            drawn.append(_text((left + right) // 2, top + 24 + 18, str(number), anchor="middle"))
        before += part
    return drawn


def _worth_a_number(points: Sequence[Bar]) -> list[int]:
    """The places of the highest and of the last point; one alone where they would stand in each other's way."""
    if not points:
        return []
    last = len(points) - 1
    highest = max(range(len(points)), key=lambda place: points[place].value)
    too_near = (last - highest) * WIDTH < max(last, 1) * _CHARACTER * (len(points[last].shown) + 4)
    return [last] if too_near else [highest, last]


def _number_at(x: int, y: int, shown: str) -> Markup:
    half = len(shown) * _CHARACTER // 2
    anchor = "start" if x < half else "end" if x > WIDTH - half else "middle"
    return _text(0 if anchor == "start" else WIDTH if anchor == "end" else x, y - 10, shown, anchor=anchor)


def _highest(values: Iterable[int]) -> int:
    """What the longest bar stands for; at least one, so that empty charts can be drawn too."""
    return max(1, max(values, default=1))
