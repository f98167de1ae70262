"""How a member comes to the commission's table: with a seat that votes, and a word on each tenderer's interests."""

from typing import Final
from uuid import UUID

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotFound, NotNow
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.models import FrozenBid
from schoolmeals.procurement.queries.interests import undeclared
from schoolmeals.procurement.rules.drafting import NEEDED
from schoolmeals.procurement.rules.judging import DECLARE_FIRST
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.verdicts import Refused

LONGEST_TEXT: Final = 8_000
ASK_SUPPLIER: Final = "procurement.ask_supplier"
"""The job that writes to a supplier."""


def own_seat(work: Work, hand: AtHand) -> SeatFacts:
    """The actor's seat that has a vote. Raises NotFound."""
    for seat in voters(hand.seats):
        if seat.person_id == work.actor.id:
            return seat
    raise NotFound


def has_declared(work: Work, hand: AtHand, seat: SeatFacts) -> None:
    """The member has said of every tenderer whether there is an interest; whoever has one has left by then.

    Of every one, not only of the one that is decided on: points and votes are worth what the others get. Raises NotNow
    ``declare-first``.
    """
    left = undeclared(work, hand, seat)
    if left:
        raise NotNow("declare-first", DECLARE_FIRST, count=len(left))


def own_bid(work: Work, hand: AtHand, bid_id: UUID) -> FrozenBid:
    """A bid of the tender that the actor may speak for. Raises NotFound."""
    row = work.session.get(FrozenBid, bid_id)
    if row is None or row.tender_id != hand.id or row.tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    return row


def require(refused: Refused | None) -> None:
    """Raises NotNow for a rule's no."""
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)


def said_in(field: str, text: str) -> str:
    """A text that is needed, without blanks around it. Raises Invalid."""
    if not text.strip():
        raise Invalid(fields={field: [NEEDED]})
    return text.strip()[:LONGEST_TEXT]
