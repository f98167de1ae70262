"""Looking at contracts: the public list and page, a side's own desk, and the items that menus are priced by."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from schoolmeals.actors import Role
from schoolmeals.database import Work, local_zone
from schoolmeals.errors import NotFound
from schoolmeals.identity import PasskeyProof, proves
from schoolmeals.procurement.acting import at_hand
from schoolmeals.procurement.contracting import side_of, stage_of
from schoolmeals.procurement.models import (
    Contract,
    ContractChange,
    ContractDocument,
    ContractItem,
    ContractPrice,
    ContractSignature,
    ContractStaff,
    Lease,
    Recheck,
    SupplierStaff,
    Tender,
)
from schoolmeals.procurement.replacing import staff_of_contract
from schoolmeals.procurement.rules.contracts import ContractStage, LeaseState, lease_state
from schoolmeals.procurement.rules.permissions import DEEDS, decide

PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class ContractItemFacts:
    """What a menu may promise at what price on a day; of a buffet item the price is the most that it may cost."""

    contract_item_id: UUID
    contract_id: UUID
    supplier_id: UUID
    kind: str
    age_group: str | None
    meal: str | None
    name: Mapping[str, str] | None
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLine:
    """A contract in a list."""

    id: UUID
    number: str
    tender_id: UUID
    lot_id: UUID
    buyer_id: UUID
    supplier_id: UUID
    is_direct: bool
    starts_on: date
    ends_on: date
    value_minor: int
    currency: str
    stage: ContractStage
    lease: LeaseState
    lease_due_on: date | None
    active_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """A signature. ``holds`` says what checking it again just now came to; None for what cannot be checked here."""

    version: int
    side: str
    kind: str
    state: str
    name: str
    detail: Mapping[str, Any]
    at: datetime
    holds: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """A proposed, applied or refused change."""

    id: UUID
    version: int
    kind: str
    reason: str
    content: Mapping[str, Any]
    sha256: str
    proposed_side: str
    proposed_at: datetime
    supplier_signed_at: datetime | None
    buyer_signed_at: datetime | None
    applied_at: datetime | None
    refused_at: datetime | None
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractView:
    """A contract with its text in force. ``side`` is the actor's, None for onlookers."""

    line: ContractLine
    text: Mapping[str, Any]
    version: int
    sha256: str
    security_minor: int
    signatures: tuple[SignatureFacts, ...]
    changes: tuple[ChangeFacts, ...]
    lease_number: str
    lease_signed_on: date | None
    fault: str | None
    end_reason: str | None
    ended_at: datetime | None
    findings: tuple[Mapping[str, Any], ...]
    """What the last look before a signature found."""
    side: str | None
    deeds: frozenset[str]


@dataclass(frozen=True, slots=True)
class ContractPage:
    """One page of a list."""

    lines: tuple[ContractLine, ...]
    total: int
    page: int
    pages: int


def contract_items_of(work: Work, school_id: UUID, on: date) -> list[ContractItemFacts]:
    """What a school's contracts in force promise on a day, with the price of that day. Not scoped: it is public."""
    latest = (
        select(ContractPrice.contract_item_id, ContractPrice.price_minor, ContractPrice.currency)
        .where(ContractPrice.from_on <= on)
        .order_by(ContractPrice.contract_item_id, ContractPrice.from_on.desc(), ContractPrice.version.desc())
        .ext(distinct_on(ContractPrice.contract_item_id))
        .subquery()
    )
    found = (
        select(ContractItem, Contract.supplier_id, latest.c.price_minor, latest.c.currency)
        .join(Contract, Contract.id == ContractItem.contract_id)
        .join(latest, latest.c.contract_item_id == ContractItem.id)
        .where(Contract.buyer_id == school_id, *_in_force(on))
        .order_by(Contract.starts_on, ContractItem.position, ContractItem.id)
    )
    return [
        ContractItemFacts(
            item.id,
            item.contract_id,
            supplier_id,
            item.kind,
            item.age_group,
            item.meal,
            item.name,
            price,
            currency,
        )
        for item, supplier_id, price, currency in work.session.execute(found)
    ]


def contracts_of_school(work: Work, school_id: UUID, on: date) -> list[ContractLine]:
    """A school's contracts in force on a day: who feeds it. Public."""
    found = select(Contract).where(Contract.buyer_id == school_id, *_in_force(on)).order_by(Contract.starts_on)
    return [_line(work, row) for row in work.session.scalars(found)]


