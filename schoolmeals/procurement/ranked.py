"""What evaluation and award have left behind: rankings, and awards that stand or fell. Not scoped."""

from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement.acting import acts_of
from schoolmeals.procurement.models import Award
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.awards import Candidate, ranked_of


def ranking_of(work: Work, tender_id: UUID) -> dict[UUID, tuple[Candidate, ...]]:
    """The ranking of each lot as the last evaluation published it; empty before."""
    evaluated = [act for act in acts_of(work, tender_id) if act.kind is ActKind.EVALUATED]
    return ranked_of(evaluated[-1].payload) if evaluated else {}


def tried_bids(work: Work, tender_id: UUID, lot_id: UUID) -> list[UUID]:
    """The bids that have had the lot since the last evaluation. What fell before it was decided anew, and counts for
    nothing: who was first then may be second now.
    """
    evaluated = [act.at for act in acts_of(work, tender_id) if act.kind is ActKind.EVALUATED]
    since = evaluated[-1:]
    return [
        one.bid_id
        for one in awards_of(work, tender_id)
        if one.lot_id == lot_id and all(one.decided_at >= at for at in since)
    ]


def awards_of(work: Work, tender_id: UUID) -> list[Award]:
    """All awards of a tender, those that fell too, in the order in which they were decided."""
    found = select(Award).where(Award.tender_id == tender_id).order_by(Award.decided_at, Award.id)
    return list(work.session.scalars(found))
