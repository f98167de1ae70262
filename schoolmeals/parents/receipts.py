"""Receipts by their numbers: a parent reads one out, and the office finds what it is about."""

from dataclasses import dataclass
from uuid import UUID

from schoolmeals import canteen, pupils, wallet
from schoolmeals.database import Work
from schoolmeals.parents import queries
from schoolmeals.parents.rules import Meal


@dataclass(frozen=True, slots=True)
class Numbered:
    """What bears a number: one of a meal and a top-up, and the pupil's name."""

    pupil_name: str
    meal: Meal | None = None
    top_up: wallet.TopUpFacts | None = None


def numbered(work: Work, school_id: UUID, number: int) -> list[Numbered]:
    """Everything in a school whose receipt bears ``number``, top-ups first; for its office. Raises NotFound."""
    top_ups = wallet.top_ups_numbered(work, school_id, number)
    sales = canteen.sales_numbered(work, school_id, number)
    sold = [queries.receipt(work, school_id, sale_id) for sale_id in sales]
    return [
        *(Numbered(pupils.pupil(work, school_id, one.pupil_id).name, top_up=one) for one in top_ups),
        *(Numbered(pupil.name, meal=meal) for pupil, meal in sold),
    ]
