"""Bids: the manifest is the legal act, at the database's clock under the tender's lock; the sealed files may follow.

Nothing here numbers an act or names anybody in the log: until the opening nobody may learn who bids, or how many.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from schoolmeals.actors import Role
from schoolmeals.asking import ask_together
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound, NotNow, Refusal
from schoolmeals.procurement.acting import (
    AtHand,
    LegalClock,
    Lock,
    at_hand,
    database_clock,
    lock_tender,
    permitted,
)
from schoolmeals.procurement.arriving import Arrival, Coming, arrive, queueing
from schoolmeals.procurement.confirmed import require_confirmed
from schoolmeals.procurement.models import TenderVersion
from schoolmeals.procurement.parts import (
    chain_of,
    claimed,
    forget_parts,
    is_whole,
    keep_bodies,
    keep_parts,
    keep_row,
    missing_parts,
)
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.rows import (
    NOBODY,
    Receipt,
    ServerKeys,
    claim_of,
    cover_part,
    receipt_of,
    sealed,
    slot_id,
)
from schoolmeals.procurement.rules.bids import (
    PART_BYTES,
    VERSIONS_MAX,
    Asked,
    RowFacts,
    RowKind,
    asked_by,
    files_from,
    files_until,
    follows,
    is_for,
    standing,
)
from schoolmeals.procurement.rules.permissions import Party, decide
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import (
    Manifest,
    SealedEnvelope,
    manifest_digest,
    require_sealed_to,
    submitted_manifest,
)
from schoolmeals.verdicts import Refused

PARTS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Progress:
    """What has arrived of a sealed file. ``fault`` tells that all its pieces were there and were not the file that the
    manifest names: then they are gone, and all are missing again."""

    missing: tuple[int, ...]
    fault: str | None = None

    @property
    def is_complete(self) -> bool:
        return not self.missing


_SUPPLIER: Final = frozenset({Party.SUPPLIER, Party.PERSON, Party.PUBLIC})
_STRANGER: Final[frozenset[Party]] = frozenset()
"""Nobody that is known yet."""


def submit_bid(
    work: Work,
    tender_id: UUID,
    tenderer_id: UUID,
    manifest: bytes,
    *,
    keys: ServerKeys,
    clock: LegalClock = database_clock,
) -> Receipt:
    """Submit a bid for one lot. The same manifest again gives the same receipt, after the deadline too.

    Raises NotNow after the deadline, Conflict ``id-used``, ``bid-there``, Invalid for what is no manifest of this
    supplier for this tender, and whatever sealing finds.
    """
    return _submit(work, "submit_bid", tender_id, tenderer_id, manifest, keys, clock)


def replace_bid(
    work: Work,
    tender_id: UUID,
    tenderer_id: UUID,
    manifest: bytes,
    *,
    keys: ServerKeys,
    clock: LegalClock = database_clock,
) -> Receipt:
    """Submit a bid in place of the one that stands, whose manifest's digest is the new one's ``replaces``. Raises what
    ``submit_bid`` does, and Conflict ``nothing-to-replace`` or ``not-the-last``.
    """
    return _submit(work, "replace_bid", tender_id, tenderer_id, manifest, keys, clock)


def withdraw_bid(
    work: Work,
    tender_id: UUID,
    tenderer_id: UUID,
    bid_id: UUID,
    *,
    request_id: UUID,
    keys: ServerKeys,
    clock: LegalClock = database_clock,
) -> Receipt:
    """Take back the bid that stands for a lot. Raises NotNow, NotFound, Conflict."""
    about = (RowKind.WITHDRAWAL, tender_id, tenderer_id, bid_id, request_id)
    return _about_own(work, "withdraw_bid", about, keys, clock)


def confirm_bid(
    work: Work,
    tender_id: UUID,
    tenderer_id: UUID,
    bid_id: UUID,
    *,
    request_id: UUID,
    keys: ServerKeys,
    clock: LegalClock = database_clock,
) -> Receipt:
    """Say that the bid holds for the tender as it was amended. Raises NotNow, NotFound, Conflict ``keys-changed``."""
    about = (RowKind.CONFIRMATION, tender_id, tenderer_id, bid_id, request_id)
    return _about_own(work, "confirm_bid", about, keys, clock)


def receive_part(
    work: Work,
    tender_id: UUID,
    tenderer_id: UUID,
    bid_id: UUID,
    envelope: str,
    first: int,
    content: bytes,
    *,
    keys: ServerKeys,
    clock: LegalClock = database_clock,
) -> Progress:
    """Take pieces of a sealed file: ``content`` is at most 32 of them, ``first`` the number of its first.

    Until some time after the deadline; pieces may come in any order and twice. At the opening only a file that was
    damaged here is taken once more. Raises NotFound, Invalid ``not-a-part``, NotNow ``files-late``.
    """
    hand = permitted(work, "receive_part", tender_id, lock=Lock.SUBMIT, clock=clock)
    row = _own_row(work, keys, tender_id, tenderer_id, bid_id)
    file = Manifest.from_bytes(row.manifest).envelope(envelope)
    count, rest = divmod(len(content), PART_BYTES)
    if rest or not 1 <= count <= PARTS_AT_ONCE or not 0 <= first <= file.ciphertext_bytes // PART_BYTES - count:
        raise Invalid("not-a-part", NOT_A_PART)
    if hand.stage is TenderStage.OPENING:
        if is_whole(work, keys, tender_id, file):
            raise NotNow("files-late", FILES_LATE)
        forget_parts(work, keys, tender_id, file, range(first, first + count))
    elif _files_are_late(work, hand):
        raise NotNow("files-late", FILES_LATE)
    keep_parts(work, keys, tender_id, file, first, content, hand.at)
    return _progress(work, keys, tender_id, file)


def write_cover(
    work: Work, tender_id: UUID, *, rows: int, parts: int, keys: ServerKeys, clock: LegalClock = database_clock
) -> None:
    """Write rows and pieces that are nothing and look like any other."""
    hand = permitted(work, "write_cover", tender_id, lock=Lock.SUBMIT, clock=clock)
    for _ in range(rows):
        row_id, nonce = uuid4(), uuid4()
        facts = RowFacts(
            kind=RowKind.COVER,
            tender_id=tender_id,
            lot_id=NOBODY,
            tenderer_id=NOBODY,
            person_id=None,
            request_id=nonce,
            bid_id=NOBODY,
            place=0,
            received_at=hand.at,
            tender_version=hand.tender.version,
            manifest_sha256="",
        )
        keep_row(work, tender_id, row_id, nonce, sealed(keys, row_id, facts), hand.at)
    keep_bodies(work, tender_id, {uuid4(): cover_part() for _ in range(parts)}, hand.at)


def _files_are_late(work: Work, hand: AtHand) -> bool:
    profile = profile_of(work, hand.tender)
    # The acts are read only where it matters: a tender that was held since its deadline gives that time back.
    if hand.at <= files_until(_deadline(hand), profile):
        return False
    return hand.at > files_until(files_from(hand.facts.terms), profile)


def _submit(
    work: Work, deed: str, tender_id: UUID, tenderer_id: UUID, data: bytes, keys: ServerKeys, clock: LegalClock
) -> Receipt:
    coming = Coming.of(tender_id, tenderer_id, data)
    arrival = arrive(work, coming, keys, clock)
    refusal = _refusal(work, deed, tender_id, arrival)
    if refusal is not None:
        # Whoever lost the answer asks again, maybe after the deadline: what was acknowledged stays so.
        lost = _lost_receipt(work, coming, keys, arrival.known) if isinstance(refusal, NotNow) else None
        if lost is None:
            raise refusal
        return lost
    _require_own(work, tenderer_id)
    manifest = _accepted(work, coming, arrival)
    digest = manifest_digest(data)
    if arrival.known is not None:
        return _receipt_again(keys, arrival.known, tenderer_id, tender_id, digest)
    _require(follows(arrival.chain, manifest.bid.replaces), Conflict)
    facts = RowFacts(
        kind=RowKind.BID,
        tender_id=tender_id,
        lot_id=coming.lot_id,
        tenderer_id=tenderer_id,
        person_id=work.actor.id,
        request_id=coming.bid_id,
        bid_id=coming.bid_id,
        place=len(arrival.chain),
        received_at=arrival.at,
        tender_version=arrival.version,
        manifest_sha256=digest,
        manifest=data,
    )
    return _written(work, keys, facts)


def _refusal(work: Work, deed: str, tender_id: UUID, arrival: Arrival) -> Refusal | None:
    parties = _SUPPLIER if work.actor.has_role(Role.SUPPLIER) else _STRANGER
    refusal = decide(deed, arrival.stage, parties)
    if refusal is None or isinstance(refusal, NotNow):
        return refusal
    # Which refusal it is depends on what else they are to the tender, and that takes more questions.
    hand = at_hand(work, lock_tender(work, tender_id, Lock.SUBMIT), arrival.at)
    return decide(deed, hand.stage, hand.parties)


def _accepted(work: Work, coming: Coming, arrival: Arrival) -> Manifest:
    """The manifest, where it is one for this tender as it is published now."""
    asked, manifest = arrival.asked, coming.manifest
    assert asked is not None, "bids are taken for what is published"
    if manifest is None:
        return submitted_manifest(coming.data, asked.keys)
    require_sealed_to(manifest, asked.keys)
    _require(is_for(manifest, coming.tenderer_id, asked), Invalid)
    if arrival.lot_has_ended:
        raise NotNow("lot-ended", LOT_ENDED)
    if not asked.unconfirmed_may_bid:
        require_confirmed(work, coming.tenderer_id)
    return manifest


def _about_own(
    work: Work, deed: str, about: tuple[RowKind, UUID, UUID, UUID, UUID], keys: ServerKeys, clock: LegalClock
) -> Receipt:
    """A row that says something about a bid that was submitted before."""
    kind, tender_id, tenderer_id, bid_id, request_id = about
    hand = permitted(work, deed, tender_id, lock=Lock.SUBMIT, clock=clock)
    bid = _own_row(work, keys, tender_id, tenderer_id, bid_id)
    if kind is RowKind.CONFIRMATION:
        _require_same_keys(work, hand, bid)

    ask_together(work.session, *queueing(keys, tender_id, bid.lot_id, tenderer_id, request_id))
    known = claimed(work, keys, request_id)
    if known is not None:
        return _receipt_again(keys, known, tenderer_id, tender_id, bid.manifest_sha256)
    chain = chain_of(work, keys, tender_id, bid.lot_id, tenderer_id)
    current = standing(chain)
    if current is None or current.bid_id != bid_id:
        raise Conflict("not-the-last", NOT_STANDING)
    if len(chain) >= VERSIONS_MAX and kind is not RowKind.WITHDRAWAL:
        raise Conflict("too-many-versions", NOT_STANDING)
    facts = RowFacts(
        kind=kind,
        tender_id=tender_id,
        lot_id=bid.lot_id,
        tenderer_id=tenderer_id,
        person_id=work.actor.id,
        request_id=request_id,
        bid_id=bid_id,
        place=len(chain),
        received_at=hand.at,
        tender_version=hand.tender.version,
        manifest_sha256=bid.manifest_sha256,
    )
    return _written(work, keys, facts)


def _written(work: Work, keys: ServerKeys, facts: RowFacts) -> Receipt:
    """Write a supplier's next row for a lot; its receipt."""
    row_id = slot_id(keys, facts.tender_id, facts.lot_id, facts.tenderer_id, facts.place)
    body = sealed(keys, row_id, facts)
    keep_row(work, facts.tender_id, row_id, claim_of(keys, facts.request_id), body, facts.received_at)
    return receipt_of(keys, row_id, facts)


