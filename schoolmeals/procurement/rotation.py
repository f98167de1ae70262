"""Writing into the register of tenure who sits in a commission: at publication, and whoever takes a seat later."""

from sqlalchemy import select

from schoolmeals.database import Work, local_zone
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.models import Tenure
from schoolmeals.procurement.rules.quorum import heads, voters
from schoolmeals.workdays import local_day


def note_sitting(work: Work, hand: AtHand) -> None:
    """Write down everybody who votes in this commission and is not in the register for it yet: they sit from today.
    Before the publication nobody sits.
    """
    if hand.tender.number is None:
        return
    known = set(work.session.scalars(select(Tenure.person_id).where(Tenure.tender_id == hand.id)))
    chair, _deputy = heads(hand.seats)
    for seat in voters(hand.seats):
        if seat.person_id not in known:
            row = Tenure(
                id=new_id(work.now),
                office="commission-chair" if seat == chair else "commission-member",
                organisation_id=hand.tender.organiser_id,
                person_id=seat.person_id,
                tender_id=hand.id,
                started_on=local_day(hand.at, local_zone()),
                ended_on=None,
                source=hand.tender.number,
                noted_by=work.actor.id,
                noted_at=work.now,
            )
            work.session.add(row)
    work.session.flush()
