"""Pages of what schools decide about money: how far a pupil may eat before the family pays."""

from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Conflict, Invalid, Refusal
from schoolmeals.wallet.access import OFFICE
from schoolmeals.wallet.actions import set_grace_limit
from schoolmeals.wallet.blueprint import pages, told
from schoolmeals.wallet.queries import grace_of_school, policies_of, policy_of
from schoolmeals.wallet.schemas import read_amount
from schoolmeals.web import actor, guard, language, now, render, roles, settings
from schoolmeals.web.problems import status_of

READERS: Final = roles(*OFFICE)
CITY: Final = roles(Role.CITY_ADMIN)


@pages.get("/money-rules")
@guard(READERS)
def money_rules() -> Any:
    """The schools that the actor reaches, each with its limit."""
    with reading(actor(), now()) as look:
        schools = identity.schools(look)
        policies = policies_of(look, [school.id for school in schools])
    return render("wallet/money_rules.html", schools=schools, policies=policies, language=language())


@pages.get("/school/<uuid:school_id>/money-rules")
@guard(READERS)
def school_money_rules(school_id: UUID) -> Any:
    """A school's limit, and how much of it is used. The office looks, the city sets."""
    return _page(school_id)


@pages.post("/school/<uuid:school_id>/money-rules")
@guard(CITY)
def keep_grace_limit(school_id: UUID) -> Any:
    """Set the limit for every pupil of the school."""
    typed = request.form.get("limit", "").strip()
    try:
        limit_minor = read_amount(typed, settings().currency, "limit")
        with transaction(actor(), now()) as work:
            set_grace_limit(work, school_id, limit_minor, currency=settings().currency)
    except (Invalid, Conflict) as refusal:
        return _page(school_id, refusal, typed)
    flash(gettext("The limit is saved. It counts from the next meal."), "good")
    return redirect(url_for("wallet.school_money_rules", school_id=school_id), code=303)


def _page(school_id: UUID, refusal: Refusal | None = None, typed: str | None = None) -> Any:
    with reading(actor(), now()) as look:
        identity.require_role_in(look, school_id, *OFFICE)
        context = {
            "school": identity.organisation(look, school_id),
            "policy": policy_of(look, school_id),
            "use": grace_of_school(look, school_id),
        }
    page = render(
        "wallet/school_money_rules.html",
        language=language(),
        may_set=actor().has_role(Role.CITY_ADMIN),
        typed=typed,
        as_of=now(),
        **told(refusal),
        **context,
    )
    return page, status_of(refusal) if refusal else 200
