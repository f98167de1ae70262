"""The officers' page of a tender's commission: announcing the draw, drawing by the public seed, the secretary."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.clock import in_utc
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import commission as commission_deeds
from schoolmeals.procurement.actions import draws
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.commission import DrawRecord
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.draw import MOST_DECIMALS, SeedPlan, has_seed_form, seed_example
from schoolmeals.procurement.rules.permissions import DRAWING, Party
from schoolmeals.procurement.rules.quorum import SeatFacts, too_few_left, vacancies
from schoolmeals.procurement.rules.stages import UNPUBLISHED
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.words import CONSTITUENCY_NAMES, PART_NAMES
from schoolmeals.verdicts import Refused
from schoolmeals.web import actor, frame, guard, now, render

_NO_SEAT: Final = FieldProblem.of("no-seat", N_("Choose a member."))
_NO_MOMENT: Final = FieldProblem.of("not-a-moment", N_("Choose a day and a time to come."))


@pages.get("/procurement/tenders/<uuid:draft_id>/commission")
@guard(READERS)
def draft_commission(draft_id: UUID) -> Any:
    """Who is in the commission, what it lacks, and the draw."""
    return render("procurement/commission.html", **_commission(draft_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/commission/<step>")
@guard(WRITERS)
def form_commission(draft_id: UUID, step: str) -> Any:
    """Announce the draw, draw, or take the secretary's place."""
    if step not in STEPS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            STEPS[step](work, draft_id)
    except Refusal as refusal:
        return again(refusal, "procurement/commission.html", **(_commission(draft_id) | {"typed": request.form}))
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.draft_commission", draft_id=draft_id), code=303)


def _announce(work: Work, draft_id: UUID) -> None:
    # Whose draft it is comes first: what was typed into a stranger's form is nobody's business.
    tender_queries.task_list(work, draft_id)
    typed = request.form.get("seed_decimals", "")
    seed = SeedPlan(
        source=request.form.get("seed_source", ""),
        not_before=_moment(),
        numbers=tuple(request.form.get("seed_numbers", "").split(",")),
        decimals=int(typed) if len(typed) == 1 and typed in "0123456789" else -1,
    )
    draws.announce_draw(work, draft_id, seed, reason=request.form.get("reason", ""))


def _draw(work: Work, draft_id: UUID) -> None:
    draws.draw_members(work, draft_id, request.form.get("seed", ""))


def _keep_minutes(work: Work, draft_id: UUID) -> None:
    who = actor().id
    assert who is not None, "only people pass this door"
    commission_deeds.appoint_secretary(work, draft_id, who)


def _take_out(work: Work, draft_id: UUID) -> None:
    """Take a member out, by the city's administrator; the next alternate is called by itself."""
    tender_queries.task_list(work, draft_id)
    try:
        seat_id = UUID(request.form.get("seat_id", ""))
    except ValueError as error:
        raise Invalid(fields={"seat_id": [_NO_SEAT]}) from error
    commission_deeds.recuse(work, draft_id, seat_id, request.form.get("reason", ""))


STEPS: Final[Mapping[str, Callable[[Work, UUID], None]]] = {
    "announce": _announce,
    "draw": _draw,
    "secretary": _keep_minutes,
    "take-out": _take_out,
}


def _moment() -> datetime:
    """The day and local time that were typed. Raises Invalid."""
    try:
        typed = datetime.fromisoformat(f"{request.form.get('day', '')}T{request.form.get('time', '')}")
        return in_utc(typed.replace(tzinfo=frame().zone))
    except (ValueError, OverflowError) as error:
        raise Invalid(fields={"day": [_NO_MOMENT]}) from error


def _commission(draft_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        tender_queries.task_list(work, draft_id)
        view = tender_queries.tender(work, draft_id)
        found = commission_queries.commission(work, draft_id)
        acts = tender_queries.acts(work, draft_id)
        announced = next((one.id for one in reversed(acts) if one.kind is ActKind.DRAW_ANNOUNCED), None)
        record = commission_queries.draw_record(work, announced) if announced is not None else None
    is_short = view.line.stage in DRAWING and too_few_left(found.seats, view.profile) is None
    return {
        "view": view,
        "draft_id": draft_id,
        "title": showing.said(view.line.title),
        "seats": [_seat(one) for one in found.seats],
        # Keys are told of once there is a commission that could have them.
        "lack": _sentence(found.refused or found.keys_refused),
        "vacant": len(vacancies(found.seats)),
        "alternates": sum(_may_be_called(one) for one in found.seats),
        "standing": [(one.id, one.name) for one in found.seats if one.stands and one.pool_member_id is not None],
        "may_take_out": Party.CITY_ADMIN in view.parties and "recuse" in view.deeds,
        "record": record,
        "not_before": showing.when(datetime.fromisoformat(record.announcement["seed_not_before"])) if record else "",
        "seed_form": _seed_form(record.announcement) if record else None,
        "decimals": [(str(one), str(one)) for one in range(MOST_DECIMALS + 1)],
        "too_few": is_short,
        "may_announce": "announce_draw" in view.deeds
        and not _waits(record)
        and (view.line.stage in UNPUBLISHED or is_short),
        "may_draw": "draw_members" in view.deeds and _waits(record),
        "may_keep": Party.OFFICER in view.parties
        and "appoint_secretary" in view.deeds
        and not any(one.part == "secretary" and one.stands for one in found.seats),
        "typed": {},
    }


def _waits(record: DrawRecord | None) -> bool:
    """A draw is announced, and waits for its seed. One without a form of its seed waits for nothing."""
    return record is not None and record.drawn_at is None and has_seed_form(record.announcement)


def _seed_form(announcement: Mapping[str, Any]) -> dict[str, Any] | None:
    """How the seed is written; None where the announcement is from before it said so."""
    if not has_seed_form(announcement):
        return None
    names, decimals = announcement["seed_numbers"], announcement["seed_decimals"]
    return {"names": ", ".join(names), "decimals": decimals, "example": seed_example(len(names), decimals)}


def _may_be_called(seat: SeatFacts) -> bool:
    """An alternate who has accepted and was not called yet."""
    return seat.part == "alternate" and seat.stands and seat.accepted_at is not None and seat.seated_at is None


def _seat(seat: SeatFacts) -> list[str]:
    state = N_("Waiting for an answer")
    if not seat.stands:
        state = N_("Left")
    elif seat.accepted_at is not None:
        state = N_("Accepted") if seat.key_public is None else N_("Accepted, with a key")
    constituency = gettext(CONSTITUENCY_NAMES[seat.constituency]) if seat.constituency else ""
    return [seat.name, gettext(PART_NAMES[seat.part]), constituency, gettext(state)]


def _sentence(refused: Refused | None) -> str:
    return str(gettext(refused.sentence) % refused.facts) if refused is not None else ""
