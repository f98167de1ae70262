"""Securities: an officer writes down what was given for a bid or a contract, and later what became of it."""

import hashlib
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.keys import seal
from schoolmeals.procurement.acting import AtHand, known_act, lock_tender, permitted, record_act
from schoolmeals.procurement.contracting import stage_of
from schoolmeals.procurement.models import Contract, FrozenBid, LotItem, Security, SecurityEnd
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.contracts import ContractStage
from schoolmeals.procurement.rules.media import plain_name, type_by_start
from schoolmeals.procurement.rules.securities import NewSecurity, asked_minor, end_problems, security_problems
from schoolmeals.procurement.rules.suppliers import EVIDENCE_BYTES
from schoolmeals.workdays import local_day


def record_bid_security(
    work: Work, tender_id: UUID, bid_id: UUID, security_id: UUID, new: NewSecurity, *, key: bytes, zone: ZoneInfo
) -> UUID:
    """Write down the security of an opened bid: before the opening nobody may learn by it who bids. The same id again
    gives the same answer. Raises NotFound, Invalid, Conflict ``security-there``, NotNow ``no-security-asked``.
    """
    if _known(work, tender_id, security_id):
        return security_id
    hand = permitted(work, "record_bid_security", tender_id)
    bid = work.session.get(FrozenBid, bid_id)
    if bid is None or bid.tender_id != tender_id or bid.outcome != "stands" or hand.facts.times.opened_at is None:
        raise NotFound
    permille = profile_of(work, hand.tender).number("bid_security_permille").value
    items = work.session.scalars(select(LotItem).where(LotItem.lot_id == bid.lot_id)).all()
    least = asked_minor(sum(item.quantity * item.ceiling_minor for item in items), permille)
    if not least:
        raise NotNow("no-security-asked", NO_SECURITY_ASKED)
    until = max([term.until for term in hand.facts.terms.values()] + [hand.at])
    row = Security(purpose="bid", bid_id=bid_id, supplier_id=bid.tenderer_id, currency=items[0].currency)
    _keep(work, hand, row, security_id, new, key=key, least_minor=least, least_until=local_day(until, zone))
    return security_id


def record_contract_security(
    work: Work, tender_id: UUID, contract_id: UUID, security_id: UUID, new: NewSecurity, *, key: bytes
) -> UUID:
    """Write down the security of a contract that is made or in force: at least the sum that its text says, and valid
    to its last day. The same id again gives the same answer. Raises NotFound, Invalid, Conflict ``security-there``,
    NotNow ``no-security-asked``.
    """
    if _known(work, tender_id, security_id):
        return security_id
    hand = permitted(work, "record_contract_security", tender_id)
    contract = work.session.get(Contract, contract_id)
    if contract is None or contract.tender_id != tender_id or stage_of(contract) not in RUNNING:
        raise NotFound
    if not contract.security_minor:
        raise NotNow("no-security-asked", NO_SECURITY_ASKED)
    row = Security(
        purpose="contract", contract_id=contract_id, supplier_id=contract.supplier_id, currency=contract.currency
    )
    least_minor, least_until = contract.security_minor, contract.ends_on
    _keep(work, hand, row, security_id, new, key=key, least_minor=least_minor, least_until=least_until)
    return security_id


def end_security(work: Work, tender_id: UUID, security_id: UUID, *, outcome: str, reason_code: str, note: str) -> None:
    """Write down that a security was returned or kept, and why. Raises NotFound, Invalid, Conflict
    ``security-ended``.
    """
    hand = permitted(work, "end_security", tender_id)
    row = work.session.get(Security, security_id)
    if row is None or row.tender_id != tender_id:
        raise NotFound
    if work.session.get(SecurityEnd, security_id) is not None:
        raise Conflict("security-ended", N_("What became of this security is written down already."))
    problems = end_problems(outcome, reason_code, note)
    if problems:
        raise Invalid(fields=problems)
    work.session.add(
        SecurityEnd(
            security_id=security_id,
            outcome=outcome,
            reason_code=reason_code,
            note=note.strip(),
            ended_by=work.actor.id,
            ended_at=hand.at,
        )
    )
    work.session.flush()
    said = {"purpose": row.purpose, "outcome": outcome, "reason_code": reason_code, "note": note.strip()}
    record_act(work, hand, ActKind.SECURITY_ENDED, said, subject_id=security_id)


def _known(work: Work, tender_id: UUID, security_id: UUID) -> bool:
    lock_tender(work, tender_id)
    known = known_act(work, tender_id, security_id, ActKind.SECURITY_RECORDED)
    return known is not None and known.by_person == work.actor.id


def _keep(
    work: Work,
    hand: AtHand,
    row: Security,
    security_id: UUID,
    new: NewSecurity,
    *,
    key: bytes,
    least_minor: int,
    least_until: date,
) -> None:
    """Keep a security that is worth enough for long enough, its paper sealed by ``key``."""
    media_type = type_by_start(new.content)
    problems = security_problems(new, least_minor=least_minor, least_until=least_until)
    if media_type is None or len(new.content) > EVIDENCE_BYTES:
        problems["file"] = [NO_PAPER]
    if problems or media_type is None:
        raise Invalid(fields=problems)
    standing = select(Security.id).where(
        Security.tender_id == hand.id,
        Security.bid_id == row.bid_id if row.bid_id is not None else Security.contract_id == row.contract_id,
        Security.id.not_in(select(SecurityEnd.security_id)),
    )
    if work.session.scalar(standing) is not None:
        raise Conflict("security-there", SECURITY_THERE)
    row.id, row.tender_id, row.kind = security_id, hand.id, new.kind
    row.number, row.issuer = new.number.strip(), new.issuer.strip()
    row.amount_minor, row.valid_until = new.amount_minor, new.valid_until
    row.file_name, row.media_type = plain_name(new.file_name, media_type), media_type
    row.sha256, row.content = hashlib.sha256(new.content).digest(), seal(key, new.content, security_id.bytes)
    row.recorded_by, row.recorded_at = work.actor.id, hand.at
    work.session.add(row)
    work.session.flush()
    said = {
        "purpose": row.purpose,
        "about": str(row.bid_id or row.contract_id),
        "kind": row.kind,
        "amount_minor": row.amount_minor,
        "valid_until": row.valid_until.isoformat(),
        "sha256": row.sha256.hex(),
    }
    record_act(work, hand, ActKind.SECURITY_RECORDED, said, subject_id=security_id, id=security_id)


RUNNING: Final = frozenset({ContractStage.MADE, ContractStage.SIGNED_ONCE, ContractStage.ACTIVE})
NO_PAPER: Final = FieldProblem.of("no-paper", N_("Choose a PDF, JPEG or PNG of at most 10 MB."))
NO_SECURITY_ASKED: Final = N_("This procedure asks for no such security.")
SECURITY_THERE: Final = N_("A security stands already. Write down first what became of it.")
