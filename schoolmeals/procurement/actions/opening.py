"""Opening: members make their shares public, any k of them open a bid, and every promise of its manifest is checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotAllowed, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, LegalClock, Lock, database_clock, permitted, record_act
from schoolmeals.procurement.documents import written
from schoolmeals.procurement.freezing import freeze, frozen_list
from schoolmeals.procurement.minutes import opening_minutes
from schoolmeals.procurement.models import FrozenBid, OpenedBid, OpeningShare
from schoolmeals.procurement.parts import all_rows, missing_parts
from schoolmeals.procurement.protocols import make_protocol, protocol_sha256
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.revealing import keep_opened, keep_unreadable
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import (
    FrozenFacts,
    Outcome,
    confirmed_versions,
    files_from,
    files_until,
    to_open,
)
from schoolmeals.procurement.rules.opening import (
    BIDDERS_DOING,
    INCOMPLETE,
    NO_PRICES,
    NOT_DISCLOSED,
    WRONG_RECOVERY,
    may_adjourn,
    may_ask_bidders,
    may_disclose,
    may_finish,
    may_help,
    may_start,
    windows,
)
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import as_payload
from schoolmeals.procurement.sealing import (
    Fault,
    FaultCode,
    Manifest,
    OpenedShare,
    SealingFault,
    recovery_identities,
    require_committed,
)
from schoolmeals.procurement.unsealing import (
    Envelope,
    adjournments,
    envelope_due,
    envelopes_due,
    open_lots,
    opened_row,
    own_key_seat,
    profile_at,
    shares_of,
    unseal_envelope,
    waiting,
)
from schoolmeals.verdicts import Refused


@dataclass(frozen=True, slots=True)
class Revealed:
    """What an envelope came to: the digest of its content, or why it cannot be read."""

    bid_id: UUID
    envelope: str
    plaintext_sha256: str | None
    unreadable: str | None
    faults: tuple[Fault, ...]


def start_opening(
    work: Work, tender_id: UUID, *, keys: ServerKeys, zone: ZoneInfo, clock: LegalClock = database_clock
) -> list[UUID]:
    """Begin the opening, and close the list where nobody has yet; gives the bids to be opened, in order of receipt.

    A bid whose files are missing is unreadable; one for a lot that has ended stays sealed. Raises NotNow
    ``files-may-follow`` or ``enquiries-unanswered``.
    """
    hand = permitted(work, "start_opening", tender_id, lock=Lock.CLOSE, clock=clock)
    profile = profile_at(work, hand)
    last = files_until(files_from(hand.facts.terms), profile)
    _require(may_start(hand.at, last, hand.facts.unanswered))
    freeze(work, hand, keys)
    listed = [one for one in frozen_list(work, tender_id) if one.lot_id in open_lots(hand)]
    complete = frozenset(one.id for one in listed if _has_arrived(work, keys, one))
    confirmed = confirmed_versions(all_rows(work, keys, tender_id))
    chosen = to_open(listed, complete, confirmed, hand.facts.confirm_from_version)
    window = reckoning_of(work, hand.tender, zone).begin(
        hand.at, profile.term("opening_window"), accelerator=profile.accelerator
    )
    payload = {"bids": [str(one.id) for one in chosen], "terms": as_payload({"opening": window})}
    record_act(work, hand, ActKind.OPENING_STARTED, payload)
    for one in listed:
        if one.outcome is Outcome.STANDS and one not in chosen:
            bid = work.session.get_one(FrozenBid, one.id)
            keep_unreadable(work, hand, bid, profile.envelopes[0], INCOMPLETE, ())
    return [one.id for one in chosen]


def give_shares(
    work: Work, tender_id: UUID, given: Sequence[bytes], *, unreadable: Sequence[tuple[UUID, str]] = ()
) -> list[Fault]:
    """Make one's own opened shares public, and say which boxes (bid, envelope) could not be opened.

    Gives what is wrong with them, each fault with its member's seat; such a share is kept as evidence and counts for
    nothing. The same share again changes nothing. Who has left the commission is heard only where the others cannot
    open the bids. Raises Invalid, NotFound, NotAllowed ``not-your-share``, NotNow ``share-not-needed``.
    """
    hand = permitted(work, "give_shares", tender_id)
    seat = own_key_seat(work, hand)
    if not seat.votes:
        _require(may_help(hand.seats, hand.tender.published_at, profile_at(work, hand)))
    due = {(one.bid.id, one.name): one for one in envelopes_due(work, hand)}
    rows: list[OpeningShare] = []
    for share in (OpenedShare.from_bytes(data) for data in given):
        if share.member_id != str(seat.id):
            raise NotAllowed("not-your-share", NOT_YOUR_SHARE)
        one = _one_of(due, share.bid_id, share.envelope)
        rows += _new_share(work, hand, one, seat.id, share)
    for bid_id, name in unreadable:
        one = _one_of(due, str(bid_id), name)
        rows += _new_share(work, hand, one, seat.id, None)
    if not rows:
        return []
    work.session.add_all(rows)
    work.session.flush()
    faults = [Fault(FaultCode(row.fault), row.envelope, str(seat.id)) for row in rows if row.fault is not None]
    told = [{"bid": str(row.bid_id), "envelope": row.envelope, "code": row.fault} for row in rows if row.fault]
    good = sum(row.ok for row in rows)
    record_act(work, hand, ActKind.SHARE_GIVEN, {"good": good, "faults": told}, subject_id=seat.id)
    return faults


def reveal_bid(
    work: Work,
    tender_id: UUID,
    bid_id: UUID,
    envelope: str,
    *,
    keys: ServerKeys,
    recovery: bytes | None = None,
    clock: LegalClock = database_clock,
) -> Revealed:
    """Open an envelope with the shares that are public, or by the bidder's own recovery file where bidders were asked.

    What is opened stays so: asked again, the same is answered. Suppliers open nothing without their own recovery file:
    what cannot be read is said once and for all. Raises NotAllowed ``recovery-needed``, NotNow ``too-few-shares``,
    ``not-asked`` or ``disclosed-late``, Conflict ``sealed-file-damaged`` (here; the bidder can send it again),
    NotFound, and for a recovery file that does not fit whatever sealing finds.
    """
    hand = permitted(work, "reveal_bid", tender_id, clock=clock)
    one = envelope_due(work, hand, bid_id, envelope)
    known = opened_row(work, one)
    if known is not None:
        return _as_revealed(known)
    if recovery is None and hand.parties.isdisjoint(_REVEALERS):
        raise NotAllowed("recovery-needed", RECOVERY_NEEDED)
    identity = _disclosed(work, hand, one, recovery) if recovery is not None else None
    noted = tuple(
        Fault(FaultCode(row.fault or ""), envelope, str(row.seat_id)) for row in shares_of(work, one, good=False)
    )
    try:
        opened = unseal_envelope(work, keys, one, identity)
    except SealingFault as fault:
        _let_try_again(work, hand, fault, by_bidder=identity is not None)
        row = keep_unreadable(work, hand, one.bid, envelope, fault.fault.code.value, (*noted, fault.fault))
    else:
        with opened:
            row = keep_opened(work, hand, one, opened, noted, identity)
    _end_prices(work, hand)
    return _as_revealed(row)


def adjourn_opening(
    work: Work,
    tender_id: UUID,
    *,
    keys: ServerKeys,
    zone: ZoneInfo,
    ask_bidders: bool = False,
    clock: LegalClock = database_clock,
) -> list[UUID]:
    """Put the opening, of bids or of prices, off where too few members have come in its term; gives the bids that wait.
    With ``ask_bidders``, and only the second time, bidders have a term to disclose their recovery files. Raises NotNow.
    """
    hand = permitted(work, "adjourn_opening", tender_id, clock=clock)
    due = envelopes_due(work, hand)
    stuck = waiting(work, keys, due)
    if ask_bidders:
        _require(may_ask_bidders(adjournments(work, hand)))
    of_stage = windows(hand.stage)
    window = hand.facts.terms.get(of_stage.window)
    _require(may_adjourn(stuck, window.until if window is not None else None, hand.at))
    profile, reckoning = profile_at(work, hand), reckoning_of(work, hand.tender, zone)
    names = {of_stage.window: "opening_window", **({of_stage.reveal: "reveal_window"} if ask_bidders else {})}
    terms = {
        name: reckoning.begin(hand.at, profile.term(number), accelerator=profile.accelerator)
        for name, number in names.items()
    }
    present = {row.seat_id for one in due for row in shares_of(work, one)}
    payload = {
        "waiting": [str(id) for id in stuck],
        "present": len(present),
        "needed": max(one.needed for one in due),
        "asks_bidders": ask_bidders,
        "terms": as_payload(terms),
    }
    record_act(work, hand, ActKind.OPENING_ADJOURNED, payload)
    return stuck


def finish_opening(work: Work, tender_id: UUID, *, clock: LegalClock = database_clock) -> None:
    """End the opening with its protocol: every bid was read, or is known to be unreadable. That of the prices ends by
    itself with the last of them, or here, where bidders did not disclose. Raises NotNow ``bids-not-opened``,
    ``prices-open``.
    """
    hand = permitted(work, "finish_opening", tender_id, clock=clock)
    closed = [one for one in envelopes_due(work, hand) if opened_row(work, one) is None]
    reveal = hand.facts.terms.get(windows(hand.stage).reveal)
    if hand.stage is TenderStage.EVALUATION and not closed:
        raise NotNow("prices-open", NO_PRICES)
    ready = sum(len(shares_of(work, one)) >= one.needed for one in closed)
    _require(may_finish(len(closed), ready, reveal.until if reveal is not None else None, hand.at))
    for one in closed:
        keep_unreadable(work, hand, one.bid, one.name, NOT_DISCLOSED, ())
    if hand.stage is TenderStage.EVALUATION:
        _end_prices(work, hand)
        return
    protocol_id = make_protocol(work, hand, "opening", opening_minutes(work, hand))
    listed = [_minuted(one) for one in frozen_list(work, tender_id)]
    record_act(work, hand, ActKind.OPENED, {"list": listed, "protocol_sha256": protocol_sha256(work, protocol_id)})


def _end_prices(work: Work, hand: AtHand) -> None:
    """With the last price that was opened, or cannot be, comes the protocol of it."""
    due = envelopes_due(work, hand) if hand.stage is TenderStage.EVALUATION else []
    if due and all(opened_row(work, one) is not None for one in due):
        protocol_id = make_protocol(work, hand, "opening", opening_minutes(work, hand))
        record_act(work, hand, ActKind.PRICES_OPENED, {"protocol_sha256": protocol_sha256(work, protocol_id)})


def _has_arrived(work: Work, keys: ServerKeys, one: FrozenFacts) -> bool:
    if one.outcome not in (Outcome.STANDS, Outcome.REPLACED):
        return False
    bid = work.session.get_one(FrozenBid, one.id)
    envelopes = Manifest.from_bytes(bid.manifest).envelopes
    return not any(missing_parts(work, keys, bid.tender_id, file) for file in envelopes)


def _one_of(due: dict[tuple[UUID, str], Envelope], bid_id: str, name: str) -> Envelope:
    for (id, envelope), one in due.items():
        if (str(id), envelope) == (bid_id, name):
            return one
    raise NotFound


def _new_share(work: Work, hand: AtHand, one: Envelope, seat_id: UUID, share: OpenedShare | None) -> list[OpeningShare]:
    """The row of a share that is not here yet."""
    fault = FaultCode.SHARE_UNREADABLE.value if share is None else _fault_of(one, share)
    content = share.share if share is not None else None
    if any(row.seat_id == seat_id for row in shares_of(work, one)):
        return []
    if any((row.seat_id, row.share) == (seat_id, content) for row in shares_of(work, one, good=False)):
        return []
    row = OpeningShare(
        id=new_id(hand.at),
        tender_id=hand.id,
        bid_id=one.bid.id,
        envelope=one.name,
        seat_id=seat_id,
        share=content,
        ok=fault is None,
        fault=fault,
        at=hand.at,
    )
    return [row]


def _fault_of(one: Envelope, share: OpenedShare) -> str | None:
    try:
        require_committed(one.manifest, share)
    except SealingFault as fault:
        return fault.fault.code.value
    return None


def _disclosed(work: Work, hand: AtHand, one: Envelope, recovery: bytes) -> str:
    """The key in a bidder's recovery file."""
    if Party.SUPPLIER not in hand.parties or one.bid.tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    reveal = hand.facts.terms.get(windows(hand.stage).reveal)
    _require(may_disclose(reveal.until if reveal is not None else None, hand.at))
    found = recovery_identities(recovery, manifest_sha256=one.bid.manifest_sha256).get(one.name)
    if found is None:
        raise Invalid("no-key-in-it", NO_KEY_IN_IT)
    return found


