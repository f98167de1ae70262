"""The words that protocols and the opening's pages have for codes: outcomes, envelopes, faults, parts.

Message ids; they are translated when they are shown. A kind of protocol that has codes of its own adds them here.
"""

from collections.abc import Mapping
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.procurement.rules.admission import FLAGS, REASONS
from schoolmeals.procurement.rules.findings import FINDING_NAMES
from schoolmeals.procurement.rules.judging import CONTEST_REASONS, DECIDED_BY
from schoolmeals.procurement.rules.opening import INCOMPLETE, NOT_DISCLOSED
from schoolmeals.procurement.rules.pricing import OUT_NAMES
from schoolmeals.procurement.rules.registers import REGISTERS
from schoolmeals.procurement.rules.sections import POSTS
from schoolmeals.procurement.sealing import FaultCode
from schoolmeals.procurement.words import CHOICE_NAMES, CONSTITUENCY_NAMES, PART_NAMES

OUTCOME_NAMES: Final = {
    "stands": N_("The bid stands"),
    "replaced": N_("Replaced by its bidder before the deadline"),
    "withdrawn": N_("Withdrawn by its bidder before the deadline"),
    "unconfirmed": N_("Not confirmed after the terms were amended"),
}
ENVELOPE_NAMES: Final = {
    "bid": N_("Envelope with the whole bid"),
    "qualification": N_("Envelope with the qualification"),
    "price": N_("Envelope with the price"),
}
FAULT_NAMES: Final = {
    INCOMPLETE: N_("the sealed files did not arrive in time"),
    NOT_DISCLOSED: N_("too few members came, and the bidder did not disclose the recovery file"),
    FaultCode.CIPHERTEXT_SWAPPED.value: N_("the sealed file is not the one that the manifest names"),
    FaultCode.SHARE_UNREADABLE.value: N_("the member could not open the share"),
    FaultCode.SHARE_CHANGED.value: N_("the share is not the one that the bidder committed to"),
    FaultCode.SHARES_CRAFTED.value: N_("the bidder's shares do not belong together"),
    FaultCode.KEY_UNFIT.value: N_("the shares are good, but do not open the sealed file"),
    FaultCode.HEADER_CHANGED.value: N_("what is written inside contradicts the manifest"),
    FaultCode.COMMITMENT_BROKEN.value: N_("the content is not what the bidder committed to"),
    FaultCode.FILE_CHANGED.value: N_("a file is not the one that the envelope's own list names"),
}
PROTOCOL_WORDS: Final[Mapping[str, str]] = {
    **{post: CHOICE_NAMES[post] for post in POSTS},
    **{code: one.name for code, one in REGISTERS.items()},
    **PART_NAMES,
    **CONSTITUENCY_NAMES,
    **OUTCOME_NAMES,
    **ENVELOPE_NAMES,
    **FAULT_NAMES,
    **FLAGS,
    **OUT_NAMES,
    **{f"finding:{code}": text for code, text in FINDING_NAMES.items()},
    **{f"reason:{code}": text for code, text in REASONS.items()},
    **{f"decided:{code}": text for code, text in DECIDED_BY.items()},
    **{f"contest:{code}": text for code, text in CONTEST_REASONS.items()},
}
