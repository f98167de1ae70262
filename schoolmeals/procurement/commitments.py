"""Who is bound where: the people of contracts in force, and of awards that will become contracts. Not scoped."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, true

from schoolmeals.database import Work
from schoolmeals.procurement.models import Award, Contract, ContractStaff
from schoolmeals.procurement.opened import contents_of, staff_of
from schoolmeals.procurement.rules.awards import Load
from schoolmeals.procurement.rules.bid_form import StaffLine


def bound_elsewhere(work: Work, person_key: str) -> int:
    """How many percent of their time contracts and awards of the whole city hold somebody to."""
    held = _by_contracts(work, {person_key}, None).get(person_key, 0)
    return held + sum(percent for key, percent in _by_awards(work, None) if key == person_key)


def loads_of(work: Work, staff: Iterable[StaffLine], *, but_bid: UUID) -> list[Load]:
    """What each person of a bid works in all, with what other contracts and awards hold them to; ``but_bid`` is the
    bid itself.
    """
    lines = list(staff)
    bound = _by_contracts(work, {line.person_key for line in lines}, but_bid)
    for person_key, percent in _by_awards(work, but_bid):
        bound[person_key] = bound.get(person_key, 0) + percent
    own: dict[str, tuple[str, int]] = {}
    for line in lines:
        post, percent = own.get(line.person_key, (line.post, 0))
        own[line.person_key] = (post, percent + line.fte_percent)
    return [Load(post, percent + bound.get(key, 0)) for key, (post, percent) in own.items()]


def _by_contracts(work: Work, person_keys: set[str], but_bid: UUID | None) -> dict[str, int]:
    """Of contracts that are made and not over, signed or not."""
    found = (
        select(ContractStaff.person_key, ContractStaff.fte_percent)
        .join(Contract, Contract.id == ContractStaff.contract_id)
        .outerjoin(Award, Award.id == Contract.award_id)
        .where(
            ContractStaff.person_key.in_(person_keys),
            ContractStaff.until_on >= work.today,
            ContractStaff.until_on >= ContractStaff.from_on,
            Contract.terminated_at.is_(None),
            Contract.completed_at.is_(None),
            Contract.voided_at.is_(None),
            true() if but_bid is None else Award.bid_id.is_distinct_from(but_bid),
        )
    )
    bound: dict[str, int] = {}
    for person_key, percent in work.session.execute(found):
        bound[person_key] = bound.get(person_key, 0) + percent
    return bound


def _by_awards(work: Work, but_bid: UUID | None) -> Iterable[tuple[str, int]]:
    """Of awards that stand and have no contract yet."""
    contracted = select(Contract.award_id).where(Contract.award_id.is_not(None), Contract.voided_at.is_(None))
    other = true() if but_bid is None else Award.bid_id != but_bid
    found = select(Award.bid_id).where(Award.ended_at.is_(None), other, Award.id.not_in(contracted))
    for bid_id in work.session.scalars(found).all():
        for line in staff_of(contents_of(work, bid_id)):
            yield line.person_key, line.fte_percent
