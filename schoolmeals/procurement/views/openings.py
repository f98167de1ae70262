"""The opening of bids: the page that everybody may follow, what the chair does there, and a bidder's last resort."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement import showing
from schoolmeals.procurement.acting import LegalClock
from schoolmeals.procurement.actions import opening as opening_deeds
from schoolmeals.procurement.jobs import legal_clock
from schoolmeals.procurement.queries import openings as opening_queries
from schoolmeals.procurement.queries.openings import OpeningFacts
from schoolmeals.procurement.queries.tenders import version
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.showing_openings import shown_line, shown_member, shown_step
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.confirmations import confirmation_tags
from schoolmeals.procurement.views.desk import again
from schoolmeals.web import PUBLIC_POLICY, SIGNED_IN, actor, frame, guard, language, now, render, roles, settings

SUPPLIERS: Final = roles(Role.SUPPLIER)
LIVE_MS: Final = 2_000
CALM_MS: Final = 20_000
RECOVERY_MOST: Final = 65_536


@pages.get("/tenders/<uuid:tender_id>/opening")
@guard(PUBLIC_POLICY)
def opening(tender_id: UUID) -> Any:
    """Each step of an opening as it happens; what it came to afterwards."""
    return render("procurement/opening.html", **shown_opening(tender_id))


@pages.get("/tenders/<uuid:tender_id>/opening/version")
@guard(PUBLIC_POLICY)
def opening_version(tender_id: UUID) -> Any:
    """A token that changes with each step, and how long to wait before asking again."""
    with reading(actor(), now()) as look:
        found = opening_queries.opening_token(look, tender_id)
    live = found.endswith((TenderStage.OPENING.value, TenderStage.CLOSED.value, TenderStage.EVALUATION.value))
    answer = jsonify({"token": found, "wait_ms": LIVE_MS if live else CALM_MS})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.post("/tenders/<uuid:tender_id>/opening/<opening_step>")
@guard(SIGNED_IN)
def do_opening(tender_id: UUID, opening_step: str) -> Any:
    """Begin, open what can be opened, put off, ask the bidders for their keys, or finish."""
    if opening_step not in STEPS:
        raise NotFound
    deed, done = STEPS[opening_step]
    try:
        deed(tender_id)
    except Refusal as refusal:
        return again(refusal, "procurement/opening.html", **shown_opening(tender_id))
    flash(gettext(done), "good")
    return redirect(url_for("procurement.opening", tender_id=tender_id), code=303)


@pages.get("/tenders/<uuid:tender_id>/disclose")
@guard(SUPPLIERS)
def disclosing(tender_id: UUID) -> Any:
    """A bidder's page for disclosing the recovery file, where too few members came."""
    return render("procurement/disclose.html", **_own_bids(tender_id))


@pages.post("/tenders/<uuid:tender_id>/disclose")
@guard(SUPPLIERS)
def disclose(tender_id: UUID) -> Any:
    """Open one's own bid by one's recovery file."""
    try:
        recovery, waiting = _recovery(), _own_bids(tender_id)["waiting"]
        for bid_id, envelope in [(one["bid_id"], one["code"]) for one in waiting]:
            with transaction(actor(), now()) as work:
                opening_deeds.reveal_bid(work, tender_id, bid_id, envelope, recovery=recovery, **legal())
    except Refusal as refusal:
        return again(refusal, "procurement/disclose.html", **_own_bids(tender_id))
    flash(gettext("Your bid is opened. What it says is what you had sealed."), "good")
    return redirect(url_for("procurement.opening", tender_id=tender_id), code=303)


def legal() -> dict[str, Any]:
    """What deeds on bids need of this installation."""
    clock: LegalClock = legal_clock(frame().clock)
    return {"keys": ServerKeys.of(settings().secret_key), "clock": clock}


def reveal_ready(tender_id: UUID) -> None:
    """Open every envelope that has enough shares, each by itself: what is wrong with one keeps no other closed.

    Raises the first refusal once all were tried.
    """
    with reading(actor(), now()) as look:
        found = opening_queries.opening(look, tender_id)
    refused: Refusal | None = None
    for line in found.lines:
        if not line.is_closed or len(line.good) < found.needed:
            continue
        try:
            with transaction(actor(), now()) as work:
                opening_deeds.reveal_bid(work, tender_id, line.bid_id, line.envelope, **legal())
        except Refusal as refusal:
            refused = refused or refusal
    if refused is not None:
        raise refused


