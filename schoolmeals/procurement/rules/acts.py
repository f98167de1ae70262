"""What has happened to a tender, and what it comes to: facts are the acts, folded one after the other.

:func:`after` is the only place where an act gets its meaning. Most acts have none beyond having happened; those that
move a time, a term, a lot, an award or a suspension are listed there.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schoolmeals.procurement.rules.stages import TenderTimes
from schoolmeals.procurement.rules.terms import Term, terms_of


class ActKind(StrEnum):
    """What can happen to a tender. The values are stored and appear in feeds; none is ever renamed."""

    OPENED_DRAFT = "opened-draft"
    EDITED = "edited"
    LOT_ADDED = "lot-added"
    LOT_REMOVED = "lot-removed"
    SUBMITTED_FOR_REVIEW = "submitted-for-review"
    RETURNED = "returned"
    APPROVED = "approved"
    REOPENED = "reopened"
    DRAW_ANNOUNCED = "draw-announced"
    MEMBERS_DRAWN = "members-drawn"
    SECRETARY_APPOINTED = "secretary-appointed"
    APPOINTMENT_ACCEPTED = "appointment-accepted"
    APPOINTMENT_DECLINED = "appointment-declined"
    KEY_PUBLISHED = "key-published"
    SEAT_CALLED = "seat-called"
    SEAT_ENDED = "seat-ended"
    DECLARED = "declared"
    PUBLISHED = "published"
    AMENDED = "amended"
    DOCUMENT_ADDED = "document-added"
    ENQUIRY_ASKED = "enquiry-asked"
    ENQUIRY_ANSWERED = "enquiry-answered"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    UNSUCCESSFUL = "unsuccessful"
    CLOSED = "closed"
    OPENING_STARTED = "opening-started"
    SHARE_GIVEN = "share-given"
    BID_OPENED = "bid-opened"
    BID_UNREADABLE = "bid-unreadable"
    OPENING_ADJOURNED = "opening-adjourned"
    OPENED = "opened"
    PRICES_OPENED = "prices-opened"
    REQUIREMENT_DECIDED = "requirement-decided"
    FIX_ASKED = "fix-asked"
    FIX_GIVEN = "fix-given"
    ADMITTED = "admitted"
    SCORED = "scored"
    SCORES_REVEALED = "scores-revealed"
    EVIDENCE_CONTESTED = "evidence-contested"
    LOW_PRICE_ASKED = "low-price-asked"
    LOW_PRICE_EXPLAINED = "low-price-explained"
    LOW_PRICE_JUDGED = "low-price-judged"
    EVALUATION_EXTENDED = "evaluation-extended"
    EVALUATED = "evaluated"
    RECHECKED = "rechecked"
    AWARD_MADE = "award-made"
    AWARD_ENDED = "award-ended"
    AWARDED = "awarded"
    LOT_UNSUCCESSFUL = "lot-unsuccessful"
    LOT_CANCELLED = "lot-cancelled"
    COMPLAINT_MADE = "complaint-made"
    COMPLAINT_ACCEPTED = "complaint-accepted"
    COMPLAINT_INADMISSIBLE = "complaint-inadmissible"
    COMPLAINT_DECIDED = "complaint-decided"
    COMPLAINT_EXECUTED = "complaint-executed"
    COMPLAINT_WITHDRAWN = "complaint-withdrawn"
    CONTRACT_MADE = "contract-made"
    CONTRACT_SIGNED = "contract-signed"
    CONTRACT_ACTIVE = "contract-active"
    CONTRACT_CHANGE_PROPOSED = "contract-change-proposed"
    CONTRACT_CHANGED = "contract-changed"
    LEASE_SIGNED = "lease-signed"
    SECURITY_RECORDED = "security-recorded"
    SECURITY_ENDED = "security-ended"
    CONTRACT_EXTENDED = "contract-extended"
    CONTRACT_TERMINATED = "contract-terminated"
    CONTRACT_COMPLETE = "contract-complete"
    COMPLETED = "completed"


HIDDEN: Final = frozenset(
    {
        ActKind.OPENED_DRAFT,
        ActKind.EDITED,
        ActKind.LOT_ADDED,
        ActKind.LOT_REMOVED,
        ActKind.DOCUMENT_ADDED,
        ActKind.DECLARED,
        ActKind.SHARE_GIVEN,
        ActKind.SCORED,
        ActKind.SECURITY_RECORDED,
        ActKind.SECURITY_ENDED,
    }
)
"""Acts that the public timeline never shows, whatever the stage."""
PREPARATION: Final = frozenset(
    {
        ActKind.SUBMITTED_FOR_REVIEW,
        ActKind.RETURNED,
        ActKind.APPROVED,
        ActKind.REOPENED,
        ActKind.DRAW_ANNOUNCED,
        ActKind.MEMBERS_DRAWN,
        ActKind.SECRETARY_APPOINTED,
        ActKind.APPOINTMENT_ACCEPTED,
        ActKind.APPOINTMENT_DECLINED,
        ActKind.KEY_PUBLISHED,
    }
)
"""Acts before publication; the public sees them once the tender is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of the acts."""

    id: UUID
    number: int
    kind: ActKind
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    by_person: UUID | None = None
    lot_id: UUID | None = None
    subject_id: UUID | None = None


class LotStage(StrEnum):
    """What has become of a lot."""

    ACTIVE = "active"
    AWARDED = "awarded"
    CONTRACTED = "contracted"
    UNSUCCESSFUL = "unsuccessful"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A lot as the acts leave it. ``award_id`` is the one standing award."""

    stage: LotStage = LotStage.ACTIVE
    award_id: UUID | None = None
    contract_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderFacts:
    """What all acts of a tender come to."""

    times: TenderTimes = field(default_factory=TenderTimes)
    acts: int = 0
    version: int = 0
    number: str | None = None
    """What people call the tender, since its publication."""
    terms: Mapping[str, Term] = field(default_factory=dict)
    """The terms that were ever begun, by name, as they stand now."""
    suspensions: Mapping[str, datetime] = field(default_factory=dict)
    """The causes that hold the tender now, each with its beginning. It resumes when the last is gone."""
    lots: Mapping[UUID, LotFacts] = field(default_factory=dict)
    editors: frozenset[UUID] = frozenset()
    """Who has written in the working copy since it was opened or published."""
    unanswered: frozenset[UUID] = frozenset()
    """Enquiries without an answer; they keep the bids from being opened."""
    complaints_waiting: frozenset[UUID] = frozenset()
    """Complaints that nobody has accepted, refused or decided yet; they keep contracts from being signed."""
    confirm_from_version: int = 0
    """Bids on an earlier version than this one must be confirmed."""
    draw: Act | None = None
    """The draw that was announced last, until the members are drawn."""


