"""Who may do what at which stage of a tender: the whole answer, as data.

Every deed is named as its action is. :func:`decide` gives the exact refusal, in a fixed order: what is not yours to see
is not found; then comes whose deed it is; then whether it is the moment. What else a deed asks for (completeness, a
quorum, somebody else's eyes) is a rule of its own, with its own code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schoolmeals.errors import N_, NotAllowed, NotFound, NotNow, Refusal
from schoolmeals.procurement.rules.stages import OVER, UNPUBLISHED, TenderStage


class Party(StrEnum):
    """What somebody is to a tender."""

    OFFICER = "officer"
    CITY_ADMIN = "city-admin"
    AUDITOR = "auditor"
    CHAIR = "chair"
    MEMBER = "member"
    """Anybody with a vote: members, chair, deputy, an alternate who was called."""
    SECRETARY = "secretary"
    ALTERNATE = "alternate"
    KEY_HOLDER = "key-holder"
    """Has left the commission, and bids are sealed to the key all the same."""
    INVITED = "invited"
    """Appointed, but has not accepted yet."""
    SUPPLIER = "supplier"
    BUYER = "buyer"
    """The office of a school whose meals are bought."""
    REVIEW_BODY = "review-body"
    PERSON = "person"
    PUBLIC = "public"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Permit:
    """Who may do a deed, and at which stages; ``stages`` None for deeds that are about no tender."""

    parties: frozenset[Party]
    stages: frozenset[TenderStage] | None


def _permit(parties: Iterable[Party], stages: Iterable[TenderStage] | None) -> Permit:
    return Permit(frozenset(parties), frozenset(stages) if stages is not None else None)


_S: Final = TenderStage
_P: Final = Party
DRAFT: Final = (_S.DRAFT,)
AMENDABLE: Final = (_S.DRAFT, _S.DISCUSSION, _S.BIDDING)
"""After publication the working copy is written for the next version; nobody sees it before that is published."""
PREPARING: Final = (_S.DRAFT, _S.UNDER_REVIEW, _S.APPROVED)
DRAWING: Final = (_S.ADMISSION, _S.EVALUATION, _S.AWARDING)
"""The commission decides, and may be filled up by lot where too few are left. Before, any few with keys can open."""
COMMISSION_WORKS: Final = frozenset(TenderStage) - OVER
ONGOING: Final = COMMISSION_WORKS - UNPUBLISHED
"""Published, and not over."""
OPENED: Final = (
    _S.ADMISSION,
    _S.EVALUATION,
    _S.AWARDING,
    _S.STANDSTILL,
    _S.CONTRACTING,
    _S.SUSPENDED,
    _S.COMPLETE,
    _S.CANCELLED,
    _S.UNSUCCESSFUL,
)
"""Once bids may be open. Whether they are is asked besides: a tender can be suspended or cancelled before."""
CONTRACTED: Final = (_S.CONTRACTING, _S.SUSPENDED, _S.COMPLETE, _S.UNSUCCESSFUL)
DECIDING: Final = (_S.ADMISSION, _S.EVALUATION, _S.AWARDING, _S.STANDSTILL, _S.CONTRACTING)
OFFICERS: Final = (_P.OFFICER,)
MAKERS: Final = (_P.OFFICER, _P.CITY_ADMIN)
SIGNERS: Final = (_P.SUPPLIER, _P.BUYER, _P.OFFICER)
SEATED: Final = frozenset({_P.CHAIR, _P.MEMBER, _P.SECRETARY, _P.ALTERNATE, _P.INVITED})
MINUTES: Final = (_P.CHAIR, _P.SECRETARY)
"""Who does what follows from the commission's decisions, and leaves nothing to anybody."""
OPENERS: Final = (_P.CHAIR, _P.MEMBER, _P.SECRETARY, _P.SYSTEM)
DRAFT_READERS: Final = frozenset({_P.OFFICER, _P.CITY_ADMIN, _P.AUDITOR, _P.SYSTEM}) | SEATED
"""Who may know that an unpublished tender is there."""

