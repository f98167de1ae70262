"""A member at the opening: the browser takes the member's key, opens the member's shares and hands them in.

``static/js/ceremony.js`` does the work with what ``opening_work`` tells it; the key never leaves the browser.
"""

from base64 import b64decode, b64encode
from typing import Any, Final
from uuid import UUID

from flask import flash, jsonify, request, url_for
from flask_babel import gettext

from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Invalid, Refusal
from schoolmeals.procurement.actions import opening as opening_deeds
from schoolmeals.procurement.queries import members as member_queries
from schoolmeals.procurement.queries.members import key_set_bytes, shares_to_open
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.members import MEMBERS, named_seat, told_refusal
from schoolmeals.procurement.views.openings import reveal_ready, shown_opening
from schoolmeals.web import actor, guard, now, render

MOST_SHARES: Final = 1_000


@pages.get("/commission/<uuid:commission_id>/opening")
@guard(MEMBERS)
def ceremony(commission_id: UUID) -> Any:
    """The member's page at the opening: take the key, open the shares, see what is still to come."""
    with reading(actor(), now()) as look:
        view = member_queries.seat_view(look, commission_id)
        kept = member_queries.kept_files(look, commission_id)
        opens = member_queries.may_open_now(look, commission_id)
        waiting = [one for one in shares_to_open(look, commission_id) if not one.given] if opens else []
    if view.stage not in (TenderStage.CLOSED, TenderStage.OPENING, TenderStage.EVALUATION):
        return render("procurement/ceremony.html", **named_seat(view), kept=kept, waiting=[], opens=False, board=None)
    board = shown_opening(commission_id)
    return render("procurement/ceremony.html", **named_seat(view), kept=kept, waiting=waiting, opens=opens, board=board)


@pages.get("/commission/<uuid:commission_id>/opening/work")
@guard(MEMBERS)
def opening_work(commission_id: UUID) -> Any:
    """What the member's browser opens shares with: manifests and published keys. Speaks JSON."""
    with reading(actor(), now()) as look:
        seat = member_queries.seat_view(look, commission_id).seat
        found = [
            {
                "bid_id": str(one.envelope.bid.id),
                "envelope": one.envelope.name,
                "manifest": b64encode(one.envelope.bid.manifest).decode(),
                "manifest_sha256": one.envelope.bid.manifest_sha256,
                "key_set": b64encode(key_set_bytes(look, one.envelope)).decode(),
            }
            for one in shares_to_open(look, commission_id)
            if not one.given
        ]
    answer = jsonify({"member_id": str(seat.id), "envelopes": found})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.post("/commission/<uuid:commission_id>/opening/shares")
@guard(MEMBERS)
def hand_in_shares(commission_id: UUID) -> Any:
    """Make the member's shares public, and open every bid that has enough now. Speaks JSON."""
    told = request.get_json(silent=True)
    try:
        shares, unreadable = _handed_in(told if isinstance(told, dict) else {})
        with transaction(actor(), now()) as work:
            faults = opening_deeds.give_shares(work, commission_id, shares, unreadable=unreadable)
        _reveal(commission_id)
    except Refusal as refusal:
        return told_refusal(refusal)
    named = [{"code": one.code.value, "envelope": one.envelope} for one in faults]
    page = url_for("procurement.ceremony", commission_id=commission_id)
    return jsonify({"faults": named, "next": page})


def _reveal(commission_id: UUID) -> None:
    """Open what can be opened; the shares are here whatever comes of it. What is in the way, the next page tells."""
    try:
        reveal_ready(commission_id)
    except Refusal as refusal:
        flash(gettext(refusal.sentence) % refusal.params, "care")


def _handed_in(told: dict[str, Any]) -> tuple[list[bytes], list[tuple[UUID, str]]]:
    """The shares as the browser wrote them, and the boxes that it could not open. Raises Invalid."""
    shares, closed = told.get("shares"), told.get("unreadable")
    if not isinstance(shares, list) or not isinstance(closed, list) or len(shares) + len(closed) > MOST_SHARES:
        raise Invalid("no-shares", NO_SHARES)
    try:
        given = [b64decode(one, validate=True) for one in shares]
        boxes = [(UUID(one["bid_id"]), str(one["envelope"])) for one in closed]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Invalid("no-shares", NO_SHARES) from error
    return given, boxes


NO_SHARES: Final = N_("These are no shares. Load the page again.")
