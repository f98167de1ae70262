"""Publication: the moment in which a draft becomes a tender that everybody can see, with its terms fixed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from schoolmeals.database import Work
from schoolmeals.errors import N_, NotFound, NotNow
from schoolmeals.jobs import defer
from schoolmeals.procurement.acting import (
    AtHand,
    Lock,
    at_hand,
    hold_name,
    known_act,
    lock_tender,
    permitted,
    record_act,
)
from schoolmeals.procurement.documents import canonical_text, digest_of, document_of
from schoolmeals.procurement.models import Tender, TenderVersion
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.drafts import profile_of, text_of
from schoolmeals.procurement.reckoning import first_terms
from schoolmeals.procurement.rotation import note_sitting
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.drafting import LANGUAGES
from schoolmeals.procurement.rules.papers import DRAW_NOTICE
from schoolmeals.procurement.rules.permissions import DRAFT_READERS
from schoolmeals.procurement.rules.quorum import is_composed, keys_suffice
from schoolmeals.procurement.rules.terms import Term, as_payload, terms_of
from schoolmeals.workdays import local_day


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication made. ``sha256`` is the digest of the document in hexadecimal."""

    act_id: UUID
    number: str
    version: int
    sha256: str
    bidding_until: datetime


def publish_tender(work: Work, tender_id: UUID, *, act_id: UUID, zone: ZoneInfo, accelerator: int = 1) -> Published:
    """Show an approved tender to everybody, its procedure copied into it and its terms fixed.

    The same ``act_id`` again gives the same answer. ``accelerator`` divides every term; for demonstrations alone, the
    caller answers for that. Raises NotNow where there is no whole commission with keys, Conflict ``id-used``.
    """
    tender = lock_tender(work, tender_id, Lock.CLOSE)
    known = known_act(work, tender_id, act_id, ActKind.PUBLISHED)
    if known is not None:
        if at_hand(work, tender, work.now).parties.isdisjoint(DRAFT_READERS):
            raise NotFound
        return published_by(known)
    hand = permitted(work, "publish_tender", tender_id, lock=Lock.CLOSE)
    profile = profile_of(work, tender)
    for refused in (is_composed(hand.seats, profile), keys_suffice(hand.seats, profile)):
        if refused is not None:
            raise NotNow(refused.code, refused.sentence, **refused.facts)
    if accelerator > 1:
        profile = profile.accelerated(accelerator)
    act = _publish(work, hand, profile, act_id, zone)
    note_sitting(work, hand)
    return published_by(act)


def _publish(work: Work, hand: AtHand, profile: Profile, act_id: UUID, zone: ZoneInfo) -> Act:
    text = text_of(work, hand.tender, profile, hand.seats)
    terms = first_terms(work, hand.tender, profile, text.sections["terms"], hand.at, zone)
    if terms["discussion"].until >= terms["bidding"].until:
        raise NotNow("no-time-for-bids", NO_TIME_FOR_BIDS)
    number = _next_number(work, hand.at, zone)
    document = document_of(text, number=number, version=1, published_at=hand.at, terms=terms)
    return keep_version(work, hand, ActKind.PUBLISHED, document, terms=terms, act_id=act_id)


def keep_version(
    work: Work,
    hand: AtHand,
    kind: ActKind,
    document: Mapping[str, Any],
    *,
    terms: Mapping[str, Term],
    act_id: UUID,
    rationale: Mapping[str, str] | None = None,
    needs_confirmation: bool = False,
    keys_only: bool = False,
) -> Act:
    """Record that ``document`` is published (or amended) now, and keep it for ever. ``keys_only`` where what is written
    in the working copy is not in it.
    """
    text = canonical_text(document)
    digest = digest_of(text)
    payload = {
        "version": document["version"],
        "number": document["number"],
        "sha256": digest.hex(),
        "terms": as_payload(terms),
        "needs_confirmation": needs_confirmation,
        **({"rationale": dict(rationale)} if rationale is not None else {}),
        **({"keys_only": True} if keys_only else {}),
    }
    act = record_act(work, hand, kind, payload, id=act_id)
    version = TenderVersion(
        tender_id=hand.id,
        version=document["version"],
        act_id=act.id,
        at=hand.at,
        text=text,
        sha256=digest,
        rationale=dict(rationale) if rationale is not None else None,
        needs_confirmation=needs_confirmation,
    )
    work.session.add(version)
    work.session.flush()
    for language in LANGUAGES:
        defer(work, DRAW_NOTICE, tender_id=str(hand.id), version=document["version"], language=language)
    return act


def _next_number(work: Work, at: datetime, zone: ZoneInfo) -> str:
    year = local_day(at, zone).year
    hold_name(work, f"tender-number-{year}")
    taken = select(func.count()).where(Tender.number.startswith(f"{year}-"))
    return f"{year}-{(work.session.scalar(taken) or 0) + 1:04}"


def published_by(act: Act) -> Published:
    """What an act of publication or amendment made."""
    payload = act.payload
    until = terms_of(payload)["bidding"].until
    return Published(act.id, payload["number"], payload["version"], payload["sha256"], until)


NO_TIME_FOR_BIDS: Final = N_("No time is left for bids after the discussion. Allow more days for bids.")
