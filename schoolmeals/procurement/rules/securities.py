"""What a security must be worth, and for how long; and what proofs of a supplier's people there are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN

KINDS: Final = ("bank-guarantee", "deposit")
END_REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    "returned": ("fulfilled", "lost", "cancelled", "replaced", "other"),
    "kept": ("bid-withdrawn", "contract-refused", "contract-broken", "other"),
}
PROOF_KINDS: Final = ("registration", "power-of-attorney")
OUTCOMES: Final = ("confirmed", "returned")
LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecurity:
    """A security as an officer writes it down, with its paper."""

    kind: str
    number: str
    issuer: str
    amount_minor: int
    valid_until: date
    file_name: str
    content: bytes


def asked_minor(value_minor: int, permille: int) -> int:
    """What a procedure asks for, rounded up to a whole minor unit."""
    return -(-value_minor * permille // 1000)


def security_problems(new: NewSecurity, *, least_minor: int, least_until: date) -> dict[str, list[FieldProblem]]:
    """What is wrong with a security, by field: it is worth what is asked, for as long as it may be needed."""
    found: dict[str, list[FieldProblem]] = {}
    if new.kind not in KINDS:
        found["kind"] = [UNKNOWN]
    for name, text in (("number", new.number), ("issuer", new.issuer)):
        if not text.strip() or len(text) > LONGEST:
            found[name] = [NEEDED]
    if new.amount_minor < least_minor:
        found["amount"] = [FieldProblem.of("security-too-low", TOO_LOW, least=-(-least_minor // 100))]
    if new.valid_until < least_until:
        found["valid_until"] = [FieldProblem.of("security-too-short", TOO_SHORT, day=f"{least_until:%d.%m.%Y}")]
    return found


def end_problems(outcome: str, reason_code: str, note: str) -> dict[str, list[FieldProblem]]:
    """What is wrong with a word on what became of a security. Keeping one, and any other reason, is explained."""
    if reason_code not in END_REASONS.get(outcome, ()):
        return {"reason_code": [UNKNOWN]}
    if not note.strip() and (outcome == "kept" or reason_code == "other"):
        return {"note": [NEEDED]}
    return {}


TOO_LOW: Final = N_("At least %(least)s tenge are asked for.")
TOO_SHORT: Final = N_("It must be valid until %(day)s at least.")
