"""What the commission does in an evaluation: scoring alone, revealing together, contesting evidence, finishing."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.profiles import Criterion, Profile
from schoolmeals.procurement.rules.ranking import BY_POINTS, BY_PRICE
from schoolmeals.verdicts import Refused

CONTEST_REASONS: Final = {
    "not-genuine": N_("The document is not genuine"),
    "does-not-fit": N_("The document shows something else"),
    "another-person": N_("The document is about somebody else"),
    "another-region": N_("The document is about another region"),
    "out-of-date": N_("The document was not in force"),
    "illegible": N_("The document cannot be read"),
}
"""Why evidence is contested. None of them is about who the customers were (F4)."""


_POINTS: Final = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,3}))?")


def as_points(typed: str) -> int | None:
    """Points in thousandths as somebody types them, with a point or a comma; None for anything else."""
    found = _POINTS.fullmatch(typed.strip())
    return int(found[1]) * 1000 + int((found[2] or "0").ljust(3, "0")) if found is not None else None


def is_judged(criterion: Criterion | None) -> Refused | None:
    """Members give points for criteria that are judged; the others are computed, and only their evidence can fall."""
    if criterion is None or criterion.kind != "judged":
        return Refused("computed-by-rule", COMPUTED)
    return None


def is_judged_alone(told: int, needed: int) -> Refused | None:
    """Nobody scores what they know the others' scores of; but where those who told theirs have left, and a quorum is
    missing, others must score after them, and the sheet shows when.
    """
    return Refused("scores-known", SCORES_KNOWN) if told >= needed else None


def within(points_milli: int | None, criterion: Criterion) -> list[FieldProblem]:
    """The points are between nothing and the criterion's most."""
    if points_milli is not None and 0 <= points_milli <= criterion.most.value:
        return []
    return [FieldProblem.of("out-of-range", OUT_OF_RANGE, most=criterion.most.value // 1000)]


def may_reveal(
    *, waiting: int, complete: int, hidden: int, needed: int, until: datetime | None, at: datetime
) -> Refused | None:
    """Everybody with a vote has scored everything; once the evaluation's term is over, a quorum is enough."""
    if not hidden:
        return Refused("nothing-to-reveal", NOTHING_TO_REVEAL)
    if waiting and (until is None or at <= until):
        return Refused("scores-missing", SCORES_MISSING, {"count": waiting})
    return Refused("no-quorum", TOO_FEW_SCORED, {"present": complete, "needed": needed}) if complete < needed else None


def may_finish(*, sealed: int, revealed_by: int, needed: int, judged: bool, low_open: int) -> Refused | None:
    """Every price is known or unreadable, a quorum's scores are revealed, and every low price is judged."""
    if sealed:
        return Refused("prices-sealed", PRICES_SEALED, {"count": sealed})
    if judged and revealed_by < needed:
        return Refused("scores-hidden", SCORES_HIDDEN, {"present": revealed_by, "needed": needed})
    return Refused("low-price-open", LOW_PRICE_OPEN, {"count": low_open}) if low_open else None


def reasons_missing(
    results: Mapping[str, Any], bids: Sequence[Mapping[str, Any]], reasons: Mapping[str, str]
) -> list[str]:
    """The lots for which only one bid was admitted and nobody has written yet why that is good enough."""
    admitted = set(results["points"])
    alone = []
    for lot_id in results["lots"]:
        count = sum(bid["lot_id"] == lot_id and bid["bid_id"] in admitted for bid in bids)
        if count == 1 and not reasons.get(lot_id, "").strip():
            alone.append(lot_id)
    return alone


def extended_before(extensions: int, profile: Profile) -> Refused | None:
    """An evaluation is extended once, where the procedure has an extension at all."""
    if extensions or not profile.number("evaluation_extension").value:
        return Refused("extended-before", EXTENDED_BEFORE)
    return None


def decided_by(code: str, criteria: Collection[Criterion]) -> Mapping[str, str] | str:
    """What has put a bid behind the one before: a criterion's own name, or a sentence."""
    named: dict[str, Mapping[str, str] | str] = {one.code: one.name for one in criteria}
    return {**named, **DECIDED_BY}.get(code, "")


DECIDED_BY: Final = {
    "": "",
    BY_POINTS: N_("Points"),
    BY_PRICE: N_("Price"),
    "received-at": N_("Received later"),
    "bid-id": N_("The number of the bid"),
}
COMPUTED: Final = N_("These points are computed from evidence. Contest the evidence where it does not prove them.")
OUT_OF_RANGE: Final = N_("Give points from 0 to %(most)s, for example 1.5.")
NOTHING_TO_REVEAL: Final = N_("There are no hidden scores.")
SCORES_MISSING: Final = N_("Members who have not scored everything yet: %(count)s.")
TOO_FEW_SCORED: Final = N_("%(present)s members have scored, and %(needed)s are needed.")
PRICES_SEALED: Final = N_("Envelopes with prices that are not opened yet: %(count)s.")
SCORES_HIDDEN: Final = N_("The scores of %(present)s members are revealed, and those of %(needed)s are needed.")
LOW_PRICE_OPEN: Final = N_("Abnormally low prices that are not explained and judged yet: %(count)s.")
EXTENDED_BEFORE: Final = N_("The evaluation was extended before. It is extended once.")
ALREADY_REVEALED: Final = N_("Your score for this was revealed. It does not change any more.")
SCORES_KNOWN: Final = N_("The scores of this bid are revealed. Whoever had not given one by then gives none any more.")
DECLARE_FIRST: Final = N_(
    "First declare of every bidder whether you have an interest in it. Bidders you have not declared about: %(count)s."
)
NOT_ADMITTED: Final = N_("This bid was not admitted.")
CONTESTED_BEFORE: Final = N_("You have contested this document already.")
CHOOSE_CONTEST: Final = FieldProblem.of("choose-a-reason", N_("Choose why the document does not prove it."))
SINGLE_REASON: Final = FieldProblem.of(
    "single-bid-needs-reason", N_("Only one bid was admitted for this lot. Say why it may win all the same.")
)