NOTHING_YET: Final = TenderFacts()


def replay(acts: Iterable[Act]) -> TenderFacts:
    """The facts that ``acts``, in the order of their numbers, come to."""
    facts = NOTHING_YET
    for act in acts:
        facts = after(facts, act)
    return facts


def after(facts: TenderFacts, act: Act) -> TenderFacts:
    """``facts`` once ``act`` has happened."""
    assert act.number == facts.acts + 1, "acts are numbered without gaps"
    facts = replace(facts, acts=act.number, terms={**facts.terms, **terms_of(act.payload)})
    meaning = _MEANINGS.get(act.kind)
    if meaning is not None:
        facts = meaning(facts, act)
    return replace(facts, times=_with_terms(facts))


def is_public(kind: ActKind) -> bool:
    """Whether the public timeline of a published tender shows an act of this kind."""
    return kind not in HIDDEN


def _with_terms(facts: TenderFacts) -> TenderTimes:
    ends = {f"{name}_until": facts.terms[name].until for name in _STAGE_TERMS if name in facts.terms}
    return replace(facts.times, **ends)


_STAGE_TERMS: Final = ("discussion", "bidding", "standstill")
"""Terms whose end changes the stage."""

_Meaning = Callable[[TenderFacts, Act], TenderFacts]


def _stamps(time: str, *, clears: tuple[str, ...] = ()) -> _Meaning:
    """The meaning of an act after which a time is set, and others are not."""

    def stamp(facts: TenderFacts, act: Act) -> TenderFacts:
        return replace(facts, times=replace(facts.times, **{time: act.at}, **dict.fromkeys(clears)))

    return stamp


