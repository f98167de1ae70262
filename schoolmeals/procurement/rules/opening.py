"""Opening: when it may begin, which envelopes are due, when it is put off, and what of a bid's content is kept."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.quorum import SeatFacts, holds_a_key
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.procurement.sealing import FaultCode
from schoolmeals.verdicts import Refused

INCOMPLETE: Final = "incomplete"
"""The sealed files did not arrive in time."""
NOT_DISCLOSED: Final = "not-disclosed"
"""Too few members came for good, and the bidder did not disclose the recovery file."""
CONTENT_FILE: Final = "bid.json"
CONTENT_MAX_BYTES: Final = 1 << 20
BIDDERS_DOING: Final = frozenset(
    {
        FaultCode.SHARES_CRAFTED,
        FaultCode.KEY_UNFIT,
        FaultCode.HEADER_CHANGED,
        FaultCode.COMMITMENT_BROKEN,
        FaultCode.FILE_CHANGED,
    }
)
"""Faults that only the bidder can have made: the bid is unreadable, whoever opens it."""
WRONG_RECOVERY: Final = frozenset({FaultCode.KEY_UNFIT})
"""What a disclosed key may be and a sealed bid is not thereby: another file can be disclosed."""


def may_start(at: datetime, files_until: datetime, unanswered: Collection[UUID]) -> Refused | None:
    """The time for sealed files is over, and every enquiry was answered."""
    if at <= files_until:
        return Refused("files-may-follow", FILES_MAY_FOLLOW, {"until": files_until})
    if unanswered:
        return Refused("enquiries-unanswered", UNANSWERED, {"count": len(unanswered)})
    return None


def due(envelopes: Sequence[str], stage: TenderStage) -> tuple[str, ...]:
    """The envelopes that are opened at a stage: the first at the opening, the others once admission is decided."""
    return tuple(envelopes[:1]) if stage is TenderStage.OPENING else tuple(envelopes[1:])


@dataclass(frozen=True, slots=True)
class Windows:
    """The names of an opening's terms: until when members come, and until when bidders disclose their keys."""

    window: str
    reveal: str


def windows(stage: TenderStage) -> Windows:
    """Prices are opened in terms of their own: what was put off, or asked of bidders, before is over by then."""
    return Windows("prices", "prices-reveal") if stage is TenderStage.EVALUATION else Windows("opening", "reveal")


def is_asked(terms: Mapping[str, Term], names: Windows) -> bool:
    """Whether bidders were asked for their keys since the opening's term began."""
    reveal, window = terms.get(names.reveal), terms.get(names.window)
    return reveal is not None and window is not None and reveal.start >= window.start


def admitted_bids(payload: Mapping[str, Any], but_of: Collection[str] = ()) -> frozenset[str]:
    """The ids of the bids that an ``admitted`` act names, without those of the lots ``but_of``."""
    lots = payload.get("lots", {}).items()
    return frozenset(str(bid) for id, lot in lots if id not in but_of for bid in lot.get("admitted", ()))


def may_adjourn(waiting: Collection[UUID], until: datetime | None, at: datetime) -> Refused | None:
    """Some bid cannot be opened with the shares and files that are here, and the time for them to come is over: nobody
    who is late by a minute finds an opening that others have put off.
    """
    if not waiting:
        return Refused("shares-suffice", SHARES_SUFFICE, {})
    return Refused("opening-runs", OPENING_RUNS, {"until": until}) if until is not None and at <= until else None


def may_ask_bidders(adjourned: int) -> Refused | None:
    """Bidders are asked for their keys only when members have not come a second time either."""
    return None if adjourned else Refused("adjourn-first", ADJOURN_FIRST, {})


def may_disclose(until: datetime | None, at: datetime) -> Refused | None:
    """Bidders were asked, and the time for it runs."""
    if until is None:
        return Refused("not-asked", NOT_ASKED, {})
    return Refused("disclosed-late", DISCLOSED_LATE, {}) if at > until else None


def may_finish(waiting: int, ready: int, until: datetime | None, at: datetime) -> Refused | None:
    """Every envelope is open or cannot be, or bidders were asked for their keys and the time for that is over. One of
    those that wait and are ``ready``, with shares enough, is opened first: nobody gives up what can be read.
    """
    if not waiting or (not ready and until is not None and at > until):
        return None
    return Refused("bids-not-opened", NOT_OPENED, {"count": waiting})


def may_help(seats: Sequence[SeatFacts], published_at: datetime | None, profile: Profile) -> Refused | None:
    """Whoever has left the commission hands in a share only where those who stay hold too few keys to open a bid."""
    staying = sum(seat.votes and holds_a_key(seat, published_at) for seat in seats)
    enough = staying >= profile.commission("shares_needed").value
    return Refused("share-not-needed", SHARE_NOT_NEEDED, {}) if enough else None


def content_of(data: bytes) -> dict[str, Any] | None:
    """The object in a file of JSON, where a database can keep it; None for anything else. The file itself counts."""
    if len(data) > CONTENT_MAX_BYTES:
        return None
    try:
        value = json.loads(data)
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "\\u0000" not in text else None


FILES_MAY_FOLLOW: Final = N_("Sealed files may still arrive. The bids can be opened after that.")
UNANSWERED: Final = N_("%(count)s enquiries have no answer yet. Answer them before the bids are opened.")
SHARES_SUFFICE: Final = N_("Enough members have come: the bids can be opened. Nothing is put off.")
OPENING_RUNS: Final = N_("The time for members to come still runs. The opening is put off after that.")
ADJOURN_FIRST: Final = N_("Put the opening off once before you ask the bidders for their keys.")
SHARE_NOT_NEEDED: Final = N_("You have left the commission, and those who stay can open the bids without you.")
NO_PRICES: Final = N_("No price waits to be opened. There is nothing to finish.")
NOT_ASKED: Final = N_("Bidders are asked for their keys only where too few members come. You were not asked.")
DISCLOSED_LATE: Final = N_("The time for disclosing the recovery file is over.")
NOT_OPENED: Final = N_("%(count)s bids are not opened yet.")
