"""What can be wrong with a sealed bid, and whose part it is. Every fault has a code, and names envelope and member."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schoolmeals.errors import N_, Invalid


class FaultCode(StrEnum):
    """Both sides, Python and browser, use these codes."""

    NOT_CANONICAL = "not-canonical"
    WRONG_SHAPE = "wrong-shape"
    WRONG_TENDER = "wrong-tender"
    KEY_SWAPPED = "key-swapped"
    KEY_SET_SWAPPED = "key-set-swapped"
    MANIFEST_CHANGED = "manifest-changed"
    CIPHERTEXT_SWAPPED = "ciphertext-swapped"
    SHARE_UNREADABLE = "share-unreadable"
    SHARE_CHANGED = "share-changed"
    SHARES_CRAFTED = "shares-crafted"
    TOO_FEW_SHARES = "too-few-shares"
    KEY_UNFIT = "key-unfit"
    HEADER_CHANGED = "header-changed"
    COMMITMENT_BROKEN = "commitment-broken"
    FILE_CHANGED = "file-changed"
    TOO_LARGE = "too-large"
    WRONG_PASSPHRASE = "wrong-passphrase"  # noqa: S105 - a code, not a password


SENTENCES: Final = {
    FaultCode.NOT_CANONICAL: N_("This is not written in the one way that a sealed bid allows."),
    FaultCode.WRONG_SHAPE: N_("A part of this sealed bid is missing, unknown or of the wrong kind: %(part)s."),
    FaultCode.WRONG_TENDER: N_("This belongs to another tender."),
    FaultCode.KEY_SWAPPED: N_(
        "The key shown for commission member %(member)s is not the one published in the notice. Nothing was sealed."
    ),
    FaultCode.KEY_SET_SWAPPED: N_(
        "The commission's keys are not the ones published in the notice. Nothing was sealed."
    ),
    FaultCode.MANIFEST_CHANGED: N_("The manifest is not the one that was submitted: its digest differs."),
    FaultCode.CIPHERTEXT_SWAPPED: N_(
        "The sealed file of the envelope %(envelope)s is not the one that the manifest names."
    ),
    FaultCode.SHARE_UNREADABLE: N_(
        "The share of member %(member)s in the envelope %(envelope)s cannot be opened with this key."
    ),
    FaultCode.SHARE_CHANGED: N_(
        "The share of member %(member)s for the envelope %(envelope)s is not the one that the bidder committed to."
    ),
    FaultCode.SHARES_CRAFTED: N_("The shares of the envelope %(envelope)s do not belong together: %(member)s."),
    FaultCode.TOO_FEW_SHARES: N_("The envelope %(envelope)s has too few good shares to be opened."),
    FaultCode.KEY_UNFIT: N_("The shares of the envelope %(envelope)s are good, but do not open its sealed file."),
    FaultCode.HEADER_CHANGED: N_("What is written inside the envelope %(envelope)s contradicts the manifest."),
    FaultCode.COMMITMENT_BROKEN: N_("The content of the envelope %(envelope)s is not what the bidder committed to."),
    FaultCode.FILE_CHANGED: N_("A file in the envelope %(envelope)s is not the one that its list of files names."),
    FaultCode.TOO_LARGE: N_("The envelope %(envelope)s is too large: its files may have 128 MiB together."),
    FaultCode.WRONG_PASSPHRASE: N_("The passphrase does not open this key file."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding. ``envelope`` and ``member_id`` are empty where it is about neither."""

    code: FaultCode
    envelope: str = ""
    member_id: str = ""


class SealingFault(Invalid):
    """A sealed bid, a key or a share that cannot be used. The code for machines is ``bid-`` and the fault's own."""

    def __init__(self, code: FaultCode, *, envelope: str = "", member_id: str = "", part: str = "") -> None:
        super().__init__(f"bid-{code}", SENTENCES[code], envelope=envelope, member=member_id, part=part)
        self.fault = Fault(code, envelope, member_id)

    def __str__(self) -> str:
        return self.sentence % self.params
