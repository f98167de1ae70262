"""Pages of the school's cash desk: take cash, print the receipt, take a mistake back on the same day."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity, pupils
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.wallet.actions import reverse_cash, take_cash
from schoolmeals.wallet.blueprint import pages, told
from schoolmeals.wallet.checkouts import cash_bounds
from schoolmeals.wallet.queries import top_up_of, top_ups_of_school_day
from schoolmeals.wallet.rules import TopUpFacts, TopUpStage
from schoolmeals.wallet.schemas import Period, period_of, read_amount, read_id, read_reason
from schoolmeals.web import actor, frame, guard, language, now, render, roles, settings
from schoolmeals.web.problems import status_of
from schoolmeals.workdays import local_day

OFFICE = roles(Role.SCHOOL_OFFICE)
FOUND_AT_MOST = 20


@pages.get("/cash-desk")
@guard(OFFICE)
def my_cash_desk() -> Any:
    """The desk of the one school that the actor works in, or a choice of schools."""
    with reading(actor(), now()) as look:
        mine = actor().schools_as(Role.SCHOOL_OFFICE)
        schools = [school for school in identity.schools(look) if school.id in mine]
    if len(schools) == 1:
        return redirect(url_for("wallet.cash_desk", school_id=schools[0].id), code=303)
    return render("wallet/cash_desks.html", schools=schools, language=language())


@pages.get("/school/<uuid:school_id>/cash-desk")
@guard(OFFICE)
def cash_desk(school_id: UUID) -> Any:
    """Find a pupil, take cash; below, what was taken today."""
    return _desk_page(school_id, new_id(now()))


@pages.post("/school/<uuid:school_id>/cash-desk")
@guard(OFFICE)
def take_cash_in(school_id: UUID) -> Any:
    """Take the cash. The form's own id makes a double click one receipt."""
    top_up_id, pupil_id = read_id(request.form, "id"), read_id(request.form, "pupil")
    try:
        amount_minor = read_amount(request.form.get("amount"), settings().currency, "amount")
        with transaction(actor(), now()) as work:
            take_cash(work, school_id, pupil_id, top_up_id=top_up_id, amount_minor=amount_minor, bounds=cash_bounds())
    except Invalid as refusal:
        return _desk_page(school_id, top_up_id, pupil_id, refusal)
    return redirect(url_for("wallet.receipt", school_id=school_id, receipt_id=top_up_id), code=303)


@pages.get("/school/<uuid:school_id>/cash-desk/<uuid:receipt_id>")
@guard(OFFICE)
def receipt(school_id: UUID, receipt_id: UUID) -> Any:
    """The receipt, to be printed."""
    return _receipt_page(school_id, receipt_id, new_id(now()))


@pages.post("/school/<uuid:school_id>/cash-desk/<uuid:receipt_id>/reversal")
@guard(OFFICE)
def take_back(school_id: UUID, receipt_id: UUID) -> Any:
    """Take a mistaken cash top-up back."""
    reversal_id = read_id(request.form, "id")
    today = _today()
    try:
        reason = read_reason(request.form)
        with transaction(actor(), now()) as work:
            reverse_cash(
                work,
                school_id,
                receipt_id,
                reversal_id=reversal_id,
                reason=reason,
                day_start=today.since,
                day_end=today.until,
            )
    except (Invalid, Conflict, NotNow) as refusal:
        return _receipt_page(school_id, receipt_id, reversal_id, refusal)
    flash(gettext("The cash top-up has been taken back. Give the money back to the payer."), "good")
    return redirect(url_for("wallet.receipt", school_id=school_id, receipt_id=receipt_id), code=303)


def _desk_page(school_id: UUID, top_up_id: UUID, chosen_id: UUID | None = None, refusal: Refusal | None = None) -> Any:
    search = request.args.get("search", "").strip()[:80]
    chosen_id = chosen_id or request.args.get("pupil", type=UUID)
    today = _today()
    with reading(actor(), now()) as look:
        identity.require_role_in(look, school_id, Role.SCHOOL_OFFICE)
        school = identity.organisation(look, school_id)
        found = pupils.pupils_of_school(look, school_id, search=search, per_page=FOUND_AT_MOST).pupils if search else ()
        chosen = pupils.pupil(look, school_id, chosen_id) if chosen_id else None
        taken = top_ups_of_school_day(look, school_id, today.since, today.until, method="cash-desk")
        names = _names(look, school_id, taken)
    page = render(
        "wallet/cash_desk.html",
        school=school,
        language=language(),
        search=search,
        found=found,
        found_at_most=FOUND_AT_MOST,
        chosen=chosen,
        top_up_id=top_up_id,
        typed=request.form,
        taken=taken,
        names=names,
        total_minor=sum(one.amount_minor for one in taken if one.stage is TopUpStage.SETTLED),
        currency=settings().currency,
        as_of=now(),
        **told(refusal),
    )
    return page, status_of(refusal) if refusal else 200


def _receipt_page(school_id: UUID, top_up_id: UUID, reversal_id: UUID, refusal: Refusal | None = None) -> Any:
    today = _today()
    with reading(actor(), now()) as look:
        identity.require_role_in(look, school_id, Role.SCHOOL_OFFICE)
        found = top_up_of(look, school_id, top_up_id)
        if found.receipt_no is None:
            raise NotFound
        school = identity.organisation(look, school_id)
        child = pupils.pupil(look, school_id, found.pupil_id)
        taker = identity.people(look, [found.intended_by]).get(found.intended_by) if found.intended_by else None
    assert found.settled_at is not None, "cash is settled at once"
    page = render(
        "wallet/receipt.html",
        top_up=found,
        school=school,
        language=language(),
        child=child,
        taker=taker,
        reversal_id=reversal_id,
        may_be_taken_back=found.stage is TopUpStage.SETTLED and today.since <= found.settled_at < today.until,
        typed=request.form,
        **told(refusal),
    )
    return page, status_of(refusal) if refusal else 200


def _names(look: Work, school_id: UUID, taken: list[TopUpFacts]) -> dict[UUID, str]:
    ids = [one.pupil_id for one in taken]
    known = pupils.till_facts(look, school_id, number_hashes=[], pupil_ids=ids).pupils
    return {pupil_id: facts.name for pupil_id, facts in known.items()}


def _today() -> Period:
    day = local_day(now(), frame().zone)
    return period_of(day, day, frame().zone)