def _back_to_draft(facts: TenderFacts, _act: Act) -> TenderFacts:
    return replace(facts, times=replace(facts.times, submitted_at=None, approved_at=None))


def _edited(facts: TenderFacts, act: Act) -> TenderFacts:
    return replace(facts, editors=facts.editors | ({act.by_person} if act.by_person else set()))


def _lot_added(facts: TenderFacts, act: Act) -> TenderFacts:
    return _with_lot(_edited(facts, act), act.lot_id, LotFacts())


def _lot_removed(facts: TenderFacts, act: Act) -> TenderFacts:
    lots = {lot_id: lot for lot_id, lot in facts.lots.items() if lot_id != act.lot_id}
    return replace(_edited(facts, act), lots=lots)


def _published(facts: TenderFacts, act: Act) -> TenderFacts:
    version = act.payload["version"]
    times = replace(facts.times, published_at=act.at)
    number = act.payload["number"]
    return replace(
        facts, times=times, version=version, number=number, confirm_from_version=version, editors=frozenset()
    )


def _amended(facts: TenderFacts, act: Act) -> TenderFacts:
    version = act.payload["version"]
    confirm = version if act.payload["needs_confirmation"] else facts.confirm_from_version
    # A new key publishes nothing of what is written: whoever wrote it still needs a second person.
    editors = facts.editors if act.payload.get("keys_only") else frozenset()
    return replace(facts, version=version, confirm_from_version=confirm, editors=editors)


def _suspended(facts: TenderFacts, act: Act) -> TenderFacts:
    causes = {act.payload["cause_id"]: act.at, **facts.suspensions}
    return _held_by(facts, causes)


def _resumed(facts: TenderFacts, act: Act) -> TenderFacts:
    return _held_by(facts, {name: at for name, at in facts.suspensions.items() if name != act.payload["cause_id"]})


def _held_by(facts: TenderFacts, causes: Mapping[str, datetime]) -> TenderFacts:
    # The terms have stood still since the first cause, also where another one holds them on.
    since = facts.times.suspended_at or min(causes.values(), default=None)
    return replace(facts, suspensions=causes, times=replace(facts.times, suspended_at=since if causes else None))


def _asked(facts: TenderFacts, act: Act) -> TenderFacts:
    return replace(facts, unanswered=facts.unanswered | _ids(act))


def _answered(facts: TenderFacts, act: Act) -> TenderFacts:
    return replace(facts, unanswered=facts.unanswered - _ids(act))


def _complained(facts: TenderFacts, act: Act) -> TenderFacts:
    return replace(facts, complaints_waiting=facts.complaints_waiting | _ids(act))


def _complaint_judged(facts: TenderFacts, act: Act) -> TenderFacts:
    return replace(facts, complaints_waiting=facts.complaints_waiting - _ids(act))


def _executed(facts: TenderFacts, act: Act) -> TenderFacts:
    """Where a decision sends the tender back, what came after that has not happened any more: also lots that ended
    because nobody was left are open again; where admission is decided anew, those too to which nobody was admitted.
    What is contracted or cancelled stays so.
    """
    times: tuple[str, ...]
    match act.payload.get("back_to"):
        case "admission":
            again = set(facts.lots)
            times, begun = ("admitted_at", "evaluated_at", "awarded_at", "standstill_until"), _BEGUN_BY_ADMISSION
        case "evaluation":
            again = {UUID(lot_id) for lot_id in act.payload["lots"]}
            times, begun = ("evaluated_at", "awarded_at", "standstill_until"), _BEGUN_BY_AWARD
        case _:
            return facts
    in_vain = {id for id in again if facts.lots[id].stage is LotStage.UNSUCCESSFUL}
    lots = {id: LotFacts() if id in in_vain else lot for id, lot in facts.lots.items()}
    terms = {name: term for name, term in facts.terms.items() if name.split(":")[0] not in begun}
    return replace(facts, times=replace(facts.times, **dict.fromkeys(times)), terms=terms, lots=lots)


