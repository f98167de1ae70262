"""Admission: for each requirement of a bid yes or no, with the reason and the evidence, and by whom.

The machine finds what can be found (*finding*): registers, people offered twice, evidence that is there. Where it finds
a requirement met, nobody has to vote; members vote where it does not, or where they object. Nobody is rejected without
the majority of the votes that were cast, by a quorum. A majority against what the evidence proves is flagged (F2), and
so is one that overlooks what a register or the staff of other bids show.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.profiles import Profile, Requirement
from schoolmeals.verdicts import Refused

REASONS: Final = {
    "no-evidence": N_("Evidence is missing"),
    "evidence-does-not-fit": N_("The evidence shows something else"),
    "evidence-not-genuine": N_("The evidence is not genuine"),
    "register-hit": N_("A register says so"),
    "staff-short": N_("Staff that is asked for is not proven"),
    "staff-claimed-elsewhere": N_("Staff is also promised elsewhere"),
    "affiliated": N_("Affiliated with another tenderer of the lot"),
    "relative": N_("Related to the commission or to the head"),
    "unreadable": N_("The bid cannot be read"),
    "proven-otherwise": N_("The requirement is met all the same"),
}
"""Why a requirement is not met; the last one is for a yes against what the machine found. None of them is about who the
customers were: work for private customers counts like any other (F4)."""
FOR_YES: Final = "proven-otherwise"
UNREADABLE: Final = "unreadable"
"""The finding that there is nothing to decide on; nobody has to vote."""
MERELY_THERE: Final = "evidence-there"
"""The finding that a document is there; what it shows is for people to read."""
DENIES_EVIDENCE: Final = frozenset({"no-evidence", "staff-short", "staff-claimed-elsewhere", "register-hit"})
"""Reasons that say that something is not there which the machine has found."""
FLAGS: Final = {
    "rejected-against-evidence": N_("Rejected, although evidence shows that the requirement is met"),
    "admitted-against-finding": N_("Admitted, although registers or other bids show that the requirement is not met"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the machine found about a requirement: met, not met, or (None) that people must look.

    ``evidence`` are digests: of files of the bid, of its content, of a register's import.
    """

    met: bool | None
    code: str
    facts: Mapping[str, Any]
    evidence: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For a score sheet."""
        return {"met": self.met, "code": self.code, "facts": dict(self.facts), "evidence": list(self.evidence)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Finding":
        return cls(value["met"], value["code"], value["facts"], tuple(value["evidence"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What a member has decided about a requirement of a bid. The last one of a seat counts."""

    seat_id: str
    met: bool
    reason_code: str
    reason: str
    evidence: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a requirement: ``met`` is None while too few have voted. ``flag`` is a code of :data:`FLAGS`."""

    met: bool | None
    votes_for: int
    votes_against: int
    flag: str = ""


def decision(finding: Finding, votes: Iterable[Vote], voters: Collection[str], quorum: int) -> Decision:
    """The outcome for a requirement, from the finding and the last vote of each seat that has one."""
    if finding.code == UNREADABLE:
        return Decision(False, 0, 0)
    last = counted(votes, voters)
    against = sum(not vote.met for vote in last.values())
    favour = len(last) - against
    if finding.met is True:
        # The evidence stands: it takes most of the whole commission to say otherwise.
        rejected = 2 * against > len(voters)
        reasons = {vote.reason_code for vote in last.values() if not vote.met}
        unjust = rejected and (finding.code != MERELY_THERE or not reasons.isdisjoint(DENIES_EVIDENCE))
        return Decision(not rejected, favour, against, "rejected-against-evidence" if unjust else "")
    if len(last) < quorum:
        return Decision(None, favour, against)
    met = 2 * against <= len(last)
    flag = "admitted-against-finding" if met and finding.met is False else ""
    return Decision(met, favour, against, flag)


def counted(votes: Iterable[Vote], voters: Collection[str]) -> dict[str, Vote]:
    """The last vote of each seat that has one now; who has left the commission decides nothing."""
    last: dict[str, Vote] = {}
    for vote in sorted(votes, key=lambda one: one.at):
        if vote.seat_id in voters:
            last[vote.seat_id] = vote
    return last


def is_admitted(decisions: Iterable[Decision]) -> bool | None:
    """Whether a bid is admitted: every requirement is met. None while one of them is open and none is refused."""
    found = [one.met for one in decisions]
    if any(met is False for met in found):
        return False
    return None if any(met is None for met in found) else True


def reason_problems(
    finding: Finding, *, met: bool, reason_code: str, reason: str, evidence: Sequence[str], known: Collection[str]
) -> dict[str, list[FieldProblem]]:
    """What a decision lacks: a rejection needs a reason's code, words and evidence; so does a yes against a finding.

    ``known`` are the digests that there are: of the bid's files and content, and of what the finding rests on.
    """
    if met and finding.met is not False:
        return {}
    problems: dict[str, list[FieldProblem]] = {}
    if reason_code not in REASONS or (reason_code == FOR_YES) is not met:
        problems["reason_code"] = [CHOOSE_REASON]
    if not reason.strip():
        problems["reason"] = [SAY_WHY]
    if not evidence or not set(evidence) <= set(known):
        problems["evidence"] = [NAME_EVIDENCE]
    return problems


def fix_term(bid_id: UUID) -> str:
    """What the term for mending a bid is called."""
    return f"fix:{bid_id}"


def may_be_fixed(
    requirement: Requirement, decided: Decision, finding: Finding, *, fixes: int, profile: Profile
) -> Refused | None:
    """The requirement is one that may be mended, is not met as it stands, and the bid has not been mended before."""
    if not requirement.fixable:
        return Refused("not-fixable", NOT_FIXABLE)
    if fixes >= profile.number("fixes_per_bid").value:
        return Refused("fixed-before", FIXED_BEFORE)
    if finding.met is True and decided.votes_against == 0:
        return Refused("nothing-to-fix", NOTHING_TO_FIX)
    return None


def may_fix(until: datetime | None, at: datetime, *, given: bool) -> Refused | None:
    """The supplier was asked, has not answered yet, and the time for it runs."""
    if until is None:
        return Refused("fix-not-asked", FIX_NOT_ASKED)
    if given:
        return Refused("fix-given", FIX_GIVEN)
    return Refused("fix-late", FIX_LATE) if at > until else None


def may_finish(undecided: int, fixes_running: int) -> Refused | None:
    """Every requirement of every bid is decided, and no supplier is still mending a bid."""
    if fixes_running:
        return Refused("fix-running", FIX_RUNNING, {"count": fixes_running})
    if undecided:
        return Refused("requirements-undecided", UNDECIDED, {"count": undecided})
    return None


def may_close(declared: int, needed: int) -> Refused | None:
    """A quorum has declared of every bidder: whoever lets stand what the machine has found decides by that."""
    if declared >= needed:
        return None
    return Refused("declarations-missing", DECLARATIONS_MISSING, {"present": declared, "needed": needed})


CHOOSE_REASON: Final = FieldProblem.of("choose-a-reason", N_("Choose the reason that fits your decision."))
SAY_WHY: Final = FieldProblem.of("say-why", N_("Say in a sentence why. Everybody can read it; name no people."))
NAME_EVIDENCE: Final = FieldProblem.of("name-evidence", N_("Choose the document that the decision rests on."))
NOT_FIXABLE: Final = N_("This requirement cannot be mended after the deadline.")
FIXED_BEFORE: Final = N_("The supplier was asked to mend this bid before. It is asked once.")
NOTHING_TO_FIX: Final = N_("Nothing is missing here, and nobody has objected.")
FIX_NOT_ASKED: Final = N_("The commission has not asked you to mend this bid.")
FIX_GIVEN: Final = N_("You have already answered. An answer is given once.")
FIX_LATE: Final = N_("The time for mending the bid is over.")
FIX_RUNNING: Final = N_(
    "Bids that a supplier may still mend: %(count)s. Wait for the answer or for the end of the term."
)
DECLARATIONS_MISSING: Final = N_(
    "Members who have declared of every bidder: %(present)s. The list is closed once %(needed)s have."
)
UNDECIDED: Final = N_("Requirements that too few members have decided on: %(count)s.")