def _receipt_again(
    keys: ServerKeys, known: tuple[UUID, RowFacts], tenderer_id: UUID, tender_id: UUID, digest: str
) -> Receipt:
    row_id, facts = known
    if (facts.tenderer_id, facts.tender_id, facts.manifest_sha256) != (tenderer_id, tender_id, digest):
        raise Conflict("id-used", ID_USED)
    return receipt_of(keys, row_id, facts)


def _lost_receipt(work: Work, coming: Coming, keys: ServerKeys, known: tuple[UUID, RowFacts] | None) -> Receipt | None:
    """The receipt of a bid of the actor's that was acknowledged before, to the byte; None for anything else."""
    if known is None or coming.tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        return None
    row_id, facts = known
    said = (facts.tender_id, facts.tenderer_id, facts.manifest)
    same = said == (coming.tender_id, coming.tenderer_id, coming.data)
    return receipt_of(keys, row_id, facts) if same else None


def _own_row(work: Work, keys: ServerKeys, tender_id: UUID, tenderer_id: UUID, bid_id: UUID) -> RowFacts:
    _require_own(work, tenderer_id)
    known = claimed(work, keys, bid_id)
    if known is None or known[1].kind is not RowKind.BID:
        raise NotFound
    if (known[1].tender_id, known[1].tenderer_id) != (tender_id, tenderer_id):
        raise NotFound
    return known[1]


