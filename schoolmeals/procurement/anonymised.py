"""Bids without the names of their people, as points are computed from them and as score sheets publish them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from schoolmeals.procurement.rules.bid_form import BidContent, EvidenceLine, ExperienceLine, StaffLine, TaxLine
from schoolmeals.procurement.rules.scoring import BidFacts


def pseudonym(tender_id: UUID, person_key: str) -> str:
    """What a person is called in a tender's score sheet: the same in all its bids, and another in other tenders."""
    return hashlib.sha256(f"{tender_id} {person_key}".encode()).hexdigest()[:32]


def bid_json(
    bid_id: UUID,
    lot_id: UUID,
    content: BidContent | None,
    *,
    name: Callable[[str], str] = str,
    past: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The part of a score sheet that points follow from; empty lists where the bid cannot be read."""
    return {
        "bid_id": str(bid_id),
        "lot_id": str(lot_id),
        "staff": [_person(one, name) for one in content.staff] if content else [],
        "experience": [_period(one) for one in content.experience] if content else [],
        "taxes": [_tax_year(one) for one in content.taxes] if content else [],
        "evidence": [_proof(one) for one in content.evidence] if content else [],
        "origin_percent": content.origin_percent if content else None,
        "past": dict(past or {"completed": 0, "terminated": 0}),
    }


def bid_facts(bid_id: UUID, lot_id: UUID, content: BidContent) -> BidFacts:
    """The same as facts, with people by their own keys: for use inside the house."""
    return BidFacts.from_json(bid_json(bid_id, lot_id, content))


def _person(one: StaffLine, name: Callable[[str], str]) -> dict[str, Any]:
    return {
        "person": name(one.person_key),
        "post": one.post,
        "grade": one.grade,
        "education": one.education,
        "fte_percent": one.fte_percent,
        "evidence": list(one.evidence),
    }


def _period(one: ExperienceLine) -> dict[str, Any]:
    return {
        "starts_on": one.starts_on.isoformat(),
        "ends_on": one.ends_on.isoformat(),
        "public": one.public,
        "evidence": list(one.evidence),
    }


def _tax_year(one: TaxLine) -> dict[str, Any]:
    return {"year": one.year, "region": one.region, "evidence": list(one.evidence)}


def _proof(one: EvidenceLine) -> dict[str, Any]:
    until = one.valid_until.isoformat() if one.valid_until is not None else None
    return {"for": one.for_, "sha256": one.sha256, "valid_until": until}