DEEDS: Final[dict[str, Permit]] = {
    # The plan and the registers: deeds about no tender.
    "add_plan_line": _permit(OFFICERS, None),
    "change_plan_line": _permit(OFFICERS, None),
    "publish_plan_line": _permit(OFFICERS, None),
    "withdraw_plan_line": _permit(OFFICERS, None),
    "note_served_meals": _permit([_P.SYSTEM], None),
    "add_pool_member": _permit(MAKERS, None),
    "remove_pool_member": _permit(MAKERS, None),
    "note_tenure": _permit(MAKERS, None),
    "end_tenure": _permit(MAKERS, None),
    "publish_tenure_exception": _permit([_P.CITY_ADMIN], None),
    "import_register": _permit(MAKERS, None),
    "judge_supplier": _permit(MAKERS, None),
    # Suppliers, about themselves.
    "add_proof": _permit([_P.SUPPLIER], None),
    "register_supplier": _permit([_P.PERSON], None),
    "change_supplier": _permit([_P.SUPPLIER], None),
    "invite_representative": _permit([_P.SUPPLIER], None),
    "end_representative": _permit([_P.SUPPLIER], None),
    "add_evidence": _permit([_P.SUPPLIER], None),
    "remove_evidence": _permit([_P.SUPPLIER], None),
    "add_staff": _permit([_P.SUPPLIER], None),
    "end_staff": _permit([_P.SUPPLIER], None),
    "add_equipment": _permit([_P.SUPPLIER], None),
    "end_equipment": _permit([_P.SUPPLIER], None),
    "add_experience": _permit([_P.SUPPLIER], None),
    "end_experience": _permit([_P.SUPPLIER], None),
    "add_tax": _permit([_P.SUPPLIER], None),
    "end_tax": _permit([_P.SUPPLIER], None),
    "open_draft": _permit(OFFICERS, None),
    "subscribe": _permit([_P.PUBLIC], None),
    "confirm_subscription": _permit([_P.PUBLIC], None),
    "unsubscribe": _permit([_P.PUBLIC], None),
    "forget_subscriptions": _permit([_P.SYSTEM], None),
    # The draft.
    "edit_section": _permit(OFFICERS, AMENDABLE),
    "add_lot": _permit(OFFICERS, DRAFT),
    "remove_lot": _permit(OFFICERS, DRAFT),
    "set_items": _permit(OFFICERS, AMENDABLE),
    "compute_need": _permit(OFFICERS, AMENDABLE),
    "submit_for_review": _permit(OFFICERS, DRAFT),
    "return_tender": _permit(MAKERS, [_S.UNDER_REVIEW]),
    "approve_tender": _permit(MAKERS, [_S.UNDER_REVIEW]),
    "reopen_draft": _permit(OFFICERS, [_S.APPROVED]),
    "publish_tender": _permit(OFFICERS, [_S.APPROVED]),
    # Questions. Answers are given as long as they keep the bids from being opened.
    "ask_enquiry": _permit([_P.PERSON], [_S.DISCUSSION, _S.BIDDING]),
    "answer_enquiry": _permit(OFFICERS, [_S.DISCUSSION, _S.BIDDING, _S.CLOSED, _S.SUSPENDED]),
    "add_document": _permit(OFFICERS, AMENDABLE),
    "keep_notice_paper": _permit([_P.SYSTEM], frozenset(TenderStage) - UNPUBLISHED),
    # Amendments: one writes, another publishes.
    "explain_amendment": _permit(OFFICERS, [_S.DISCUSSION, _S.BIDDING]),
    "discard_amendment": _permit(OFFICERS, [_S.DISCUSSION, _S.BIDDING]),
    "publish_amendment": _permit(MAKERS, [_S.DISCUSSION, _S.BIDDING]),
    # The commission.
    "announce_draw": _permit(OFFICERS, [*PREPARING, *DRAWING]),
    "draw_members": _permit(OFFICERS, [*PREPARING, *DRAWING]),
    "appoint_secretary": _permit(OFFICERS, PREPARING),
    "accept_appointment": _permit([_P.INVITED], [*PREPARING, *DRAWING]),
    "decline_appointment": _permit([_P.INVITED, _P.MEMBER, _P.ALTERNATE], [*PREPARING, *DRAWING]),
    "publish_key": _permit([_P.MEMBER, _P.ALTERNATE], [*PREPARING, _S.DISCUSSION]),
    "declare_interest": _permit([_P.MEMBER, _P.ALTERNATE], [_S.OPENING, _S.ADMISSION, _S.EVALUATION, _S.AWARDING]),
    "recuse": _permit([_P.MEMBER, _P.ALTERNATE, _P.CITY_ADMIN], COMMISSION_WORKS),
    # Bids.
    "submit_bid": _permit([_P.SUPPLIER], [_S.BIDDING]),
    "replace_bid": _permit([_P.SUPPLIER], [_S.BIDDING]),
    "withdraw_bid": _permit([_P.SUPPLIER], [_S.BIDDING]),
    "confirm_bid": _permit([_P.SUPPLIER], [_S.BIDDING]),
    "receive_part": _permit([_P.SUPPLIER], [_S.BIDDING, _S.CLOSED, _S.OPENING]),
    "write_cover": _permit([_P.SYSTEM], [_S.BIDDING]),
    "close_bidding": _permit(OPENERS, [_S.CLOSED]),
    # The opening; price envelopes are opened once admission is decided.
    "start_opening": _permit(OPENERS, [_S.CLOSED]),
    "give_shares": _permit([_P.MEMBER, _P.KEY_HOLDER], [_S.OPENING, _S.EVALUATION]),
    "reveal_bid": _permit([*OPENERS, _P.KEY_HOLDER, _P.SUPPLIER], [_S.OPENING, _S.EVALUATION]),
    "adjourn_opening": _permit(OPENERS, [_S.OPENING, _S.EVALUATION]),
    "finish_opening": _permit(OPENERS, [_S.OPENING, _S.EVALUATION]),
    # Admission and evaluation.
    "decide_requirement": _permit([_P.MEMBER], [_S.ADMISSION]),
    "ask_fix": _permit(MINUTES, [_S.ADMISSION]),
    "give_fix": _permit([_P.SUPPLIER], [_S.ADMISSION]),
    "finish_admission": _permit(MINUTES, [_S.ADMISSION]),
    "give_score": _permit([_P.MEMBER], [_S.EVALUATION]),
    "reveal_scores": _permit(OPENERS, [_S.EVALUATION]),
    "contest_evidence": _permit([_P.MEMBER], [_S.EVALUATION]),
    "ask_low_price": _permit(MINUTES, [_S.EVALUATION]),
    "explain_low_price": _permit([_P.SUPPLIER], [_S.EVALUATION]),
    "judge_low_price": _permit([_P.MEMBER], [_S.EVALUATION]),
    "extend_evaluation": _permit(MINUTES, [_S.EVALUATION]),
    "finish_evaluation": _permit(MINUTES, [_S.EVALUATION]),
    # The award, and what may keep a tender from it.
    "sign_award": _permit([_P.CHAIR], [_S.AWARDING]),
    "declare_unsuccessful": _permit([_P.CHAIR, _P.OFFICER], DECIDING),
    "end_award": _permit(OFFICERS, [_S.STANDSTILL, _S.CONTRACTING]),
    "suspend_tender": _permit(MAKERS, ONGOING),
    "resume_tender": _permit(MAKERS, [_S.SUSPENDED]),
    "cancel_tender": _permit(MAKERS, ONGOING),
    # Complaints.
    "make_complaint": _permit([_P.PERSON], ONGOING),
    "withdraw_complaint": _permit([_P.PERSON], ONGOING),
    "accept_complaint": _permit([_P.REVIEW_BODY], ONGOING),
    "refuse_complaint": _permit([_P.REVIEW_BODY], ONGOING),
    "decide_complaint": _permit([_P.REVIEW_BODY], ONGOING),
    "execute_decision": _permit(OFFICERS, [_S.SUSPENDED]),
    # Contracts. One that is in force outlives whatever becomes of the rest of its tender.
    "make_contract": _permit(OFFICERS, [_S.CONTRACTING]),
    "make_direct_contract": _permit(OFFICERS, [_S.CONTRACTING, _S.COMPLETE, _S.UNSUCCESSFUL]),
    "sign_contract": _permit(SIGNERS, [_S.CONTRACTING, _S.COMPLETE, _S.UNSUCCESSFUL]),
    "attach_signature": _permit(SIGNERS, CONTRACTED),
    "propose_change": _permit(SIGNERS, CONTRACTED),
    "sign_change": _permit(SIGNERS, CONTRACTED),
    "refuse_change": _permit(SIGNERS, CONTRACTED),
    "extend_contract": _permit(SIGNERS, CONTRACTED),
    "record_bid_security": _permit(OFFICERS, OPENED),
    "record_contract_security": _permit(OFFICERS, CONTRACTED),
    "end_security": _permit(OFFICERS, OPENED),
    "sign_lease": _permit([_P.OFFICER, _P.BUYER], CONTRACTED),
    "terminate_contract": _permit([_P.OFFICER, _P.BUYER], CONTRACTED),
    "complete_contract": _permit([_P.OFFICER, _P.BUYER], CONTRACTED),
    "complete_tender": _permit(OFFICERS, [_S.CONTRACTING]),
}


