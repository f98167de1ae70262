"""What people are bound to elsewhere in the city: by contracts in force, by awards, and by bids that were admitted.

A person has one working day, whoever employs them (failures F1 and F3). Not scoped.
"""

from collections.abc import Collection, Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement.freezing import payload_of
from schoolmeals.procurement.models import Award, Contract, ContractStaff, OpenedBid, Tender
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.opening import admitted_bids


def staff_load(work: Work, person_keys: Collection[str], on: date, *, but_tender: UUID) -> dict[str, int]:
    """How much of a working day, in percent, each of these people is bound to on a day outside of one tender."""
    found: dict[str, int] = {}
    for key, percent in (*_by_contracts(work, person_keys, on, but_tender), *_by_bids(work, but_tender)):
        if key in person_keys:
            found[key] = found.get(key, 0) + percent
    return found


def _by_contracts(work: Work, person_keys: Collection[str], on: date, but_tender: UUID) -> list[tuple[str, int]]:
    """Of contracts that are made and not over, signed or not."""
    found = (
        select(ContractStaff.person_key, ContractStaff.fte_percent)
        .join(Contract, Contract.id == ContractStaff.contract_id)
        .where(
            ContractStaff.person_key.in_(person_keys),
            ContractStaff.until_on >= on,
            ContractStaff.until_on >= ContractStaff.from_on,
            Contract.tender_id != but_tender,
            Contract.terminated_at.is_(None),
            Contract.completed_at.is_(None),
            Contract.voided_at.is_(None),
        )
    )
    return [(key, percent) for key, percent in work.session.execute(found)]


def _by_bids(work: Work, but_tender: UUID) -> Iterator[tuple[str, int]]:
    """Of bids elsewhere that won and have no contract yet, or that were admitted and may still win."""
    bids = {*_awarded(work, but_tender), *_admitted(work, but_tender)}
    if not bids:
        return
    found = select(OpenedBid.plaintext).where(OpenedBid.bid_id.in_(bids), OpenedBid.plaintext.is_not(None))
    for plaintext in work.session.scalars(found):
        for row in plaintext.get("staff", ()) if plaintext is not None else ():
            yield row["person_key"], row["fte_percent"]


def _awarded(work: Work, but_tender: UUID) -> Iterator[UUID]:
    contracted = select(Contract.award_id).where(Contract.award_id.is_not(None), Contract.voided_at.is_(None))
    standing = select(Award.bid_id).where(
        Award.ended_at.is_(None), Award.tender_id != but_tender, Award.id.not_in(contracted)
    )
    yield from work.session.scalars(standing)


def _admitted(work: Work, but_tender: UUID) -> Iterator[UUID]:
    undecided = select(Tender.id).where(
        Tender.admitted_at.is_not(None),
        Tender.awarded_at.is_(None),
        Tender.cancelled_at.is_(None),
        Tender.unsuccessful_at.is_(None),
        Tender.id != but_tender,
    )
    for tender_id in work.session.scalars(undecided).all():
        yield from (UUID(bid) for bid in admitted_bids(payload_of(work, tender_id, ActKind.ADMITTED)))
