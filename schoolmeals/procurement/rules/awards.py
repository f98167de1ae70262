"""Awards: who gets a lot, what an award may fall for, and what speaks against a supplier at the last moment. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.procurement.rules.acts import LotFacts, LotStage
from schoolmeals.procurement.rules.stages import is_over
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.verdicts import Refused

END_CODES: Final = ("refused-to-sign", "not-signed-in-time", "recheck-failed", "other")
"""Why an organiser ends an award. What a review body orders, or a cancellation brings, has codes of its own."""
ORDERED: Final = "ordered"
CANCELLED: Final = "cancelled"
CANCEL_CODES: Final = ("no-need", "budget-cut", "unlawful-terms", "court-order", "force-majeure", "other")
SUSPENSION_CAUSES: Final = ("court", "prosecutor", "other")
"""Why an officer suspends a tender; a complaint does it by being accepted."""
SETTLED: Final = frozenset({LotStage.CONTRACTED, LotStage.UNSUCCESSFUL, LotStage.CANCELLED})
FAILED: Final = frozenset({LotStage.UNSUCCESSFUL, LotStage.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A bid in the ranking of its lot, as the evaluation left it. ``price_minor`` is None where no price was asked."""

    bid_id: UUID
    tenderer_id: UUID
    rank: int
    points_milli: int
    price_minor: int | None
    value_minor: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a supplier. ``facts`` is JSON without anybody's name or number."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For a row, an act and a protocol."""
        return {"code": self.code, **self.facts}


@dataclass(frozen=True, slots=True)
class Load:
    """What a person of a bid works in all: there and wherever else they are bound. ``post`` is that of the bid."""

    post: str
    fte_percent: int


def ranked_of(payload: Mapping[str, Any]) -> dict[UUID, tuple[Candidate, ...]]:
    """The ranking that the act of evaluation published, by lot, the best first."""
    return {UUID(lot_id): _candidates(rows) for lot_id, rows in payload.get("lots", {}).items()}


def following(ranked: Sequence[Candidate], tried: Iterable[UUID]) -> list[Candidate]:
    """The candidates who have not had the lot before, in the order of their rank."""
    gone = set(tried)
    return [one for one in ranked if one.bid_id not in gone]


def overloaded(loads: Iterable[Load], most_percent: int) -> list[Finding]:
    """The posts for which somebody is bound beyond their working time: one cook cannot cook in two places (F1, F3)."""
    return [
        Finding("staff-taken", {"post": one.post, "fte_percent": one.fte_percent})
        for one in sorted(loads, key=lambda one: (one.post, one.fte_percent))
        if one.fte_percent > most_percent
    ]


def may_end(code: str, signing: Term | None, at: datetime) -> Refused | None:
    """An award falls for a reason that is true: silence counts only once the term to sign is over."""
    if code not in END_CODES:
        return Refused("no-such-reason", NO_SUCH_REASON)
    if code == "not-signed-in-time" and (signing is None or not is_over(signing.until, at)):
        return Refused("still-time-to-sign", STILL_TIME)
    return None


def all_settled(lots: Mapping[UUID, LotFacts]) -> bool:
    """Whether nothing is left to do for any lot."""
    return all(lot.stage in SETTLED for lot in lots.values())


def all_failed(lots: Mapping[UUID, LotFacts]) -> bool:
    """Whether no lot found a supplier, nor can."""
    return all(lot.stage in FAILED for lot in lots.values())


def objections_term(lot_id: UUID | str) -> str:
    """What the term is called in which those who were turned away can complain before their lot ends."""
    return f"objections:{lot_id}"


def may_give_up(objections: Term | None, at: datetime) -> Refused | None:
    """A lot for which bids came, and none was admitted, ends once the time to complain about that is over."""
    if objections is None or is_over(objections.until, at):
        return None
    return Refused("objections-run", OBJECTIONS_RUN, {"until": objections.until})


def may_conclude(
    lots: Mapping[UUID, LotFacts], terms: Mapping[str, Term], complaints_waiting: int, at: datetime
) -> Refused | None:
    """A tender ends once nobody can contest any more that a lot found no supplier: after the standstill that began
    with that, and once every complaint is judged.
    """
    if complaints_waiting:
        return Refused("complaints-wait", COMPLAINTS_WAIT, {"count": complaints_waiting})
    failed = [lot_id for lot_id, lot in lots.items() if lot.stage is LotStage.UNSUCCESSFUL]
    running = [term for lot_id in failed if (term := standstill_of(terms, lot_id)) and not is_over(term.until, at)]
    if not running:
        return None
    return Refused("objections-run", STILL_CONTESTED, {"until": max(term.until for term in running)})


def may_cancel(complaints: int) -> Refused | None:
    """Nothing is cancelled while a complaint about it waits to be judged, or its decision to be carried out."""
    return Refused("complaints-wait", SETTLED_FIRST, {"count": complaints}) if complaints else None


def standstill_of(terms: Mapping[str, Term], lot_id: UUID) -> Term | None:
    """The standstill that a lot's contract waits for: its own after a promotion, else the tender's."""
    return terms.get(f"standstill:{lot_id}") or terms.get("standstill")


def signing_of(terms: Mapping[str, Term], lot_id: UUID) -> Term | None:
    """Until when a lot's contract is to be signed."""
    return terms.get(f"signing:{lot_id}") or terms.get("signing")


def _candidates(rows: Iterable[Mapping[str, Any]]) -> tuple[Candidate, ...]:
    found = [
        Candidate(
            bid_id=UUID(row["bid_id"]),
            tenderer_id=UUID(row["tenderer_id"]),
            rank=row["rank"],
            points_milli=row.get("points_milli") or 0,
            price_minor=row.get("price_minor"),
            value_minor=row["value_minor"],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: one.rank))


COMPLAINTS_WAIT: Final = N_("Complaints that wait to be judged: %(count)s. The tender ends after that.")
SETTLED_FIRST: Final = N_("Complaints that are not settled yet: %(count)s. Nothing is cancelled before that.")
STILL_CONTESTED: Final = N_(
    "A lot found no supplier, and whoever bid for it can still complain. The tender ends after that."
)
OBJECTIONS_RUN: Final = N_(
    "Bids for this lot were rejected, and whoever made them can still complain. Declare it unsuccessful after that."
)
NO_SUCH_REASON: Final = N_("Choose a reason from the list.")
STILL_TIME: Final = N_("The term to sign the contract is not over yet.")