def decide(deed: str, stage: TenderStage, parties: frozenset[Party]) -> Refusal | None:
    """What keeps somebody who is ``parties`` to a tender at ``stage`` from the deed; None where nothing does."""
    permit = DEEDS[deed]
    if stage in UNPUBLISHED and parties.isdisjoint(DRAFT_READERS):
        return NotFound()
    if parties.isdisjoint(permit.parties):
        return NotAllowed("not-your-part", NOT_YOUR_PART)
    if permit.stages is not None and stage not in permit.stages:
        return NotNow(f"tender-is-{stage.value}", NOT_AT[stage])
    return None


NOT_YOUR_PART: Final = N_("This is for others who take part in the tender. See who does it on the tender's page.")
NOT_AT: Final = {
    _S.DRAFT: N_("The tender is still a draft. This comes later."),
    _S.UNDER_REVIEW: N_("The tender is under review. Wait for the second person's answer."),
    _S.APPROVED: N_("The tender is approved and waits to be published. Reopen the draft to change it."),
    _S.DISCUSSION: N_("The tender is under discussion. Bids are taken after that."),
    _S.BIDDING: N_("Bids are being taken. This is not done before the deadline, or it had to be done earlier."),
    _S.CLOSED: N_("The deadline has passed. The bids wait to be opened."),
    _S.OPENING: N_("The bids are being opened."),
    _S.ADMISSION: N_("The commission is deciding on admission."),
    _S.EVALUATION: N_("The commission is evaluating the bids."),
    _S.AWARDING: N_("The evaluation is finished, and the protocol waits to be signed."),
    _S.STANDSTILL: N_("The award is known, and the standstill runs."),
    _S.CONTRACTING: N_("The standstill is over, and contracts are being signed."),
    _S.COMPLETE: N_("The tender is complete. Nothing in it changes any more."),
    _S.SUSPENDED: N_("The tender is suspended. All its terms wait until it is resumed."),
    _S.CANCELLED: N_("The tender was cancelled."),
    _S.UNSUCCESSFUL: N_("The tender ended without a supplier."),
}
"""Why a deed must wait, or comes too late."""