def contracts_of_schools(work: Work, school_ids: Iterable[UUID], on: date) -> dict[UUID, list[ContractLine]]:
    """The contracts in force on a day, by school; a school that nobody feeds is left out. Public."""
    wanted = Contract.buyer_id.in_(list(school_ids))
    rows = work.session.scalars(select(Contract).where(wanted, *_in_force(on)).order_by(Contract.starts_on))
    found: dict[UUID, list[ContractLine]] = {}
    for row in rows:
        found.setdefault(row.buyer_id, []).append(_line(work, row))
    return found


def contracts(
    work: Work, *, school_id: UUID | None = None, supplier_id: UUID | None = None, page: int = 1
) -> ContractPage:
    """Contracts that both sides have signed, the latest first; for everybody. ``page`` counts from 1."""
    wanted: list[ColumnElement[bool]] = [Contract.active_at.is_not(None)]
    if school_id is not None:
        wanted.append(Contract.buyer_id == school_id)
    if supplier_id is not None:
        wanted.append(Contract.supplier_id == supplier_id)
    total = work.session.scalar(select(func.count()).select_from(Contract).where(*wanted)) or 0
    found = select(Contract).where(*wanted).order_by(Contract.active_at.desc(), Contract.id)
    rows = work.session.scalars(found.offset((page - 1) * PAGE).limit(PAGE))
    return ContractPage(tuple(_line(work, row) for row in rows), total, page, max(-(-total // PAGE), 1))


def contracts_of_tender(work: Work, tender_id: UUID) -> list[ContractLine]:
    """All contracts of a tender that came about or may; public since the tender is."""
    found = select(Contract).where(Contract.tender_id == tender_id).order_by(Contract.made_at, Contract.id)
    return [_line(work, row) for row in work.session.scalars(found)]


def my_contracts(work: Work) -> list[ContractLine]:
    """The contracts for whose sides the actor may speak, the latest first."""
    actor = work.actor
    mine = or_(
        Contract.supplier_id.in_(actor.schools_as(Role.SUPPLIER)),
        Contract.buyer_id.in_(actor.schools_as(Role.SCHOOL_OFFICE)),
        Contract.organiser_id.in_(actor.schools_as(Role.PROCUREMENT_OFFICER)),
    )
    rows = work.session.scalars(select(Contract).where(mine).order_by(Contract.made_at.desc(), Contract.id))
    return [_line(work, row) for row in rows]


def contract(work: Work, contract_id: UUID) -> ContractView:
    """One contract, for everybody; who has signed is told by side, and by name to the sides. Raises NotFound."""
    row = work.session.get(Contract, contract_id)
    if row is None:
        raise NotFound
    hand = at_hand(work, work.session.get_one(Tender, row.tender_id), work.now)
    document = work.session.get_one(ContractDocument, (row.id, row.version))
    side = side_of(work, row)
    lease = work.session.get(Lease, row.id)
    looked = (
        select(Recheck.findings).where(Recheck.contract_id == row.id).order_by(Recheck.at.desc(), Recheck.id.desc())
    )
    last = work.session.scalar(looked.limit(1))
    permitted = {deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None}
    return ContractView(
        line=_line(work, row),
        text=json.loads(document.text),
        version=row.version,
        sha256=document.sha256.hex(),
        security_minor=row.security_minor,
        signatures=tuple(_signature(one, named=side is not None) for one in signatures_of(work, row.id)),
        changes=tuple(_change(one) for one in _changes(work, row.id)),
        lease_number=lease.number if lease is not None else "",
        lease_signed_on=row.lease_signed_on,
        fault=row.fault,
        end_reason=row.end_reason,
        ended_at=row.terminated_at or row.completed_at or row.voided_at,
        findings=tuple(last or ()),
        side=side,
        deeds=frozenset(permitted if side is not None else ()),
    )


def replaceable_staff(work: Work, contract_id: UUID) -> tuple[list[ContractStaff], list[SupplierStaff]]:
    """Whom a contract in force binds, and who of the supplier's ledger could take somebody's place: for those who act
    for the supplier; empty for all others.
    """
    row = work.session.get(Contract, contract_id)
    if row is None or side_of(work, row) != "supplier" or stage_of(row) is not ContractStage.ACTIVE:
        return [], []
    bound = staff_of_contract(work, row)
    free = select(SupplierStaff).where(
        SupplierStaff.organisation_id == row.supplier_id,
        SupplierStaff.ended_on.is_(None),
        SupplierStaff.post.in_({one.post for one in bound}),
        SupplierStaff.person_key.not_in([one.person_key for one in bound]),
    )
    return bound, list(work.session.scalars(free.order_by(SupplierStaff.post, SupplierStaff.name, SupplierStaff.id)))


def text_of(work: Work, contract_id: UUID, version: int | None = None) -> tuple[str, str]:
    """A version's own bytes as text, with its digest; the one in force by default. Public. Raises NotFound."""
    row = work.session.get(Contract, contract_id)
    found = work.session.get(ContractDocument, (contract_id, version or row.version)) if row is not None else None
    if found is None:
        raise NotFound
    return found.text, found.sha256.hex()


def digest_to_sign(work: Work, contract_id: UUID, change_id: UUID | None = None) -> bytes:
    """The digest that the actor's side is asked to sign: of the text in force, or of a proposed change. Raises
    NotFound for strangers.
    """
    row = work.session.get(Contract, contract_id)
    if row is None or side_of(work, row) is None:
        raise NotFound
    if change_id is None:
        return work.session.get_one(ContractDocument, (row.id, row.version)).sha256
    change = work.session.get(ContractChange, change_id)
    if change is None or change.contract_id != row.id:
        raise NotFound
    return change.sha256


def signatures_of(work: Work, contract_id: UUID) -> list[ContractSignature]:
    """All signatures under a contract's texts, in order. Not scoped."""
    found = select(ContractSignature).where(ContractSignature.contract_id == contract_id)
    return list(work.session.scalars(found.order_by(ContractSignature.at, ContractSignature.id)))


def was_in_force(row: Contract, on: date) -> bool:
    """What the list of contracts in force on a day asks, asked of one contract."""
    is_begun = row.active_at is not None and row.starts_on <= on <= row.ends_on
    return is_begun and (row.terminated_at is None or row.terminated_at >= _end_of_day(on))


def _end_of_day(on: date) -> datetime:
    return datetime.combine(on + timedelta(days=1), time(), tzinfo=local_zone())


def _in_force(on: date) -> list[ColumnElement[bool]]:
    """On a day: signed by both, begun, not over, and not terminated by its end. ``was_in_force`` says the same."""
    end_of_day = _end_of_day(on)
    return [
        Contract.active_at.is_not(None),
        Contract.starts_on <= on,
        Contract.ends_on >= on,
        or_(Contract.terminated_at.is_(None), Contract.terminated_at >= end_of_day),
    ]


def _changes(work: Work, contract_id: UUID) -> list[ContractChange]:
    found = select(ContractChange).where(ContractChange.contract_id == contract_id)
    return list(work.session.scalars(found.order_by(ContractChange.version.desc())))


def _line(work: Work, row: Contract) -> ContractLine:
    return ContractLine(
        id=row.id,
        number=row.number,
        tender_id=row.tender_id,
        lot_id=row.lot_id,
        buyer_id=row.buyer_id,
        supplier_id=row.supplier_id,
        is_direct=row.award_id is None,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        value_minor=row.value_minor,
        currency=row.currency,
        stage=stage_of(row),
        lease=lease_state(row.lease_due_on, row.lease_signed_on, work.today),
        lease_due_on=row.lease_due_on,
        active_at=row.active_at,
    )


def _signature(row: ContractSignature, *, named: bool) -> SignatureFacts:
    holds = proves(PasskeyProof(row.proof), row.sha256) if row.kind == "passkey" else None
    detail = row.proof if row.kind == "cms" and named else {}
    name = row.person_name if named else ""
    return SignatureFacts(row.version, row.side, row.kind, row.state, name, detail, row.at, holds)


def _change(row: ContractChange) -> ChangeFacts:
    return ChangeFacts(
        id=row.id,
        version=row.version,
        kind=row.kind,
        reason=row.reason,
        content=row.content,
        sha256=row.sha256.hex(),
        proposed_side=row.proposed_side,
        proposed_at=row.proposed_at,
        supplier_signed_at=row.supplier_signed_at,
        buyer_signed_at=row.buyer_signed_at,
        applied_at=row.applied_at,
        refused_at=row.refused_at,
        refusal=row.refusal,
    )
