"""Amending a published tender: one officer writes and says why, a second person publishes what was written."""

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotNow
from schoolmeals.procurement.acting import (
    AtHand,
    LegalClock,
    Lock,
    database_clock,
    known_act,
    lock_tender,
    permitted,
    record_act,
)
from schoolmeals.procurement.actions.publishing import Published, keep_version, published_by
from schoolmeals.procurement.amending import next_version
from schoolmeals.procurement.documents import canonical_text, digest_of
from schoolmeals.procurement.models import TenderSection
from schoolmeals.procurement.queries.drafts import lacks
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.amending import CHANGED_MEANWHILE, RATIONALE, may_amend
from schoolmeals.procurement.rules.drafting import MUST_SPEAK, NEEDED, check, seen_by_another
from schoolmeals.procurement.rules.sections import Field, FieldKind, Section


def explain_amendment(work: Work, tender_id: UUID, rationale: Mapping[str, str]) -> None:
    """Say why the working copy of a published tender differs from it. Nobody else reads it before it is published.

    Raises Invalid.
    """
    hand = permitted(work, "explain_amendment", tender_id)
    said = {language: text.strip() for language, text in rationale.items() if text.strip()}
    reason = Section(RATIONALE, "", (Field("rationale", FieldKind.TEXTS, "", most=2_000),))
    missing = {f"rationale.{one}": [NEEDED] for one in MUST_SPEAK if one not in said}
    if problems := {**missing, **check(reason, {"rationale": said}).faults}:
        raise Invalid(fields=problems)
    _keep_rationale(work, hand, {"rationale": said})
    digest = digest_of(canonical_text(said)).hex()
    record_act(work, hand, ActKind.EDITED, {"section": RATIONALE, "sha256": digest})


def publish_amendment(
    work: Work, tender_id: UUID, *, act_id: UUID, seen: str, zone: ZoneInfo, clock: LegalClock = database_clock
) -> Published:
    """Publish the working copy as the next version; bids on earlier ones must be confirmed. The same ``act_id`` again
    gives the same answer.

    ``seen`` is :attr:`NextVersion.seen` of what the publishing person has read. The deadline moves later where the
    text says so, and by the profile's days in the last share of the time for bids. Raises NotAllowed ``own-work``,
    Invalid for an incomplete text, Conflict ``changed-meanwhile`` or ``id-used``, NotNow ``nothing-changed``,
    ``deadline-only-later`` or ``not-explained``.
    """
    lock_tender(work, tender_id, Lock.CLOSE)
    known = known_act(work, tender_id, act_id, ActKind.AMENDED)
    if known is not None:
        return published_by(known)
    hand = permitted(work, "publish_amendment", tender_id, lock=Lock.CLOSE, clock=clock)
    own = seen_by_another(hand.facts.editors, work.actor.id)
    if own is not None:
        raise NotAllowed(own.code, own.sentence)
    _require_whole(work, hand)
    wanted = next_version(work, hand, zone)
    refused = may_amend(wanted.more_days, wanted.changes, wanted.rationale)
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)
    if seen != wanted.seen:
        raise Conflict("changed-meanwhile", CHANGED_MEANWHILE)
    act = keep_version(
        work,
        hand,
        ActKind.AMENDED,
        wanted.document,
        terms=wanted.terms,
        act_id=act_id,
        rationale=wanted.rationale,
        needs_confirmation=True,
    )
    hand.tender.title = dict(wanted.document["sections"]["notice"]["title"])
    own_section = (TenderSection.tender_id == tender_id, TenderSection.section == RATIONALE)
    work.session.execute(delete(TenderSection).where(*own_section))
    return published_by(act)


def _require_whole(work: Work, hand: AtHand) -> None:
    problems = lacks(work, hand.tender)
    if problems:
        raise Invalid(fields=problems)


def _keep_rationale(work: Work, hand: AtHand, content: dict[str, Mapping[str, str]]) -> None:
    statement = insert(TenderSection).values(
        tender_id=hand.id,
        about_id=hand.id,
        section=RATIONALE,
        content=content,
        edited_by=work.actor.id,
        edited_at=work.now,
    )
    changed = {name: statement.excluded[name] for name in ("content", "edited_by", "edited_at")}
    key = [TenderSection.tender_id, TenderSection.about_id, TenderSection.section]
    work.session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
