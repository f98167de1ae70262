"""Contracts as rows: keeping a text with its items and prices, and finding what a deed works on. Parts of deeds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.documents import canonical_text, digest_of
from schoolmeals.procurement.models import (
    Contract,
    ContractDocument,
    ContractItem,
    ContractPrice,
    ContractSignature,
    ContractStaff,
    Lot,
)
from schoolmeals.procurement.rules.bid_form import StaffLine
from schoolmeals.procurement.rules.contracts import ContractStage, ContractTimes, contract_stage
from schoolmeals.verdicts import Refused


def contract_at(work: Work, hand: AtHand, contract_id: UUID) -> Contract:
    """A contract of the tender at hand, locked, for one of its sides. Raises NotFound."""
    found = select(Contract).where(Contract.id == contract_id, Contract.tender_id == hand.id)
    row: Contract | None = work.session.scalar(found.with_for_update().execution_options(populate_existing=True))
    if row is None or side_of(work, row) is None:
        raise NotFound
    return row


def side_of(work: Work, row: Contract) -> str | None:
    """For which side the actor may speak; None for strangers. A school's organiser may sign for it."""
    if row.supplier_id in work.actor.schools_as(Role.SUPPLIER):
        return "supplier"
    is_office = row.buyer_id in work.actor.schools_as(Role.SCHOOL_OFFICE)
    is_officer = row.organiser_id in work.actor.schools_as(Role.PROCUREMENT_OFFICER)
    return "buyer" if is_office or is_officer else None


def stage_of(row: Contract) -> ContractStage:
    """Where a contract stands."""
    names = ContractTimes.__dataclass_fields__
    return contract_stage(ContractTimes(**{name: getattr(row, name) for name in names}))


def text_in_force(work: Work, row: Contract) -> dict[str, Any]:
    """The contract's present text."""
    found: dict[str, Any] = json.loads(work.session.get_one(ContractDocument, (row.id, row.version)).text)
    return found


def keep_text(work: Work, hand: AtHand, row: Contract, text: Mapping[str, Any]) -> bytes:
    """Keep a text for ever; gives its digest."""
    written = canonical_text(text)
    digest = digest_of(written)
    version = text["version"]
    work.session.add(ContractDocument(contract_id=row.id, version=version, at=hand.at, text=written, sha256=digest))
    work.session.flush()
    return digest


def keep_items(work: Work, row: Contract, items: Sequence[Mapping[str, Any]], first_place: int = 1) -> None:
    """Make the rows of items that are new."""
    for place, item in enumerate(items, start=first_place):
        work.session.add(
            ContractItem(
                id=UUID(item["contract_item_id"]),
                contract_id=row.id,
                lot_item_id=UUID(item["lot_item_id"]) if item["lot_item_id"] else None,
                kind=item["kind"],
                position=place,
                age_group=item["age_group"],
                meal=item["meal"],
                name=item["name"],
                unit=item["unit"],
                quantity=item["quantity"],
            )
        )
    work.session.flush()


def keep_prices(work: Work, row: Contract, prices: Sequence[tuple[UUID, int]], *, from_on: date, version: int) -> None:
    """Write down what items cost from a day on, by the text of that version."""
    for item_id, price_minor in prices:
        work.session.add(
            ContractPrice(
                contract_item_id=item_id,
                from_on=from_on,
                version=version,
                price_minor=price_minor,
                currency=row.currency,
            )
        )
    work.session.flush()


def bind_staff(work: Work, row: Contract, staff: Sequence[StaffLine]) -> None:
    """Bind the people of a bid for the contract's time."""
    for line in staff:
        work.session.add(
            ContractStaff(
                id=new_id(work.now),
                contract_id=row.id,
                person_key=line.person_key,
                name=line.name,
                post=line.post,
                fte_percent=line.fte_percent,
                from_on=row.starts_on,
                until_on=row.ends_on,
            )
        )
    work.session.flush()


@dataclass(frozen=True, slots=True)
class Under:
    """What a signature stands under: whose it is, and which text."""

    side: str
    version: int
    sha256: bytes


def keep_signature(
    work: Work,
    hand: AtHand,
    row: Contract,
    under: Under,
    *,
    kind: str,
    state: str,
    proof: Mapping[str, Any],
    cms: bytes | None = None,
) -> None:
    """Keep a signature of the actor's whole."""
    person_id = work.actor.id
    assert person_id is not None, "only people sign"
    work.session.add(
        ContractSignature(
            id=new_id(hand.at),
            contract_id=row.id,
            version=under.version,
            side=under.side,
            kind=kind,
            state=state,
            person_id=person_id,
            person_name=identity.people(work, [person_id])[person_id].name,
            sha256=under.sha256,
            proof=dict(proof),
            cms=cms,
            at=hand.at,
        )
    )
    work.session.flush()


def next_number(work: Work, hand: AtHand, lot_id: UUID) -> str:
    """What people will call a lot's contract."""
    lot = work.session.get_one(Lot, lot_id)
    number = f"{hand.facts.number}/{lot.position}"
    made = work.session.scalar(select(func.count()).where(Contract.lot_id == lot_id)) or 0
    return number if made == 0 else f"{number}-{made + 1}"


def refuse(refused: Refused | None) -> None:
    """Raise NotNow for a rule that said no."""
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)
