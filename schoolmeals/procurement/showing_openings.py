"""An opening in words: its envelopes, its members and its steps, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.procurement.minutes import named
from schoolmeals.procurement.protocol_papers import word
from schoolmeals.procurement.queries.openings import EnvelopeLine, OpeningFacts
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.words import CONSTITUENCY_NAMES

STEP_NAMES: Final = {
    ActKind.CLOSED: N_("The list of bids was closed"),
    ActKind.OPENING_STARTED: N_("The opening of the bids began"),
    ActKind.SHARE_GIVEN: N_("%(name)s opened the own shares"),
    ActKind.BID_OPENED: N_("The bid of %(tenderer)s was opened: %(envelope)s"),
    ActKind.BID_UNREADABLE: N_("The bid of %(tenderer)s cannot be read: %(reason)s"),
    ActKind.OPENING_ADJOURNED: N_("The opening was put off: %(present)s members had come, %(needed)s are needed"),
    ActKind.OPENED: N_("The opening was finished"),
    ActKind.PRICES_OPENED: N_("The opening of the prices was finished"),
    ActKind.SEAT_ENDED: N_("%(name)s left the commission"),
    ActKind.SEAT_CALLED: N_("%(name)s was called in from the alternates"),
}
FILE_AMISS: Final = N_(
    "Enough members have come, but the sealed file is missing or damaged here. The bidder can send it again until the "
    "opening is put off."
)
BAD_SHARES: Final = N_("%(name)s handed in shares that are not good: %(reasons)s")


def shown_line(
    line: EnvelopeLine,
    found: OpeningFacts,
    tenderers: Mapping[UUID, str],
    schools: Mapping[str, str],
    seats: Mapping[str, str],
) -> dict[str, Any]:
    """An envelope with its state and everything that was found wrong, members by name."""
    bad = [f"{seats.get(str(seat), '')}: {word(code)}" for seat, code in line.bad]
    said = [f"{named(member, seats)}: {word(code)}" if member else word(code) for code, member in line.faults]
    return {
        "bid_id": line.bid_id,
        "code": line.envelope,
        "tenderer": tenderers[line.tenderer_id],
        "school": schools[str(line.lot_id)],
        "received_at": line.received_at,
        "envelope": _envelope(line.envelope, found.envelopes),
        "good": len(line.good),
        "needed": found.needed,
        "who": [seats.get(str(seat), "") for seat in line.good],
        # What was found at the opening has the members' bad shares in it.
        "wrong": [*(said or bad), *([gettext(FILE_AMISS)] if _is_stuck(line, found) else [])],
        "sha256": line.plaintext_sha256,
        "unreadable": word(line.unreadable) if line.unreadable else "",
        "state": _state(line, found),
    }


def shown_member(seat: SeatFacts, found: OpeningFacts) -> list[str]:
    """A row of the members' table: who, for whom, whether present."""
    constituency = gettext(CONSTITUENCY_NAMES[seat.constituency]) if seat.constituency else ""
    present = gettext("Has come") if seat.id in found.present else gettext("Not here yet")
    declared = gettext("%(count)s of %(total)s bidders", count=found.declared.get(seat.id, 0), total=found.bidders)
    return [seat.name, word(seat.part), constituency, *([present, declared] if found.lines else ["-", "-"])]


def shown_step(
    act: Act, bidders: Mapping[UUID, str], seats: Mapping[str, str], envelopes: Sequence[str]
) -> dict[str, Any]:
    """A step of the opening: the words and the moment."""
    said = act.payload
    about = {
        "name": said.get("name") or seats.get(str(act.subject_id), ""),
        "tenderer": bidders.get(act.subject_id, "") if act.subject_id is not None else "",
        "envelope": _envelope(str(said.get("envelope", "")), envelopes),
        "reason": word(str(said.get("reason", ""))),
        "present": said.get("present", ""),
        "needed": said.get("needed", ""),
        "reasons": ", ".join(sorted({word(one["code"]) for one in said.get("faults", ()) if "code" in one})),
    }
    is_bad = act.kind is ActKind.SHARE_GIVEN and bool(said.get("faults"))
    text = BAD_SHARES if is_bad else STEP_NAMES[act.kind]
    care = is_bad or act.kind in (ActKind.BID_UNREADABLE, ActKind.OPENING_ADJOURNED)
    return {"moment": act.at, "text": gettext(text) % about, "care": care}


def _envelope(code: str, envelopes: Sequence[str]) -> str:
    """What an envelope is called: where a bid has one alone, that holds the prices too."""
    return word(code if len(envelopes) > 1 or not code else "bid")


def _is_stuck(line: EnvelopeLine, found: OpeningFacts) -> bool:
    """Enough shares are here, and still it is not open: whoever brought the last one has tried."""
    return line.is_closed and len(line.good) >= found.needed


def _state(line: EnvelopeLine, found: OpeningFacts) -> tuple[str, str]:
    """The word for an envelope's state, and the look of its tag."""
    if line.plaintext_sha256 is not None:
        return gettext("Opened"), "good"
    if line.unreadable is not None:
        return gettext("Cannot be read"), "bad"
    if len(line.good) >= found.needed:
        return gettext("Enough shares"), "info"
    return gettext("Waits for shares"), "neutral"
