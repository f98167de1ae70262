"""What a side may do with a contract in force, as its forms are typed."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final
from uuid import UUID

from flask import request

from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.procurement.actions import changes, contracts, signing
from schoolmeals.procurement.actions.changes import NewChange
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.rules.contracts import BuffetItem
from schoolmeals.procurement.rules.drafting import LANGUAGES
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.web import frame

_SUM: Final = re.compile(r"(\d{1,9})(?:[.,](\d{1,2}))?", re.ASCII)
_PERCENT: Final = re.compile(r"(\d{1,3})(?:[.,](\d))?", re.ASCII)
_BUFFET_PARTS: Final = len(LANGUAGES) + 2
"""The name in each language, the unit, and the price."""


def buffet_of_form() -> tuple[BuffetItem, ...]:
    """The buffet's list as it is typed or pasted from a table: one thing a line, its name in Kazakh, Russian and
    English, the unit, and the most that it may cost, with semicolons or tabs between. Raises Invalid.
    """
    found = []
    for line in request.form.get("buffet", "").splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in re.split(r"[;\t]", line)]
        if len(parts) != _BUFFET_PARTS or not all(parts):
            raise Invalid(fields={"buffet": [BUFFET_LINE]})
        found.append(BuffetItem(dict(zip(LANGUAGES, parts, strict=False)), parts[-2], minor_of(parts[-1], "buffet")))
    return tuple(found)


def minor_of(text: str, name: str) -> int:
    """A sum as it is typed, in minor units. Raises Invalid for the field ``name``."""
    found = _SUM.fullmatch(re.sub(r"\s", "", text))
    minor = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found is not None else 0
    if not minor:
        raise Invalid(fields={name: [BUFFET_LINE if name == "buffet" else A_SUM]})
    return minor


def _propose(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    text = request.form.get
    new = NewChange(
        kind=text("kind", ""),
        reason=text("reason", ""),
        index_permille=_permille(text("index", "")),
        source=text("source", ""),
        from_on=_day("from_on"),
        buffet=buffet_of_form() if text("kind") == "buffet" else (),
        quantities=_quantities(work, contract_id) if text("kind") == "quantity" else {},
        leaves=_chosen("leaves"),
        joins=_chosen("joins"),
        text=text("text", ""),
    )
    changes.propose_change(work, tender_id, contract_id, form_id("change_id"), new)


def _quantities(work: Work, contract_id: UUID) -> dict[UUID, int]:
    found = {}
    for item in contract_queries.contract(work, contract_id).text["items"]:
        typed = request.form.get(f"quantity.{item['contract_item_id']}", "").replace(" ", "")
        if typed:
            if not typed.isdecimal() or len(typed) > 9:
                raise Invalid(fields={"kind": [WHOLE]})
            found[UUID(item["contract_item_id"])] = int(typed)
    return found


def _chosen(name: str) -> UUID | None:
    """Somebody who is chosen from a list; None for nobody, or for what no list of ours offers."""
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        return None


def _permille(text: str) -> int:
    """A percentage as it is typed, in thousandths."""
    found = _PERCENT.fullmatch(text.strip() or "0")
    if found is None:
        raise Invalid(fields={"index": [WHOLE]})
    return int(found[1]) * 10 + int(found[2] or "0")


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None


def needed_day(name: str) -> date:
    """A day of the form. Raises Invalid."""
    found = _day(name)
    if found is None:
        raise Invalid(fields={name: [A_DAY]})
    return found


def _extend(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    ends_on, reason = needed_day("ends_on"), request.form.get("reason", "")
    changes.extend_contract(work, tender_id, contract_id, form_id("change_id"), ends_on=ends_on, reason=reason)


def _refuse(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    reason = request.form.get("reason", "")
    changes.refuse_change(work, tender_id, contract_id, form_id("change_id"), reason=reason)


def _lease_signed(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    number, signed_on = request.form.get("number", ""), needed_day("signed_on")
    contracts.sign_lease(work, tender_id, contract_id, signed_on=signed_on, number=number, zone=frame().zone)


def _terminate(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    named = {name: request.form.get(name, "") for name in ("fault", "reason")}
    contracts.terminate_contract(work, tender_id, contract_id, **named)


def _complete(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    contracts.complete_contract(work, tender_id, contract_id, zone=frame().zone)


def _attach(work: Work, tender_id: UUID, contract_id: UUID) -> None:
    file = request.files.get("file")
    signing.attach_signature(work, tender_id, contract_id, file.read() if file is not None else b"")


STEPS: Final[Mapping[str, Callable[[Work, UUID, UUID], None]]] = {
    "propose": _propose,
    "extend": _extend,
    "refuse": _refuse,
    "lease": _lease_signed,
    "terminate": _terminate,
    "complete": _complete,
    "attach": _attach,
}
BUFFET_LINE: Final = FieldProblem.of(
    "buffet-line", N_("Write each thing in a line of its own: its name in Kazakh, Russian and English; unit; price.")
)
A_SUM: Final = FieldProblem.of("not-a-sum", N_("Write a sum in tenge."))
WHOLE: Final = FieldProblem.of("no-number", N_("Write a number."))
A_DAY: Final = FieldProblem.of("not-a-day", N_("Choose a day."))
