"""How the deeds from the award on are done, for the table of permissions; see ``deeds.py``."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import (
    awarding,
    cancelling,
    changes,
    complaints,
    contracts,
    securities,
    signing,
    suspending,
)
from schoolmeals.procurement.actions.changes import NewChange
from schoolmeals.procurement.actions.complaints import NewComplaint
from schoolmeals.procurement.models import CommissionSeat
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.securities import NewSecurity
from tests.factories.contracts import SITE, direct_terms
from tests.factories.procurement import ALMATY, Procurement

Recipe = Callable[[Procurement, Work, UUID], Any]
COMPLAINT: Final = NewComplaint(about="other", text="Unfair", remedy="Mend it", language="kk")


def _lot(work: Work, tender_id: UUID) -> UUID:
    return lots_of(work, tender_id)[0].id


def _present(work: Work, tender_id: UUID) -> list[UUID]:
    return list(work.session.scalars(select(CommissionSeat.id).where(CommissionSeat.tender_id == tender_id)))


def _security() -> NewSecurity:
    about: dict[str, Any] = {
        "kind": "deposit",
        "number": "7",
        "issuer": "Bank",
        "file_name": "a.pdf",
        "content": b"%PDF-1",
    }
    return NewSecurity(**about, amount_minor=1, valid_until=date(2027, 1, 1))


RECIPES: Final[dict[str, Recipe]] = {
    "record_bid_security": lambda _world, work, tender: securities.record_bid_security(
        work, tender, new_id(work.now), new_id(work.now), _security(), key=bytes(32), zone=ALMATY
    ),
    "record_contract_security": lambda _world, work, tender: securities.record_contract_security(
        work, tender, new_id(work.now), new_id(work.now), _security(), key=bytes(32)
    ),
    "end_security": lambda _world, work, tender: securities.end_security(
        work, tender, new_id(work.now), outcome="returned", reason_code="lost", note=""
    ),
    "sign_award": lambda _world, work, tender: awarding.sign_award(
        work, tender, present=_present(work, tender), zone=ALMATY
    ),
    "declare_unsuccessful": lambda _world, work, tender: awarding.declare_unsuccessful(
        work, tender, _lot(work, tender), "nobody came"
    ),
    "end_award": lambda _world, work, tender: awarding.end_award(
        work, tender, _lot(work, tender), code="refused-to-sign", reason="a letter", zone=ALMATY
    ),
    "suspend_tender": lambda _world, work, tender: suspending.suspend_tender(
        work, tender, cause="prosecutor", cause_id="7", reason="an inspection", clock=deed_clock
    ),
    "resume_tender": lambda _world, work, tender: suspending.resume_tender(
        work, tender, cause_id="court-1", reason="lifted", zone=ALMATY, clock=deed_clock
    ),
    "cancel_tender": lambda _world, work, tender: cancelling.cancel_tender(
        work, tender, reason_code="no-need", reason="closed", clock=deed_clock
    ),
    "make_complaint": lambda _world, work, tender: complaints.make_complaint(work, tender, new_id(work.now), COMPLAINT),
    "withdraw_complaint": lambda _world, work, tender: complaints.withdraw_complaint(
        work, tender, new_id(work.now), reason="", zone=ALMATY
    ),
    "accept_complaint": lambda _world, work, tender: complaints.accept_complaint(
        work, tender, new_id(work.now), zone=ALMATY, clock=deed_clock
    ),
    "refuse_complaint": lambda _world, work, tender: complaints.refuse_complaint(
        work, tender, new_id(work.now), code="late", reason="too late"
    ),
    "decide_complaint": lambda _world, work, tender: complaints.decide_complaint(
        work, tender, new_id(work.now), outcome="declined", reasons="unfounded", zone=ALMATY
    ),
    "execute_decision": lambda _world, work, tender: complaints.execute_decision(
        work, tender, new_id(work.now), report="done", zone=ALMATY
    ),
    "make_contract": lambda _world, work, tender: contracts.make_contract(
        work, tender, _lot(work, tender), new_id(work.now), zone=ALMATY
    ),
    "make_direct_contract": lambda world, work, tender: contracts.make_direct_contract(
        work, tender, _lot(work, tender), new_id(work.now), direct_terms(world)
    ),
    "sign_contract": lambda _world, work, tender: signing.sign_contract(
        work, tender, new_id(work.now), site=SITE, credential={}, zone=ALMATY
    ),
    "attach_signature": lambda _world, work, tender: signing.attach_signature(work, tender, new_id(work.now), b""),
    "propose_change": lambda _world, work, tender: changes.propose_change(
        work, tender, new_id(work.now), new_id(work.now), NewChange(kind="details", reason="moved", text="Abay 14")
    ),
    "sign_change": lambda _world, work, tender: changes.sign_change(
        work, tender, new_id(work.now), new_id(work.now), site=SITE, credential={}
    ),
    "refuse_change": lambda _world, work, tender: changes.refuse_change(
        work, tender, new_id(work.now), new_id(work.now), reason="no"
    ),
    "extend_contract": lambda _world, work, tender: changes.extend_contract(
        work, tender, new_id(work.now), new_id(work.now), ends_on=work.now.date(), reason="next year"
    ),
    "sign_lease": lambda _world, work, tender: contracts.sign_lease(
        work, tender, new_id(work.now), signed_on=work.now.date(), number="7", zone=ALMATY
    ),
    "terminate_contract": lambda _world, work, tender: contracts.terminate_contract(
        work, tender, new_id(work.now), fault="none", reason="agreed"
    ),
    "complete_contract": lambda _world, work, tender: contracts.complete_contract(
        work, tender, new_id(work.now), zone=ALMATY
    ),
    "complete_tender": lambda _world, work, tender: contracts.complete_tender(work, tender),
}
"""By the names of their actions."""
