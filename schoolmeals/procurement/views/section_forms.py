"""Forms that are made from a tender's sections: what to ask for, and what was typed, as the deeds take it.

A name in a form is the dotted path of its field, the same by which problems are told. What cannot be read is kept as it
was typed: the rules refuse it, and the form comes back with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.procurement.rules.drafting import LANGUAGES, MUST_SPEAK, is_empty
from schoolmeals.procurement.rules.need import AGE_GROUPS, MEALS
from schoolmeals.procurement.rules.sections import Field, FieldKind, Section
from schoolmeals.procurement.words import CHOICE_NAMES

SPARE_ROWS: Final = 3
MOST_ROWS: Final = 200
CURRENCY: Final = "KZT"
_SUM: Final = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,2}))?")
_ROW: Final = re.compile(r"([0-9]{1,3})\..+")
_K: Final = FieldKind
_CEILING: Final = Field("ceiling_minor", _K.MONEY, N_("Highest price of one"), least=1, most=1_000_000_00)


@dataclass(frozen=True, slots=True)
class Input:
    """One control. ``kind`` is text, textarea, number, money, date, time, select or rows."""

    name: str
    label: str
    kind: str
    value: str = ""
    needed: bool = True
    lang: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list["Input"]] = field(default_factory=list)


def items_section(purpose: str, groups: tuple[str, ...]) -> Section:
    """What is bought in a lot, in the form of a section."""
    meals = (
        Field("age_group", _K.CHOICE, N_("Age group"), choices=AGE_GROUPS),
        Field("meal", _K.CHOICE, N_("Meal"), choices=MEALS),
    )
    goods = (
        Field("name", _K.TEXTS, N_("Name"), most=200),
        Field("group", _K.CHOICE, N_("Group of goods"), choices=groups),
        Field("unit", _K.TEXT, N_("Unit"), most=40),
        Field("quantity", _K.WHOLE, N_("Quantity"), least=1, most=10_000_000),
    )
    columns = (*(meals if purpose == "catering" else goods), _CEILING)
    rows = Field("items", _K.ROWS, N_("Prices and quantities"), least=1, most=100, fields=columns)
    return Section("items", N_("Prices and quantities"), (rows,), of_lot=True)


def read_content(section: Section, form: Mapping[str, str]) -> dict[str, Any]:
    """What was typed into a section's form; empty fields and rows are left out."""
    return _read_fields(section.fields, form, "")


def inputs_of(section: Section, content: Mapping[str, Any]) -> list[Input]:
    """The controls of a section's form, filled with ``content``."""
    return [one for each in section.fields for one in _inputs(each, content.get(each.name), each.name)]


def as_typed(minor: int) -> str:
    """A sum as somebody would type it."""
    whole, rest = divmod(minor, int(10 ** MINOR_DIGITS[CURRENCY]))
    return f"{whole}.{rest:02}" if rest else str(whole)


def _read_fields(fields: tuple[Field, ...], form: Mapping[str, str], path: str) -> dict[str, Any]:
    read = {one.name: _read(one, form, path + one.name) for one in fields}
    return {name: value for name, value in read.items() if not is_empty(value)}


def _read(one: Field, form: Mapping[str, str], path: str) -> Any:
    match one.kind:
        case FieldKind.TEXTS:
            texts = {language: form.get(f"{path}.{language}", "").strip() for language in LANGUAGES}
            return {language: text for language, text in texts.items() if text}
        case FieldKind.ROWS:
            places = {int(found[1]) for name in form if (found := _ROW.fullmatch(name.removeprefix(f"{path}.")))}
            rows = [_read_fields(one.fields, form, f"{path}.{place}.") for place in sorted(places)[:MOST_ROWS]]
            return [row for row in rows if row]
        case _:
            return _value(one.kind, form.get(path, "").strip())


def _value(kind: FieldKind, text: str) -> Any:
    if kind is FieldKind.WHOLE:
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
    if kind is FieldKind.MONEY:
        found = _SUM.fullmatch(re.sub(r"\s", "", text))
        digits = MINOR_DIGITS[CURRENCY]
        return int(found[1]) * int(10**digits) + int((found[2] or "").ljust(digits, "0")) if found else text
    return text


def _inputs(one: Field, value: Any, path: str) -> list[Input]:
    label = gettext(one.label)
    match one.kind:
        case FieldKind.ROWS:
            return [Input(path, label, "rows", needed=one.needed, rows=_rows(one, value or [], path))]
        case FieldKind.TEXTS:
            texts = value if isinstance(value, Mapping) else {}
            kind = "textarea" if one.most > 300 else "text"
            return [
                Input(
                    f"{path}.{language}",
                    f"{label} ({name})",
                    kind,
                    str(texts.get(language, "")),
                    one.needed and language in MUST_SPEAK,
                    language,
                )
                for language, name in (("kk", "қазақша"), ("ru", "русский"), ("en", "English"))
            ]
        case FieldKind.CHOICE:
            options = [(code, gettext(CHOICE_NAMES.get(code, code))) for code in one.choices]
            return [Input(path, label, "select", str(value or ""), one.needed, options=options)]
        case _:
            return [Input(path, label, _KINDS.get(one.kind, "text"), _shown(one, value), one.needed)]


def _rows(one: Field, rows: list[Mapping[str, Any]], path: str) -> list[list[Input]]:
    # As many as the rule asks for are there at once: a menu of twenty days is not saved three by three.
    spare: list[Mapping[str, Any]] = [{}] * max(one.least - len(rows), SPARE_ROWS if rows else SPARE_ROWS + 1)
    return [
        [control for each in one.fields for control in _inputs(each, row.get(each.name), f"{path}.{place}.{each.name}")]
        for place, row in enumerate([*rows, *spare])
    ]


def _shown(one: Field, value: Any) -> str:
    if one.kind is FieldKind.MONEY and isinstance(value, int):
        return as_typed(value)
    return "" if value is None else str(value)


_KINDS: Final = {
    FieldKind.WHOLE: "number",
    FieldKind.MONEY: "money",
    FieldKind.DATE: "date",
    FieldKind.TIME: "time",
}