def _require_own(work: Work, tenderer_id: UUID) -> None:
    if tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound


def _require(refused: Refused | None, kind: type[Invalid] | type[Conflict]) -> None:
    if refused is not None:
        facts: dict[str, Any] = dict(refused.facts)
        raise kind(refused.code, refused.sentence, **facts)


def _require_same_keys(work: Work, hand: AtHand, bid: RowFacts) -> None:
    if Manifest.from_bytes(bid.manifest).bid.key_set_sha256 != _asked(work, hand).keys.sha256:
        raise Conflict("keys-changed", KEYS_CHANGED)


def _asked(work: Work, hand: AtHand) -> Asked:
    """What the version that is published now asks of bids."""
    return asked_by(work.session.get_one(TenderVersion, (hand.id, hand.tender.version)).text)


def _deadline(hand: AtHand) -> datetime:
    until = hand.tender.bidding_until
    assert until is not None, "files follow a bid"
    return until


def _progress(work: Work, keys: ServerKeys, tender_id: UUID, file: SealedEnvelope) -> Progress:
    missing = missing_parts(work, keys, tender_id, file)
    if missing or is_whole(work, keys, tender_id, file):
        return Progress(tuple(missing))
    forget_parts(work, keys, tender_id, file)
    return Progress(tuple(range(file.ciphertext_bytes // PART_BYTES)), "ciphertext-swapped")


NOT_A_PART: Final = N_("This is not a piece of the sealed file that the manifest names.")
FILES_LATE: Final = N_("The time for sending the sealed files is over.")
LOT_ENDED: Final = N_("This lot takes no bids any more.")
NOT_STANDING: Final = N_("This bid does not stand any more. Load the page to see which one does.")
KEYS_CHANGED: Final = N_("The commission's keys have changed with the amendment. Seal the bid anew and replace it.")
ID_USED: Final = N_("This number was already used for something else. Load the page again.")
