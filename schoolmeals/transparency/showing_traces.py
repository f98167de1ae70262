"""A walk from a receipt to the tender as the page and its JSON take it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from flask import url_for
from flask_babel import gettext

from schoolmeals import procurement
from schoolmeals.errors import N_
from schoolmeals.procurement import PriceTrace
from schoolmeals.transparency.tracing import Step, Trace, TracedLine
from schoolmeals.web import frame, language
from schoolmeals.web.formats import day, money

FORMAT: Final = "schoolmeals-trace/1"
TITLES: Final[Mapping[str, str]] = {
    "menu": N_("The published menu"),
    "price": N_("The contract's price"),
    "contract": N_("The contract"),
    "award": N_("The decision and its scores"),
    "bid": N_("The opened bid"),
    "tender": N_("The tender"),
}
CHECKED: Final[Mapping[str, str]] = {
    "menu": N_("The menu that was sold from has this line at this price, by the same contract."),
    "price": N_(
        "It is this school's contract, in force on this day; the menu asks what it allows for this meal and age."
    ),
    "contract": N_("Both sides have signed the text that names this price, and it still has its digest."),
    "award": N_("Every point was computed anew from the published score sheet; the decision and the contract follow."),
    "bid": N_(
        "The sealed bid was opened again and says what was read at the opening; the contract began at its price."
    ),
    "tender": N_("The contract rests on this published text; its first price was not above what that allows."),
}
"""What was looked at when the page was opened."""
NOT_OPENED_AGAIN: Final = N_(
    "The bid has the digest of its receipt, and the contract began at its price. Its files are large and were not"
    " opened again for this page; the command schoolmeals trace opens them."
)


def shown_trace(found: Trace) -> dict[str, Any]:
    """What the page shows beside the facts themselves."""
    sold, spoken = found.sold, language()
    return {
        "school": found.school.name(spoken),
        "day": day(sold.day, spoken, frame().zone, year=True),
        "meal": gettext(procurement.MEAL_NAMES[sold.meal]) if sold.meal else "",
        "total": money(sold.total_minor, sold.currency, spoken),
        "lines": [_line(line, found, place) for place, line in enumerate(found.lines)],
    }


def trace_json(found: Trace) -> dict[str, Any]:
    """The walk for programs."""
    sold = found.sold
    return {
        "format": FORMAT,
        "receipt": str(sold.receipt),
        "school": {"id": str(sold.school_id), "name": found.school.name("en")},
        "day": sold.day.isoformat(),
        "meal": sold.meal,
        "total_minor": sold.total_minor,
        "posted_minor": sold.posted_minor,
        "currency": sold.currency,
        "taken_back": sold.is_undone,
        "adds_up": sold.adds_up,
        "holds": found.holds,
        "lines": [
            {
                "line": line.sold.line,
                "names": dict(line.sold.names),
                "quantity": line.sold.quantity,
                "price_minor": line.sold.price_minor,
                "contract_item_id": _plain(line.sold.contract_item_id),
                "steps": [
                    {"code": step.code, "holds": step.holds, **{name: _plain(one) for name, one in step.facts.items()}}
                    for step in line.steps
                ],
            }
            for line in found.lines
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _line(line: TracedLine, found: Trace, place: int) -> dict[str, Any]:
    """A line with its steps; of a thing of the buffet not those that were told above, of the same contract."""
    spoken, sold, currency = language(), line.sold, found.sold.currency
    is_told = _is_told(line, found.lines[:place])
    steps = line.steps[:2] if is_told else line.steps
    return {
        "name": sold.names.get(spoken) or sold.names["kk"],
        "age_group": gettext(procurement.AGE_GROUP_NAMES[sold.age_group]) if sold.age_group else "",
        "quantity": sold.quantity,
        "price": money(sold.price_minor, currency, spoken),
        "steps": [_step(step, line.price, currency) for step in steps],
        "goes_on_above": is_told,
        "is_direct": line.price is not None and line.price.contract.is_direct,
        "rests_on_contract": line.price is not None,
    }


def _is_told(line: TracedLine, before: Sequence[TracedLine]) -> bool:
    price = line.price
    if price is None or price.contract.kind != "buffet" or not all(step.holds for step in line.steps):
        return False
    return any(one.price is not None and one.price.contract.contract_id == price.contract.contract_id for one in before)


def _step(step: Step, price: PriceTrace | None, currency: str) -> dict[str, Any]:
    return {
        "title": gettext(TITLES[step.code]),
        "holds": step.holds,
        "checked": gettext(NOT_OPENED_AGAIN if step.facts.get("opened_again") is False else CHECKED[step.code]),
        "rows": [(gettext(name), value) for name, value in _rows(step, price, currency)],
        "sha256": step.facts.get("sha256"),
        "link": _link(step, price),
    }


def _rows(step: Step, price: PriceTrace | None, currency: str) -> list[tuple[str, str]]:
    """What people read of a step."""
    spoken, zone, facts = language(), frame().zone, step.facts
    if step.code == "menu":
        return [
            (N_("Version"), str(facts["version"])),
            (N_("Price on the menu"), money(facts["price_minor"], currency, spoken)),
        ]
    if price is None:
        return []
    if step.code == "price":
        label = N_("At most") if facts["is_ceiling"] else N_("Price by the contract")
        since = day(facts["from_on"], spoken, zone, year=True)
        return [(label, money(facts["price_minor"], currency, spoken)), (N_("In force since"), since)]
    if step.code == "contract":
        return [(N_("Supplier"), price.contract.supplier.name(spoken)), (N_("Version"), str(facts["version"]))]
    if step.code == "award":
        points = f"{facts['points_milli'] / 1000:g}".replace(".", "." if spoken == "en" else ",")
        decided = day(facts["decided_at"], spoken, zone, year=True)
        return [(N_("Decided"), decided), (N_("Place"), str(facts["rank"])), (N_("Points"), points)]
    if step.code == "bid":
        asked = [(N_("Price asked"), money(facts["price_minor"], currency, spoken))] if facts["price_minor"] else []
        return [(N_("Received"), day(facts["received_at"], spoken, zone, year=True)), *asked]
    allowed = [(N_("At most"), money(facts["ceiling_minor"], currency, spoken))] if facts["ceiling_minor"] else []
    return [(N_("Published"), day(facts["at"], spoken, zone, year=True)), *allowed]


def _link(step: Step, price: PriceTrace | None) -> tuple[str, str] | None:
    """Where more is told: words and an address."""
    if price is None:
        return None
    tender_id = price.tender.tender_id
    if step.code == "contract":
        words = gettext("Contract No. %(number)s", number=price.contract.number)
        return words, url_for("procurement.contract", contract_id=price.contract.contract_id)
    if step.code == "award":
        return gettext("Why this supplier: points and decisions"), url_for("procurement.award", tender_id=tender_id)
    if step.code == "bid":
        return gettext("How the bids were opened"), url_for("procurement.opening", tender_id=tender_id)
    if step.code == "tender":
        words = gettext("Tender No. %(number)s", number=price.tender.number)
        return words, url_for("procurement.tender_version", tender_id=tender_id, number=price.tender.version)
    return None
