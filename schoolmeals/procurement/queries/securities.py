"""Securities: all of a tender for its officers and auditors, one contract's for its sides, and what the public sees."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import defer

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.keys import unseal
from schoolmeals.procurement.access import audits_the_city
from schoolmeals.procurement.contracting import side_of
from schoolmeals.procurement.models import Contract, FrozenBid, Security, SecurityEnd, Tender
from schoolmeals.procurement.queries.drafts import document_now, profile_of
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.securities import asked_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityFacts:
    """A security. ``number``, ``issuer``, ``recorded_by`` and ``note`` are empty for the public."""

    id: UUID
    kind: str
    number: str
    issuer: str
    amount_minor: int
    currency: str
    valid_until: date
    sha256: str
    recorded_by: str
    recorded_at: datetime
    outcome: str | None
    reason_code: str
    note: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """A bid or a contract with what is asked for it and what was given, the newest first."""

    purpose: str
    about_id: UUID
    number: str
    """The contract's; empty for a bid."""
    supplier_id: UUID
    lot_id: UUID
    asked_minor: int
    currency: str
    given: tuple[SecurityFacts, ...]
    waits: bool
    """Whether it is asked for and none stands."""


def securities(work: Work, tender_id: UUID) -> list[Secured]:
    """The bids and contracts of a tender with their securities; for its officers, city admins and auditors. Nothing
    before the bids are opened. Raises NotFound.
    """
    hand = visible(work, tender_id)
    if hand.parties.isdisjoint({Party.OFFICER, Party.CITY_ADMIN, Party.AUDITOR, Party.SYSTEM}):
        raise NotFound
    if hand.facts.times.opened_at is None:
        return []
    profile, document = profile_of(work, hand.tender), document_now(work, hand.tender) or {"lots": []}
    permille = profile.number("bid_security_permille").value
    values = {
        UUID(lot["id"]): (
            sum(item["quantity"] * item["ceiling_minor"] for item in lot["items"]),
            lot["items"][0]["currency"],
        )
        for lot in document["lots"]
    }
    bids = select(FrozenBid).where(FrozenBid.tender_id == tender_id, FrozenBid.outcome == "stands")
    contracts = select(Contract).where(Contract.tender_id == tender_id, Contract.voided_at.is_(None))
    found = []
    for bid in work.session.scalars(bids.order_by(FrozenBid.received_at, FrozenBid.id)):
        value, currency = values[bid.lot_id]
        given = _given(work, Security.bid_id == bid.id, whole=True)
        about = {"purpose": "bid", "about_id": bid.id, "number": "", "supplier_id": bid.tenderer_id}
        found.append(_secured(about, bid.lot_id, asked_minor(value, permille), currency, given))
    found += [_of_contract(work, row, whole=True) for row in work.session.scalars(contracts.order_by(Contract.number))]
    return found


def contract_security(work: Work, contract_id: UUID) -> Secured:
    """A contract's security: whole for its sides and for auditors; kind, sum, term and what became of it for all.
    Raises NotFound.
    """
    row = work.session.get(Contract, contract_id)
    if row is None:
        raise NotFound
    return _of_contract(work, row, whole=_reads_all(work, row))


def security_paper(work: Work, security_id: UUID, *, key: bytes) -> tuple[Security, bytes]:
    """A security's paper; for its supplier, its organiser, the contract's buyer, and auditors. Raises NotFound."""
    row = work.session.get(Security, security_id)
    if row is None:
        raise NotFound
    actor, tender = work.actor, work.session.get_one(Tender, row.tender_id)
    own = row.supplier_id in actor.schools_as(Role.SUPPLIER)
    office = tender.organiser_id in actor.schools_as(Role.PROCUREMENT_OFFICER) or actor.has_role(Role.CITY_ADMIN)
    contract = work.session.get(Contract, row.contract_id) if row.contract_id is not None else None
    if not (own or office or audits_the_city(work) or (contract is not None and side_of(work, contract) is not None)):
        raise NotFound
    return row, unseal(key, row.content, row.id.bytes)


def _reads_all(work: Work, row: Contract) -> bool:
    return side_of(work, row) is not None or work.actor.has_role(Role.CITY_ADMIN) or audits_the_city(work)


def _of_contract(work: Work, row: Contract, *, whole: bool) -> Secured:
    given = _given(work, Security.contract_id == row.id, whole=whole)
    about = {"purpose": "contract", "about_id": row.id, "number": row.number, "supplier_id": row.supplier_id}
    return _secured(about, row.lot_id, row.security_minor, row.currency, given)


def _secured(about: dict[str, Any], lot_id: UUID, asked: int, currency: str, given: list[SecurityFacts]) -> Secured:
    waits = asked > 0 and all(one.outcome is not None for one in given)
    return Secured(**about, lot_id=lot_id, asked_minor=asked, currency=currency, given=tuple(given), waits=waits)


def _given(work: Work, about: ColumnElement[bool], *, whole: bool) -> list[SecurityFacts]:
    found = select(Security).where(about).order_by(Security.recorded_at.desc(), Security.id.desc())
    given = list(work.session.scalars(found.options(defer(Security.content))))
    ended = select(SecurityEnd).where(SecurityEnd.security_id.in_([row.id for row in given]))
    ends = {row.security_id: row for row in work.session.scalars(ended)}
    rows = [(row, ends.get(row.id)) for row in given]
    names = identity.people(work, {row.recorded_by for row, _ in rows if row.recorded_by is not None}) if whole else {}
    return [
        SecurityFacts(
            id=row.id,
            kind=row.kind,
            number=row.number if whole else "",
            issuer=row.issuer if whole else "",
            amount_minor=row.amount_minor,
            currency=row.currency,
            valid_until=row.valid_until,
            sha256=row.sha256.hex(),
            recorded_by=names[row.recorded_by].name if row.recorded_by in names else "",
            recorded_at=row.recorded_at,
            outcome=end.outcome if end is not None else None,
            reason_code=end.reason_code if end is not None else "",
            note=end.note if end is not None and whole else "",
            ended_at=end.ended_at if end is not None else None,
        )
        for row, end in rows
    ]
