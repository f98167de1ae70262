"""A contract's text: everything that both sides agree on, as one canonical JSON text whose digest they sign. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from schoolmeals.procurement.rules.bid_form import StaffLine
from schoolmeals.procurement.rules.contracts import BuffetItem, value_of

FORMAT: Final = "schoolmeals-contract/v1"
_TAKEN: Final = ("meals", "kitchen", "serving", "lease", "menu", "diets", "origin", "delivery")
"""The sections of a lot that become terms of its contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a contract rests on: the published notice, the lot, and the award; ``award`` None for a direct one."""

    contract_id: UUID
    number: str
    notice: Mapping[str, Any]
    notice_sha256: str
    lot: Mapping[str, Any]
    supplier: Mapping[str, Any]
    award: Mapping[str, Any] | None
    reason: str
    """Why there is a direct contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What is agreed on beyond that."""

    starts_on: date
    ends_on: date
    items: Sequence[Mapping[str, Any]]
    """``[{"contract_item_id", "lot_item_id", "kind", "age_group", "meal", "name", "unit", "quantity",
    "price_minor"}]``; of the buffet the price is a ceiling, and the quantity 0.
    """
    currency: str
    security_permille: int
    lease_days: int
    staff: Sequence[StaffLine]


def contract_text(basis: Basis, agreed: Agreed) -> dict[str, Any]:
    """The first text of a contract."""
    value_minor = value_of(agreed.items)
    notice = basis.notice
    return {
        "format": FORMAT,
        "contract_id": str(basis.contract_id),
        "number": basis.number,
        "version": 1,
        "kind": "award" if basis.award is not None else "direct",
        "reason": basis.reason,
        "tender": {
            "id": notice["tender_id"],
            "number": notice["number"],
            "version": notice["version"],
            "title": notice["sections"]["notice"]["title"],
            "notice_sha256": basis.notice_sha256,
        },
        "award": dict(basis.award) if basis.award is not None else None,
        "organiser": notice["organiser"],
        "buyer": basis.lot["school"],
        "supplier": dict(basis.supplier),
        "lot": {"id": basis.lot["id"], "position": basis.lot["position"]},
        "period": {"starts_on": agreed.starts_on.isoformat(), "ends_on": agreed.ends_on.isoformat()},
        "items": [dict(item) for item in agreed.items],
        "value_minor": value_minor,
        "currency": agreed.currency,
        "security_minor": value_minor * agreed.security_permille // 1000,
        "lease_days": agreed.lease_days,
        "terms": dict(notice["sections"].get("terms", {})),
        "sections": {name: basis.lot["sections"][name] for name in _TAKEN if name in basis.lot["sections"]},
        "staff": [bound(line.post, line.grade, line.fte_percent, line.person_key) for line in agreed.staff],
        "changes": [],
    }


def changed_text(
    text: Mapping[str, Any], version: int, kind: str, reason: str, content: Mapping[str, Any]
) -> dict[str, Any]:
    """The text that a change would make of ``text``. ``content`` has been checked."""
    changed = {**text, "version": version}
    changed["changes"] = [
        *text["changes"],
        {"version": version, "kind": kind, "reason": reason, "content": dict(content)},
    ]
    items = [dict(item) for item in text["items"]]
    if "prices" in content:
        prices = {one["contract_item_id"]: one["price_minor"] for one in content["prices"]}
        items = [{**item, "price_minor": prices.get(item["contract_item_id"], item["price_minor"])} for item in items]
    if "quantities" in content:
        counts = {one["contract_item_id"]: one["quantity"] for one in content["quantities"]}
        items = [{**item, "quantity": counts.get(item["contract_item_id"], item["quantity"])} for item in items]
    items += [dict(item) for item in content.get("added", ())]
    changed["items"] = items
    changed["value_minor"] = value_of(items)
    if "replaced" in content:
        changed["staff"] = _replaced(text["staff"], content["replaced"])
    if "ends_on" in content:
        changed["period"] = {**text["period"], "ends_on": content["ends_on"]}
    return changed


def buffet_rows(items: Iterable[tuple[UUID, BuffetItem]]) -> list[dict[str, Any]]:
    """The buffet's list as items of a text."""
    return [
        {
            "contract_item_id": str(id),
            "lot_item_id": None,
            "kind": "buffet",
            "age_group": None,
            "meal": None,
            "name": dict(one.name),
            "unit": one.unit,
            "quantity": 0,
            "price_minor": one.ceiling_minor,
        }
        for id, one in items
    ]


def bound(post: str, grade: int | None, fte_percent: int, person_key: str) -> dict[str, Any]:
    """Somebody who is bound to work, named by a digest alone: the text is public."""
    person = sha256(person_key.encode()).hexdigest()
    return {"post": post, "grade": grade, "fte_percent": fte_percent, "person": person}


def _replaced(staff: Sequence[Mapping[str, Any]], change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The staff with one line of it replaced, in its place."""
    leaves, joins = dict(change["leaves"]), dict(change["joins"])
    place = [dict(one) for one in staff].index(leaves)
    return [dict(joins if at == place else one) for at, one in enumerate(staff)]
