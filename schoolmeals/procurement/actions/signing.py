"""Signing contracts: the supplier first, then the buyer, each by a passkey over the digest of the text. CMS files may
stand beside that.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotNow
from schoolmeals.procurement.acting import AtHand, permitted, record_act
from schoolmeals.procurement.contracting import (
    Under,
    contract_at,
    keep_signature,
    refuse,
    side_of,
    stage_of,
    text_in_force,
)
from schoolmeals.procurement.models import Award, Contract, ContractDocument, ContractSignature
from schoolmeals.procurement.profiles import Length
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.rechecking import speaks_against
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.awards import standstill_of
from schoolmeals.procurement.rules.contracts import VERIFIED, ContractStage, sides_sign_in_turn
from schoolmeals.procurement.rules.stages import is_over
from schoolmeals.verdicts import Refused
from schoolmeals.workdays import local_day


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature was taken; ``in_force`` once both sides have signed."""

    side: str
    in_force: bool


def sign_contract(
    work: Work, tender_id: UUID, contract_id: UUID, *, site: identity.Site, credential: dict[str, Any], zone: ZoneInfo
) -> Signed | Refused:
    """Sign a contract for the actor's side. Registers and staff are looked up once more; where something speaks against
    the supplier, that is written down, the contract stays unsigned, and the answer is Refused ``speaks-against``.
    Raises NotFound, NotNow ``complaint-waits``, ``standstill-runs``, ``supplier-first``, ``contract-is-...``, Conflict
    ``signed-already``, ``both-sides``, Invalid ``not-signed``.
    """
    hand = permitted(work, "sign_contract", tender_id)
    row = contract_at(work, hand, contract_id)
    side = _open_side(work, hand, row)
    document = work.session.get_one(ContractDocument, (row.id, row.version))
    proof = identity.sign_by_passkey(work, site, document.sha256, credential)
    if proof is None:
        raise Invalid("not-signed", NOT_SIGNED)
    award = work.session.get_one(Award, row.award_id) if row.award_id is not None else None
    findings = speaks_against(
        work,
        hand,
        profile_of(work, hand.tender),
        lot_id=row.lot_id,
        bid_id=award.bid_id if award is not None else None,
        supplier_id=row.supplier_id,
        occasion="contract",
        zone=zone,
        contract_id=row.id,
    )
    if findings:
        return Refused("speaks-against", SPEAKS_AGAINST)
    under = Under(side, row.version, document.sha256)
    keep_signature(work, hand, row, under, kind="passkey", state=VERIFIED, proof=proof.json)
    setattr(row, f"{side}_signed_at", hand.at)
    work.session.flush()
    said = {"number": row.number, "side": side, "version": row.version, "sha256": document.sha256.hex()}
    record_act(work, hand, ActKind.CONTRACT_SIGNED, said, lot_id=row.lot_id, subject_id=row.id)
    if row.supplier_signed_at is not None and row.buyer_signed_at is not None:
        _put_in_force(work, hand, row, zone)
    return Signed(side, row.active_at is not None)


def attach_signature(work: Work, tender_id: UUID, contract_id: UUID, data: bytes) -> str:
    """Put a detached CMS file beside the contract's text in force; gives whether it was ``verified`` or is
    ``not-verified-here``. Raises NotFound, Invalid.
    """
    # Reading these files takes half a second to load, at every start, for what few ever send.
    from schoolmeals.procurement.cms_files import NotCms, read_cms

    hand = permitted(work, "attach_signature", tender_id)
    row = contract_at(work, hand, contract_id)
    side = side_of(work, row)
    assert side is not None, "contract_at lets no stranger in"
    document = work.session.get_one(ContractDocument, (row.id, row.version))
    try:
        facts = read_cms(data, document.text.encode())
    except NotCms as fault:
        raise Invalid(fields={"file": [CMS_FAULTS.get(str(fault), CMS_FAULTS["not-cms"])]}) from fault
    under = Under(side, row.version, document.sha256)
    keep_signature(work, hand, row, under, kind="cms", state=facts.state, proof=facts.as_json(), cms=data)
    said = {"number": row.number, "side": side, "cms": facts.state, "algorithm": facts.algorithm}
    record_act(work, hand, ActKind.CONTRACT_SIGNED, said, lot_id=row.lot_id, subject_id=row.id)
    return facts.state


def _open_side(work: Work, hand: AtHand, row: Contract) -> str:
    """The side whose signature of the actor's is due now."""
    stage, side = stage_of(row), side_of(work, row)
    assert side is not None, "contract_at lets no stranger in"
    if stage not in {ContractStage.MADE, ContractStage.SIGNED_ONCE}:
        raise NotNow(f"contract-is-{stage.value}", N_("The contract is not waiting for signatures."))
    if hand.facts.complaints_waiting:
        raise NotNow("complaint-waits", N_("A complaint waits to be judged. Nothing is signed before that."))
    standstill = standstill_of(hand.facts.terms, row.lot_id) if row.award_id is not None else None
    if standstill is not None and not is_over(standstill.until, hand.at):
        raise NotNow("standstill-runs", N_("The standstill of this award still runs."))
    if getattr(row, f"{side}_signed_at") is not None:
        raise Conflict("signed-already", N_("Your side has signed already."))
    refuse(sides_sign_in_turn(side, row.supplier_signed_at is not None))
    signers = select(ContractSignature.person_id).where(
        ContractSignature.contract_id == row.id, ContractSignature.kind == "passkey"
    )
    if work.actor.id in set(work.session.scalars(signers)):
        raise Conflict("both-sides", N_("Nobody signs for both sides."))
    return side


def _put_in_force(work: Work, hand: AtHand, row: Contract, zone: ZoneInfo) -> None:
    row.active_at = hand.at
    days = text_in_force(work, row)["lease_days"]
    if days:
        term = reckoning_of(work, hand.tender, zone).begin(hand.at, Length(days, "calendar-days"))
        row.lease_due_on = local_day(term.until, zone)
    work.session.flush()
    due: date | None = row.lease_due_on
    said = {
        "number": row.number,
        "supplier_id": str(row.supplier_id),
        "lease_due_on": due.isoformat() if due is not None else None,
    }
    record_act(work, hand, ActKind.CONTRACT_ACTIVE, said, lot_id=row.lot_id, subject_id=row.id)


NOT_SIGNED: Final = N_("The signature was not accepted. Try again with your passkey.")
SPEAKS_AGAINST: Final = N_(
    "Something speaks against the supplier now. It is written down, and the contract is not signed."
)
CMS_FAULTS: Final = {
    "not-cms": FieldProblem.of("not-cms", N_("This is not a detached CMS signature (.cms, .p7s, .sig in DER).")),
    "not-detached": FieldProblem.of(
        "not-detached", N_("This file brings a text of its own. A detached one is needed.")
    ),
    "no-signer": FieldProblem.of("no-signer", N_("The file must have exactly one signature.")),
    "signature-wrong": FieldProblem.of("signature-wrong", N_("The signature does not fit the contract's text.")),
}