_BEGUN_BY_AWARD: Final = frozenset({"standstill", "signing"})
_BEGUN_BY_ADMISSION: Final = _BEGUN_BY_AWARD | {"objections"}
"""Terms that fall with what has begun them, by the beginnings of their names."""


def _ids(act: Act) -> frozenset[UUID]:
    assert act.subject_id is not None, f"{act.kind} is about something"
    return frozenset({act.subject_id})


def _award_made(facts: TenderFacts, act: Act) -> TenderFacts:
    assert act.lot_id is not None
    assert facts.lots[act.lot_id].award_id is None, "one standing award for each lot"
    return _with_lot(facts, act.lot_id, LotFacts(LotStage.AWARDED, act.subject_id))


def _award_ended(facts: TenderFacts, act: Act) -> TenderFacts:
    return _with_lot(facts, act.lot_id, LotFacts())


def _contract_active(facts: TenderFacts, act: Act) -> TenderFacts:
    assert act.lot_id is not None
    lot = replace(facts.lots[act.lot_id], stage=LotStage.CONTRACTED, contract_id=act.subject_id)
    return _with_lot(facts, act.lot_id, lot)


def _lot_ends(stage: LotStage) -> _Meaning:
    return lambda facts, act: _with_lot(facts, act.lot_id, LotFacts(stage))


def _with_lot(facts: TenderFacts, lot_id: UUID | None, lot: LotFacts) -> TenderFacts:
    assert lot_id is not None
    return replace(facts, lots={**facts.lots, lot_id: lot})


def _draw_announced(facts: TenderFacts, act: Act) -> TenderFacts:
    return replace(facts, draw=act)


def _drawn(facts: TenderFacts, _act: Act) -> TenderFacts:
    return replace(facts, draw=None)


_MEANINGS: Final[dict[ActKind, _Meaning]] = {
    ActKind.OPENED_DRAFT: _edited,
    ActKind.EDITED: _edited,
    ActKind.DOCUMENT_ADDED: _edited,
    ActKind.LOT_ADDED: _lot_added,
    ActKind.LOT_REMOVED: _lot_removed,
    ActKind.SUBMITTED_FOR_REVIEW: _stamps("submitted_at"),
    ActKind.RETURNED: _back_to_draft,
    ActKind.APPROVED: _stamps("approved_at"),
    ActKind.REOPENED: _back_to_draft,
    ActKind.DRAW_ANNOUNCED: _draw_announced,
    ActKind.MEMBERS_DRAWN: _drawn,
    ActKind.PUBLISHED: _published,
    ActKind.AMENDED: _amended,
    ActKind.ENQUIRY_ASKED: _asked,
    ActKind.ENQUIRY_ANSWERED: _answered,
    ActKind.SUSPENDED: _suspended,
    ActKind.RESUMED: _resumed,
    ActKind.CANCELLED: _stamps("cancelled_at"),
    ActKind.UNSUCCESSFUL: _stamps("unsuccessful_at"),
    ActKind.CLOSED: _stamps("closed_at"),
    ActKind.OPENING_STARTED: _stamps("opening_started_at"),
    ActKind.OPENED: _stamps("opened_at"),
    ActKind.ADMITTED: _stamps("admitted_at"),
    ActKind.EVALUATED: _stamps("evaluated_at"),
    ActKind.AWARDED: _stamps("awarded_at"),
    ActKind.AWARD_MADE: _award_made,
    ActKind.AWARD_ENDED: _award_ended,
    ActKind.LOT_UNSUCCESSFUL: _lot_ends(LotStage.UNSUCCESSFUL),
    ActKind.LOT_CANCELLED: _lot_ends(LotStage.CANCELLED),
    ActKind.COMPLAINT_MADE: _complained,
    ActKind.COMPLAINT_ACCEPTED: _complaint_judged,
    ActKind.COMPLAINT_INADMISSIBLE: _complaint_judged,
    ActKind.COMPLAINT_DECIDED: _complaint_judged,
    ActKind.COMPLAINT_WITHDRAWN: _complaint_judged,
    ActKind.COMPLAINT_EXECUTED: _executed,
    ActKind.CONTRACT_ACTIVE: _contract_active,
    ActKind.COMPLETED: _stamps("completed_at"),
}