def _let_try_again(work: Work, hand: AtHand, fault: SealingFault, *, by_bidder: bool) -> None:
    """Refuse where the fault is not for good: shares may still come, a file be sent again, another key be disclosed."""
    code = fault.fault.code
    if code is FaultCode.TOO_FEW_SHARES:
        raise NotNow("too-few-shares", fault.sentence, **fault.params) from fault
    if code is FaultCode.CIPHERTEXT_SWAPPED and not adjournments(work, hand):
        raise Conflict("sealed-file-damaged", FILE_DAMAGED, envelope=fault.fault.envelope) from fault
    if code not in BIDDERS_DOING | {FaultCode.CIPHERTEXT_SWAPPED} or (by_bidder and code in WRONG_RECOVERY):
        raise fault


def _minuted(one: FrozenFacts) -> dict[str, str]:
    return {
        "bid": str(one.id),
        "lot": str(one.lot_id),
        "tenderer": str(one.tenderer_id),
        "received_at": written(one.received_at),
        "manifest_sha256": one.manifest_sha256,
        "outcome": one.outcome.value,
    }


def _as_revealed(row: OpenedBid) -> Revealed:
    faults = tuple(Fault(FaultCode(one["code"]), row.envelope, one["member"]) for one in row.faults)
    return Revealed(row.bid_id, row.envelope, row.plaintext_sha256, row.unreadable, faults)


def _require(refused: Refused | None) -> None:
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)


_REVEALERS: Final = frozenset({Party.CHAIR, Party.MEMBER, Party.SECRETARY, Party.KEY_HOLDER, Party.SYSTEM})
RECOVERY_NEEDED: Final = N_("The commission opens the bids. You can open your own by its recovery file, where asked.")
NOT_YOUR_SHARE: Final = N_("This share is another member's. Give your own.")
NO_KEY_IN_IT: Final = N_("The recovery file has no key for this envelope.")
FILE_DAMAGED: Final = N_(
    "The sealed file of the envelope %(envelope)s was damaged here after it had arrived. The bidder can send it again."
)
