"""What an envelope came to, written down once: its content, or why it cannot be read. Parts of deeds."""

from typing import Any

from schoolmeals.database import Work
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.models import FrozenBid, OpenedBid
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.opening import CONTENT_FILE, content_of
from schoolmeals.procurement.sealing import Fault, OpenedEnvelope
from schoolmeals.procurement.unsealing import Envelope


def keep_opened(
    work: Work, hand: AtHand, one: Envelope, opened: OpenedEnvelope, noted: tuple[Fault, ...], identity: str | None
) -> OpenedBid:
    """Write down the content of an envelope; ``identity`` is the key where its bidder has disclosed it."""
    files = [
        {"name": file.name, "media_type": file.media_type, "bytes": file.bytes, "sha256": file.sha256}
        for file in opened.header.files
    ]
    has_content = any(file["name"] == CONTENT_FILE for file in files)
    row = OpenedBid(
        bid_id=one.bid.id,
        envelope=one.name,
        tender_id=hand.id,
        at=hand.at,
        plaintext=content_of(opened.read(CONTENT_FILE)) if has_content else None,
        files=files,
        plaintext_sha256=opened.plaintext_sha256,
        unreadable=None,
        faults=[_told(fault) for fault in noted],
        recovery=identity,
    )
    payload = {"envelope": one.name, "plaintext_sha256": row.plaintext_sha256, "faults": row.faults}
    return _keep(work, hand, ActKind.BID_OPENED, one.bid, row, payload)


def keep_unreadable(
    work: Work, hand: AtHand, bid: FrozenBid, envelope: str, code: str, faults: tuple[Fault, ...]
) -> OpenedBid:
    """Write down that an envelope cannot be read, by a fault's code or one of ``rules.opening``."""
    row = OpenedBid(
        bid_id=bid.id,
        envelope=envelope,
        tender_id=hand.id,
        at=hand.at,
        plaintext=None,
        files=[],
        plaintext_sha256=None,
        unreadable=code,
        faults=[_told(fault) for fault in faults],
        recovery=None,
    )
    payload = {"envelope": envelope, "reason": code, "faults": row.faults}
    return _keep(work, hand, ActKind.BID_UNREADABLE, bid, row, payload)


def _keep(
    work: Work, hand: AtHand, kind: ActKind, bid: FrozenBid, row: OpenedBid, payload: dict[str, Any]
) -> OpenedBid:
    work.session.add(row)
    work.session.flush()
    record_act(work, hand, kind, payload, lot_id=bid.lot_id, subject_id=bid.id)
    return row


def _told(fault: Fault) -> dict[str, str]:
    return {"code": fault.code.value, "member": fault.member_id}
