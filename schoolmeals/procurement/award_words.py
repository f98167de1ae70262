"""The words that pages of awards, complaints and contracts have for codes. Message ids; translated when shown."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.procurement.promoting import LOT_ENDS
from schoolmeals.procurement.rules.acts import LotStage
from schoolmeals.procurement.rules.complaints import ComplaintStage
from schoolmeals.procurement.rules.contracts import ContractStage, LeaseState
from schoolmeals.procurement.rules.registers import REGISTERS
from schoolmeals.procurement.words import CHOICE_NAMES

ABOUT_NAMES: Final = {
    "terms": N_("The terms of the tender"),
    "opening": N_("The opening of the bids"),
    "admission": N_("Admission"),
    "evaluation": N_("Evaluation"),
    "award": N_("The award"),
    "other": N_("Something else"),
}
OUTCOME_NAMES: Final = {
    "satisfied": N_("Upheld"),
    "partly": N_("Upheld in part"),
    "declined": N_("Declined"),
}
REMEDY_NAMES: Final = {
    "amend-terms": N_("Amend the terms"),
    "repeat-admission": N_("Decide admission and evaluation anew"),
    "repeat-evaluation": N_("Evaluate the admitted bids anew"),
    "end-award": N_("End the award; the next in rank follows"),
    "cancel-lot": N_("Cancel the lot"),
    "other": N_("Something else, as the reasons say"),
}
INADMISSIBLE_NAMES: Final = {
    "late": N_("It came too late"),
    "not-about-this-tender": N_("It is not about this tender"),
    "no-reasons": N_("It gives no reasons"),
    "repeated": N_("The same has been decided already"),
    "other": N_("Another reason"),
}
POST_NAMES: Final = {
    "accepted": N_("The complaint was taken up. All terms of the tender stand still."),
    "refused": N_("The complaint was not taken up."),
    "withdrawn": N_("The complaint was withdrawn."),
    "decided": N_("The complaint was decided."),
    "executed": N_("The decision was carried out."),
}
CANCEL_NAMES: Final = {
    "no-need": N_("The meals are no longer needed"),
    "budget-cut": N_("The budget was cut"),
    "unlawful-terms": N_("The terms were unlawful"),
    "court-order": N_("A court ordered it"),
    "force-majeure": N_("Force majeure"),
    "other": N_("Another reason"),
}
END_NAMES: Final = {
    "refused-to-sign": N_("The supplier refused to sign"),
    "not-signed-in-time": N_("The supplier did not sign in time"),
    "recheck-failed": N_("The last check found something against the supplier"),
    "other": N_("Another reason"),
    "ordered": N_("The review body ordered it"),
    "cancelled": N_("The tender or the lot was cancelled"),
}
CAUSE_NAMES: Final = {
    "court": N_("Order of a court"),
    "prosecutor": N_("Act of a prosecutor"),
    "complaint": N_("A complaint that was taken up"),
    "other": N_("Another order"),
}
LOT_STAGE_NAMES: Final = {
    LotStage.ACTIVE: N_("Not decided yet"),
    LotStage.AWARDED: N_("Awarded"),
    LotStage.CONTRACTED: N_("Contract in force"),
    LotStage.UNSUCCESSFUL: N_("No supplier found"),
    LotStage.CANCELLED: N_("Cancelled"),
}
CHANGE_NAMES: Final = {
    "price-index": N_("Prices by an official index"),
    "buffet": N_("The buffet's list"),
    "quantity": N_("Less meals"),
    "menu": N_("Menu"),
    "details": N_("Details of a side"),
    "staff": N_("Staff"),
    "extension": N_("Extension"),
}
FAULT_NAMES: Final = {
    "supplier": N_("The supplier's fault"),
    "buyer": N_("The buyer's fault"),
    "both": N_("The fault of both"),
    "none": N_("Nobody's fault"),
}
SIDE_NAMES: Final = {"supplier": N_("Supplier"), "buyer": N_("Buyer")}
STATE_NAMES: Final = {"verified": N_("Verified"), "not-verified-here": N_("Not verified here")}
CONTRACT_KINDS: Final[Mapping[ContractStage, str]] = {
    ContractStage.MADE: "info",
    ContractStage.SIGNED_ONCE: "info",
    ContractStage.ACTIVE: "good",
    ContractStage.TERMINATED: "bad",
    ContractStage.VOID: "bad",
}
LEASE_KINDS: Final[Mapping[LeaseState, str]] = {
    LeaseState.WAITING: "info",
    LeaseState.OVERDUE: "bad",
    LeaseState.SIGNED: "good",
    LeaseState.SIGNED_LATE: "care",
}
COMPLAINT_KINDS: Final[Mapping[ComplaintStage, str]] = {
    ComplaintStage.WAITING: "care",
    ComplaintStage.ACCEPTED: "care",
    ComplaintStage.TO_BE_EXECUTED: "care",
    ComplaintStage.EXECUTED: "good",
}


def finding_words(finding: Mapping[str, Any]) -> str:
    """Something that speaks against a supplier, in words."""
    if finding["code"] == "register":
        register = REGISTERS[finding["register"]]
        return str(gettext("%(register)s, since %(day)s", register=gettext(register.name), day=finding["from"]))
    post = gettext(CHOICE_NAMES.get(finding["post"], finding["post"]))
    return str(
        gettext(
            "%(post)s: bound elsewhere too, %(percent)s percent of working time in all",
            post=post,
            percent=finding["fte_percent"],
        )
    )


def word_for(names: Mapping[str, str], code: str) -> str:
    """The word for a code; empty for one that has none."""
    return str(gettext(names[code])) if code in names else ""


def lot_end_words(code: str) -> str:
    """Why a lot ended, in words."""
    return word_for(LOT_ENDS, code)
