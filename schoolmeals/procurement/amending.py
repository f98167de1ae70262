"""The next version of a published tender, as its working copy stands: for those who read it, and who publish it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.errors import NotNow
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.documents import canonical_text, digest_of, document_of
from schoolmeals.procurement.queries.drafts import document_now, profile_of, text_of
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.amending import NOTHING_CHANGED, RATIONALE, SAID, changes, more_days_wanted
from schoolmeals.procurement.rules.amending import terms_after as moved_terms
from schoolmeals.procurement.rules.differences import Difference
from schoolmeals.procurement.rules.terms import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class NextVersion:
    """What an amendment would publish now. ``seen`` names what was written: whoever publishes has seen just that."""

    before: Mapping[str, Any]
    document: Mapping[str, Any]
    changes: list[Difference]
    terms: Mapping[str, Term]
    more_days: int
    rationale: Mapping[str, str]
    seen: str


def next_version(work: Work, hand: AtHand, zone: ZoneInfo) -> NextVersion:
    """The next version of a published tender. Its commission stays the one whose keys bids are sealed to.

    Raises NotNow ``nothing-changed`` for a draft.
    """
    before = document_now(work, hand.tender)
    if before is None:
        raise NotNow("nothing-changed", NOTHING_CHANGED)
    profile = profile_of(work, hand.tender)
    text = text_of(work, hand.tender, profile, hand.seats)
    sections = {name: content for name, content in text.sections.items() if name != RATIONALE}
    rationale = text.sections.get(RATIONALE, {}).get("rationale", {})
    more_days = more_days_wanted(before, sections)
    reckoning = reckoning_of(work, hand.tender, zone)
    terms = moved_terms(reckoning, hand.facts.terms, profile, max(more_days, 0), hand.at)
    number = {"number": before["number"], "version": hand.facts.version + 1}
    kept = {"published_at": hand.at, "terms": terms, "commission": before["commission"]}
    document = document_of(replace(text, sections=sections), **number, **kept)
    written = {"rationale": rationale, **{name: document[name] for name in SAID}}
    return NextVersion(
        before=before,
        document=document,
        changes=changes(before, document),
        terms=terms,
        more_days=more_days,
        rationale=rationale,
        seen=digest_of(canonical_text(written)).hex(),
    )
