"""What an amendment does to the terms of a tender: they move later, or not at all. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import Length, Profile
from schoolmeals.procurement.rules.differences import Difference, differences
from schoolmeals.procurement.rules.terms import Reckoning, Term, in_last_share, later_only
from schoolmeals.verdicts import Refused

RATIONALE: Final = "amendment"
"""The section of the working copy that says why it is amended; it is no part of the text."""
MOVED: Final = ("discussion", "bidding", "questions")
SAID: Final = ("sections", "lots", "documents")
"""The parts of a text that officers write."""


def terms_after(
    reckoning: Reckoning, terms: Mapping[str, Term], profile: Profile, more_days: int, at: datetime
) -> dict[str, Term]:
    """The terms of an amendment that is published at ``at`` and gives ``more_days`` for bids than the text before.

    In the last share of the time for bids, at least the profile's days are left after it, whatever was wanted.
    """
    bidding, questions, faster = terms["bidding"], terms["questions"], profile.accelerator
    unit = profile.term("bidding_min").unit
    until, length = bidding.until, bidding.length
    if more_days > 0:
        until = reckoning.begin(bidding.until, Length(more_days, unit), accelerator=faster).until
        length = Length(length.amount + more_days, length.unit)
    share = profile.number("amendment_last_share_percent").value
    if in_last_share(bidding.start, bidding.until, at, share):
        until = max(until, reckoning.begin(at, profile.term("amendment_extra"), accelerator=faster).until)
    stop = reckoning.until_before(until, profile.term("questions_stop"), accelerator=faster)
    assert later_only(bidding.until, until), "a deadline moves later only"
    return {
        **{name: terms[name] for name in MOVED if name in terms},
        "bidding": Term(bidding.start, until, length, bidding.accelerator),
        "questions": Term(questions.start, max(questions.until, stop), questions.length, questions.accelerator),
    }


def more_days_wanted(before: Mapping[str, Any], sections: Mapping[str, Any]) -> int:
    """How many days more for bids the working copy gives than the published text; negative where it takes some."""
    days = [one.get("terms", {}).get("bidding_days") or 0 for one in (sections, before["sections"])]
    return int(days[0] - days[1])


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What officers have written otherwise; terms that follow from it are not among it."""
    return differences({name: before.get(name) for name in SAID}, {name: after.get(name) for name in SAID})


def may_amend(more_days: int, found: list[Difference], rationale: Mapping[str, str]) -> Refused | None:
    """An amendment changes something, says why, and takes no time away."""
    if not found:
        return Refused("nothing-changed", NOTHING_CHANGED)
    if more_days < 0:
        return Refused("deadline-only-later", ONLY_LATER, {"days": -more_days})
    if not all(rationale.get(language, "").strip() for language in ("kk", "ru")):
        return Refused("not-explained", NOT_EXPLAINED)
    return None


NOTHING_CHANGED: Final = N_("The text is the same as the published one. Change something first.")
ONLY_LATER: Final = N_("The time for bids would be %(days)s days shorter. A deadline only moves later.")
NOT_EXPLAINED: Final = N_("Write why the terms are amended, in Kazakh and Russian. Everybody reads it.")
CHANGED_MEANWHILE: Final = N_("Somebody has written in it since you opened this page. Read it once more.")
