"""The words that this room's pages have for codes: stages, acts, terms, numbers of a procedure, meals, parts.

Message ids; they are translated when they are shown. An act without words is not told in a tender's history.
"""

from collections.abc import Mapping
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.procurement.rules.acts import ActKind

MEAL_NAMES: Final = {
    "breakfast": N_("Breakfast"),
    "lunch": N_("Lunch"),
    "afternoon-snack": N_("Afternoon snack"),
    "dinner": N_("Dinner"),
}
AGE_GROUP_NAMES: Final = {
    "6-10": N_("6 to 10 years"),
    "11-14": N_("11 to 14 years"),
    "15-18": N_("15 to 18 years"),
}
CHOICE_NAMES: Final[Mapping[str, str]] = {
    **MEAL_NAMES,
    **AGE_GROUP_NAMES,
    "cook-on-site": N_("Cooked at the school"),
    "heat-up": N_("Heated up at the school"),
    "delivered": N_("Delivered ready to eat"),
    "buffet": N_("Buffet only"),
    "cook": N_("Cook"),
    "head-cook": N_("Head cook"),
    "technologist": N_("Food technologist"),
    "dietitian": N_("Dietitian"),
    "kitchen-worker": N_("Kitchen worker"),
    "buffet-seller": N_("Buffet seller"),
    "none": N_("Not required"),
    "college": N_("College"),
    "higher": N_("Higher education"),
    "diabetes": N_("Diabetes"),
    "gluten-free": N_("Without gluten"),
    "lactose-free": N_("Without lactose"),
    "allergy": N_("Food allergy"),
    "kidney": N_("Kidney disease"),
    "other": N_("Other"),
    "summer-autumn": N_("Summer and autumn"),
    "winter-spring": N_("Winter and spring"),
    "good": N_("Good condition"),
    "fair": N_("Fair condition"),
    "needs-repair": N_("Needs repair"),
}
"""Of the choices in a tender's sections."""
CONSTITUENCY_NAMES: Final = {
    "parents": N_("Parents"),
    "trustees": N_("Board of trustees"),
    "education": N_("Education department"),
    "health": N_("Health authority"),
    "finance": N_("Finance"),
    "entrepreneurs": N_("Entrepreneurs"),
    "ngo": N_("Public organisations"),
}
PART_NAMES: Final = {
    "chair": N_("Chair"),
    "deputy": N_("Deputy chair"),
    "member": N_("Member"),
    "alternate": N_("Alternate"),
    "secretary": N_("Secretary without a vote"),
}
UNIT_NAMES: Final = {
    "working-days": N_("working days"),
    "calendar-days": N_("calendar days"),
    "hours": N_("hours"),
    "minutes": N_("minutes"),
    "months": N_("months"),
    "percent": N_("percent"),
    "permille": N_("thousandths"),
    "times": N_("times"),
    "people": N_("people"),
    "commissions": N_("commissions"),
    "bids": N_("bids"),
}
NUMBER_NAMES: Final = {
    "discussion": N_("Discussion of the draft terms"),
    "bidding_min": N_("Least time for bids"),
    "questions_stop": N_("Questions end before the deadline by"),
    "amendment_extra": N_("Least time for bids after an amendment"),
    "amendment_last_share_percent": N_("Last share of the time in which an amendment extends it"),
    "ciphertext_grace": N_("Time to finish an upload after the deadline"),
    "opening_window": N_("Time to open the bids"),
    "reveal_window": N_("Time for a bidder to reveal a bid"),
    "fix": N_("Time to mend a bid"),
    "fixes_per_bid": N_("How often a bid may be mended"),
    "evaluation": N_("Evaluation"),
    "evaluation_extension": N_("Extension of the evaluation"),
    "standstill": N_("Standstill before the contract"),
    "complaint_decision": N_("Decision on a complaint"),
    "signing": N_("Signing the contract"),
    "lease": N_("Signing the lease"),
    "supplier_published": N_("Publishing the supplier"),
    "direct_contract_max": N_("Longest direct contract"),
    "extensions": N_("Extensions of the contract"),
    "contract_max": N_("Longest contract"),
    "bid_security_permille": N_("Bid security"),
    "contract_security_permille": N_("Contract security"),
    "price_changes_a_year": N_("Price changes in a year"),
    "fte_max_percent": N_("Most working time of one person"),
    "single_bid_needs_reason": N_("Bids below which reasons are needed"),
    "members_min": N_("Fewest members of the commission"),
    "members": N_("Members of the commission"),
    "parents_share_percent": N_("Least share of parents and trustees"),
    "quorum_percent": N_("Quorum"),
    "alternates": N_("Alternates"),
    "shares_needed": N_("Members needed to open the bids"),
}
EVIDENCE_NAMES: Final = {
    "registration": N_("Certificate of registration"),
    "contract": N_("Contract"),
    "acceptance-act": N_("Acceptance act"),
    "tax-certificate": N_("Tax certificate"),
    "diploma": N_("Diploma"),
    "grade-certificate": N_("Certificate of grade"),
    "employment-contract": N_("Employment contract"),
    "title": N_("Title deed"),
    "certificate": N_("Quality or safety certificate"),
    "equipment-passport": N_("Passport of equipment"),
    "origin-certificate": N_("Certificate of origin"),
    "purchase-plan": N_("Plan of purchases"),
    "menu": N_("Menu"),
    "conviction-certificate": N_("Certificate of no conviction"),
    "power-of-attorney": N_("Power of attorney"),
    "other": N_("Another paper"),
}
ACT_NAMES: Final = {
    ActKind.SUBMITTED_FOR_REVIEW: N_("The draft was handed over for review"),
    ActKind.RETURNED: N_("The reviewer returned the draft"),
    ActKind.APPROVED: N_("A second person approved the draft"),
    ActKind.REOPENED: N_("The draft was reopened"),
    ActKind.DRAW_ANNOUNCED: N_("The draw of the commission was announced"),
    ActKind.MEMBERS_DRAWN: N_("The commission was drawn by lot"),
    ActKind.SECRETARY_APPOINTED: N_("A secretary was appointed"),
    ActKind.APPOINTMENT_ACCEPTED: N_("A member accepted the seat"),
    ActKind.APPOINTMENT_DECLINED: N_("A member declined the seat"),
    ActKind.KEY_PUBLISHED: N_("A member published a key"),
    ActKind.SEAT_CALLED: N_("An alternate was called"),
    ActKind.SEAT_ENDED: N_("A member left the commission"),
    ActKind.PUBLISHED: N_("The tender was published"),
    ActKind.AMENDED: N_("The terms were amended"),
    ActKind.ENQUIRY_ASKED: N_("A question was asked"),
    ActKind.ENQUIRY_ANSWERED: N_("A question was answered"),
    ActKind.SUSPENDED: N_("The tender was suspended"),
    ActKind.RESUMED: N_("The tender was resumed"),
    ActKind.CANCELLED: N_("The tender was cancelled"),
    ActKind.UNSUCCESSFUL: N_("The tender ended without a supplier"),
    ActKind.CLOSED: N_("The list of bids was closed"),
    ActKind.OPENING_STARTED: N_("The opening of the bids began"),
    ActKind.OPENED: N_("The bids were opened"),
    ActKind.ADMITTED: N_("The commission decided on admission"),
    ActKind.EVALUATED: N_("The bids were evaluated"),
    ActKind.AWARDED: N_("The award protocol was signed"),
    ActKind.COMPLETED: N_("The tender was completed"),
}
DOCUMENT_NAMES: Final = {
    "biddingDocuments": N_("Text of the tender"),
    "technicalSpecifications": N_("Technical specification"),
    "contractDraft": N_("Draft of the contract"),
    "evaluationCriteria": N_("Criteria of the evaluation"),
    "eligibilityCriteria": N_("Requirements for suppliers"),
    "illustration": N_("Picture or plan"),
}
"""Of OCDS's codes of documents."""
ENQUIRY_NAMES: Final = {"question": N_("Question"), "objection": N_("Objection to the terms")}
LANGUAGE_NAMES: Final = {"kk": N_("Kazakh"), "ru": N_("Russian"), "en": N_("English")}
STAGE_KINDS: Final = {
    "discussion": "info",
    "bidding": "good",
    "suspended": "care",
    "cancelled": "bad",
    "unsuccessful": "bad",
    "complete": "good",
}
"""The look of a stage's tag; all others are plain."""