def shown_opening(tender_id: UUID) -> dict[str, Any]:
    """Everything that the opening's page shows."""
    with reading(actor(), now()) as look:
        found = opening_queries.opening(look, tender_id)
        notice = version(look, tender_id).document
        tenderers = {id: identity.organisation(look, id) for id in {line.tenderer_id for line in found.lines}}
        tags = confirmation_tags(look, tenderers)
        seats = opening_queries.seat_names(look, tender_id)
    schools = {lot["id"]: showing.said(lot["school"]["name"]) for lot in notice["lots"]}
    names = {id: one.name(language()) for id, one in tenderers.items()}
    lines = [
        {**shown_line(line, found, names, schools, seats), "confirmation": tags[line.tenderer_id]}
        for line in found.lines
    ]
    return {
        "found": found,
        "tender_id": tender_id,
        "title": showing.said(notice["sections"]["notice"]["title"]),
        "stage": showing.stage_tag(found.stage),
        "lines": lines,
        "members": [shown_member(seat, found) for seat in found.seats],
        "steps": [
            shown_step(act, names_of_bids(found, names), seats, found.envelopes) for act in reversed(found.steps)
        ],
        "may": _may(found),
        "can_disclose": any(id in actor().schools_as(Role.SUPPLIER) for id in tenderers) and found.reveal is not None,
    }


def names_of_bids(found: OpeningFacts, names: Mapping[UUID, str]) -> dict[UUID, str]:
    """Whose bid each is."""
    return {line.bid_id: names[line.tenderer_id] for line in found.lines}


def _may(found: OpeningFacts) -> list[tuple[str, str, str]]:
    """The steps that the actor may take now: name, words, look of the button."""
    stuck = [line for line in found.lines if line.is_closed]
    wanted = {
        "start": "start_opening" in found.deeds and now() > found.begins_at,
        "reveal": bool(OPENERS & found.deeds) and any(len(one.good) >= found.needed for one in stuck),
        "adjourn": "adjourn_opening" in found.deeds and bool(stuck) and _window_is_over(found),
        "ask": "adjourn_opening" in found.deeds and bool(stuck) and _window_is_over(found) and _adjourned(found),
        "finish": "finish_opening" in found.deeds and _may_finish(found, waits=bool(stuck)),
    }
    return [(name, gettext(BUTTONS[name][0]), BUTTONS[name][1]) for name, may in wanted.items() if may]


def _window_is_over(found: OpeningFacts) -> bool:
    return found.window is None or now() > found.window.until


def _adjourned(found: OpeningFacts) -> bool:
    return found.put_off > 0 and found.reveal is None


def _may_finish(found: OpeningFacts, *, waits: bool) -> bool:
    """That of the prices ends by itself with the last one; people end it only where bidders kept theirs."""
    return _disclosing_is_over(found) if waits else found.stage is TenderStage.OPENING


def _disclosing_is_over(found: OpeningFacts) -> bool:
    return found.reveal is not None and now() > found.reveal.until


def _own_bids(tender_id: UUID) -> dict[str, Any]:
    """The actor's own bids that wait for a key."""
    shown = shown_opening(tender_id)
    found: OpeningFacts = shown["found"]
    own = actor().schools_as(Role.SUPPLIER)
    mine = [(line, told) for line, told in zip(found.lines, shown["lines"], strict=True) if line.tenderer_id in own]
    asked = found.reveal is not None and now() <= found.reveal.until
    waiting = [told for line, told in mine if line.is_closed]
    rows = [[one["school"], one["envelope"]] for one in waiting]
    return {**shown, "waiting": waiting, "rows": rows, "asked": asked}


def _recovery() -> bytes:
    file = request.files.get("recovery")
    content = file.read(RECOVERY_MOST + 1) if file is not None else b""
    if not content or len(content) > RECOVERY_MOST:
        raise Invalid(fields={"recovery": [NO_FILE]})
    return content


def _start(tender_id: UUID) -> None:
    with transaction(actor(), now()) as work:
        opening_deeds.start_opening(work, tender_id, zone=frame().zone, **legal())


def _adjourn(tender_id: UUID, *, ask: bool = False) -> None:
    with transaction(actor(), now()) as work:
        opening_deeds.adjourn_opening(work, tender_id, zone=frame().zone, ask_bidders=ask, **legal())


def _finish(tender_id: UUID) -> None:
    with transaction(actor(), now()) as work:
        opening_deeds.finish_opening(work, tender_id, clock=legal()["clock"])


OPENERS: Final = frozenset({"give_shares", "finish_opening"})
"""Whoever may do one of these may have opened what has enough shares."""
STEPS: Final[Mapping[str, tuple[Callable[[UUID], None], str]]] = {
    "start": (_start, N_("The opening has begun.")),
    "reveal": (reveal_ready, N_("What had enough shares was opened.")),
    "adjourn": (_adjourn, N_("The opening is put off.")),
    "ask": (lambda tender_id: _adjourn(tender_id, ask=True), N_("The bidders are asked for their recovery files.")),
    "finish": (_finish, N_("The opening is finished. The protocol is made.")),
}
BUTTONS: Final = {
    "start": (N_("Begin the opening"), ""),
    "reveal": (N_("Open what has enough shares"), ""),
    "adjourn": (N_("Put the opening off"), "secondary"),
    "ask": (N_("Put it off and ask the bidders for their keys"), "warning"),
    "finish": (N_("Finish and make the protocol"), ""),
}
NO_FILE: Final = FieldProblem.of("no-recovery-file", N_("Choose the recovery file that you saved when you sealed."))
