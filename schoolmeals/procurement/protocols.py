"""Protocols: what the commission decided, written once as JSON that never changes.

The JSON is the protocol; its SHA-256 is its name and its public address. Papers are drawn from it later; see
``protocol_papers.py``.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.errors import N_
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.documents import canonical_text, digest_of, written
from schoolmeals.procurement.models import Protocol, TenderVersion

FORMAT: Final = "schoolmeals-protocol/v1"
DRAW: Final = "procurement.draw_protocol"
PAPER_LANGUAGES: Final = ("kk", "ru", "en")
TITLES: Final = {
    "opening": N_("Protocol of the opening of bids"),
    "admission": N_("Protocol of admission"),
    "evaluation": N_("Protocol of the evaluation of bids"),
    "award": N_("Protocol of the award"),
}
"""Each kind that is made has a part ``templates/procurement/protocols/<kind>.html``."""


def make_protocol(work: Work, hand: AtHand, kind: str, document: Mapping[str, Any]) -> UUID:
    """Write a protocol of what was just decided, and promise its papers; gives its id.

    ``document`` is plain JSON (texts in three languages as ``{"kk", "ru", "en"}``, no fractions) and becomes the
    protocol's ``content``. It is public at once: no personal data beyond the names of members and tenderers.
    """
    text = canonical_text(_headed(work, hand, kind, document))
    row = Protocol(id=new_id(hand.at), tender_id=hand.id, kind=kind, at=hand.at, text=text, sha256=digest_of(text))
    work.session.add(row)
    work.session.flush()
    for language in PAPER_LANGUAGES:
        defer(work, DRAW, lock=f"protocol-{row.id}-{language}", protocol_id=str(row.id), language=language)
    return row.id


def protocol_sha256(work: Work, protocol_id: UUID) -> str:
    """The digest of a protocol, in hexadecimal: its name in acts and addresses."""
    return work.session.get_one(Protocol, protocol_id).sha256.hex()


def _headed(work: Work, hand: AtHand, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The protocol with what everybody needs to know of its tender."""
    version = work.session.get_one(TenderVersion, (hand.id, hand.tender.version))
    notice = json.loads(version.text)
    return {
        "format": FORMAT,
        "kind": kind,
        "at": written(hand.at),
        "act": hand.facts.acts,
        "tender": {
            "id": str(hand.id),
            "number": notice["number"],
            "title": notice["sections"]["notice"]["title"],
            "organiser": notice["organiser"],
            "version": version.version,
            "notice_sha256": version.sha256.hex(),
        },
        "content": dict(content),
    }
