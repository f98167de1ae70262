"""When the terms of a tender end: its organiser's working days, and local midnight, put to the rules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.models import Tender
from schoolmeals.procurement.profiles import Length, Profile
from schoolmeals.procurement.rules.terms import Reckoning, Term


def first_terms(
    work: Work, tender: Tender, profile: Profile, wanted: Mapping[str, Any], at: datetime, zone: ZoneInfo
) -> dict[str, Term]:
    """The terms that publication begins: discussion, bids, and until when questions are taken."""
    reckoning = reckoning_of(work, tender, zone)
    faster = profile.accelerator
    shortest = profile.term("bidding_min")
    bidding = Length(max(shortest.amount, wanted["bidding_days"]), shortest.unit)
    terms = {
        "discussion": reckoning.begin(at, profile.term("discussion"), accelerator=faster),
        "bidding": reckoning.begin(at, bidding, accelerator=faster),
    }
    stop = profile.term("questions_stop")
    questions_until = reckoning.until_before(terms["bidding"].until, stop, accelerator=faster)
    return {**terms, "questions": Term(at, questions_until, stop, faster)}


def reckoning_of(work: Work, tender: Tender, zone: ZoneInfo) -> Reckoning:
    """What a tender's terms are reckoned by: the country's working days, and local midnight."""
    return Reckoning(identity.calendar_of(work, tender.organiser_id), zone)
