"""Amending a published tender: one officer writes and says why, a second person publishes what was written."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotAllowed, NotNow
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
from schoolmeals.procurement.models import LotItem, TenderSection
from schoolmeals.procurement.queries.drafts import document_now, lacks, profile_of, text_of
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
    _keep_section(work, hand, hand.id, RATIONALE, {"rationale": said})
    digest = digest_of(canonical_text(said)).hex()
    record_act(work, hand, ActKind.EDITED, {"section": RATIONALE, "sha256": digest})


def discard_amendment(work: Work, tender_id: UUID) -> None:
    """Write the working copy of a published tender back to its published text: sections, items and the reason. Papers
    that were added stay: no paper is ever taken away. Raises NotNow ``nothing-written``.
    """
    hand = permitted(work, "discard_amendment", tender_id)
    published = document_now(work, hand.tender)
    assert published is not None, "amendments are of what is published"
    text = text_of(work, hand.tender, profile_of(work, hand.tender), hand.seats)
    lots = {str(lot.id): (dict(lot.sections), [dict(item) for item in lot.items]) for lot in text.lots}
    before = {lot["id"]: (lot["sections"], lot["items"]) for lot in published["lots"]}
    if text.sections == published["sections"] and lots == before:
        raise NotNow("nothing-written", NOTHING_WRITTEN)
    work.session.execute(delete(TenderSection).where(TenderSection.tender_id == tender_id))
    work.session.execute(delete(LotItem).where(LotItem.tender_id == tender_id))
    abouts = [(hand.id, published["sections"]), *((UUID(lot["id"]), lot["sections"]) for lot in published["lots"])]
    for about_id, sections in abouts:
        for section, content in sections.items():
            _keep_section(work, hand, about_id, section, content)
    for lot in published["lots"]:
        _restore_items(work, hand, UUID(lot["id"]), lot["items"])
    record_act(work, hand, ActKind.EDITED, {"section": DISCARDED, "version": hand.facts.version})


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


def _keep_section(work: Work, hand: AtHand, about_id: UUID, section: str, content: Mapping[str, Any]) -> None:
    statement = insert(TenderSection).values(
        tender_id=hand.id,
        about_id=about_id,
        section=section,
        content=dict(content),
        edited_by=work.actor.id,
        edited_at=work.now,
    )
    changed = {name: statement.excluded[name] for name in ("content", "edited_by", "edited_at")}
    key = [TenderSection.tender_id, TenderSection.about_id, TenderSection.section]
    work.session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def _restore_items(work: Work, hand: AtHand, lot_id: UUID, items: Sequence[Mapping[str, Any]]) -> None:
    """What is bought in a lot, under the ids that the published text gives."""
    for position, item in enumerate(items, start=1):
        values = {**item, "id": UUID(item["id"])}
        work.session.add(LotItem(tender_id=hand.id, lot_id=lot_id, position=position, **values))
    work.session.flush()


DISCARDED: Final = "discarded"
"""What an act says in place of a section where all that was written was discarded."""
NOTHING_WRITTEN: Final = N_("Nothing is written that differs from the published text. There is nothing to discard.")
