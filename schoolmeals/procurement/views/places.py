"""Where in a tender's text something stands, and what stands there, in words: for pages that compare versions."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.procurement import showing
from schoolmeals.procurement.rules.sections import SECTIONS, Field
from schoolmeals.procurement.words import CHOICE_NAMES, NUMBER_NAMES
from schoolmeals.web import language
from schoolmeals.web.formats import grouped

PART_LABELS: Final = {
    "terms": N_("Dates"),
    "documents": N_("Documents"),
    "commission": N_("Commission"),
    "profile": N_("Procedure"),
    "ceiling_minor": N_("Ceiling price, in hundredths"),
    "quantity": N_("Quantity"),
    "until": N_("Until"),
    "discussion": N_("Discussion"),
    "bidding": N_("Bids"),
    "questions": N_("Questions"),
    "kk": "қазақша",
    "ru": "русский",
    "en": "English",
}


def place_name(path: tuple[str, ...], document: Mapping[str, Any]) -> str:
    """A place as a reader would look for it: lot, section, field, row."""
    rest = list(path)
    words: list[str] = []
    if rest[0] == "lots":
        words.append(_lot_name(rest[1], document))
        rest = rest[2:]
    known = _labels()
    named = [name for name in rest if name not in {"sections", "items"}]
    return " · ".join([*words, *(_item_name(name, document) or known.get(name, name) for name in named)])


def shown_value(value: Any) -> str:
    """A value that was or is there."""
    match value:
        case None | "" | [] | {}:
            return "-"
        case bool():
            return str(gettext("yes") if value else gettext("no"))
        case int():
            return grouped(value, language())
        case str():
            return str(gettext(CHOICE_NAMES[value])) if value in CHOICE_NAMES else value
        case _:
            return str(value)


def _lot_name(lot_id: str, document: Mapping[str, Any]) -> str:
    lot = next((one for one in document["lots"] if one["id"] == lot_id), None)
    if lot is None:
        return str(gettext("A lot that was taken out"))
    school = showing.said(lot["school"]["name"])
    return str(gettext("Lot %(number)s: %(school)s", number=lot["position"], school=school))


def _item_name(item_id: str, document: Mapping[str, Any]) -> str | None:
    items = (item for lot in document["lots"] for item in lot["items"])
    return next((showing.item_name(item) for item in items if item["id"] == item_id), None)


def _labels() -> dict[str, str]:
    labels: dict[str, str] = {name: gettext(label) for name, label in NUMBER_NAMES.items()}
    for section in SECTIONS:
        labels[section.name] = gettext(section.title)
        for field in section.fields:
            labels |= _field_labels(field)
    return labels | {name: gettext(label) for name, label in PART_LABELS.items()}


def _field_labels(field: Field) -> dict[str, str]:
    return {one.name: gettext(one.label) for one in (field, *field.fields)}
