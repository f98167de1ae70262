"""The pool from which commissions are drawn, and the register of tenure with its limits and published exceptions."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from babel.dates import format_date
from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement import profiles, showing
from schoolmeals.procurement.access import parties_in
from schoolmeals.procurement.actions import draws, tenure
from schoolmeals.procurement.actions.draws import CONSTITUENCIES, NewPoolMember
from schoolmeals.procurement.actions.tenure import NewTenure
from schoolmeals.procurement.profiles import OFFICES, Profile
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenures as tenure_queries
from schoolmeals.procurement.rules.permissions import DEEDS
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.words import CONSTITUENCY_NAMES
from schoolmeals.web import PUBLIC_POLICY, actor, guard, language, now, render

PROFILE: Final = "kz-catering-points"
"""The procedure whose limits the register is shown with; both that ship have the same."""
OFFICE_NAMES: Final = {
    "commission-member": N_("Member of a commission"),
    "commission-chair": N_("Chair of a commission"),
    "school-head": N_("Head of a school"),
}


@pages.get("/procurement/pool")
@guard(READERS)
def pool() -> Any:
    """Who can be drawn, and whether they are enough of each constituency."""
    return render("procurement/pool.html", **_pool())


@pages.post("/procurement/pool")
@guard(WRITERS)
def add_to_pool() -> Any:
    """Enter somebody who has an account as a commission member."""
    try:
        with transaction(actor(), now()) as work:
            draws.add_pool_member(work, _organiser(work), _typed_member())
    except Refusal as refusal:
        return again(refusal, "procurement/pool.html", **(_pool() | {"typed": request.form}))
    flash(gettext("The person is in the pool."), "good")
    return redirect(url_for("procurement.pool"), code=303)


@pages.post("/procurement/pool/<uuid:pool_member_id>/remove")
@guard(WRITERS)
def remove_from_pool(pool_member_id: UUID) -> Any:
    """Take somebody out; a seat that they hold stays theirs."""
    with transaction(actor(), now()) as work:
        # Whoever may not see the pool's papers does not learn who is in it.
        commission_queries.pool_member(work, pool_member_id)
        draws.remove_pool_member(work, pool_member_id)
    flash(gettext("The person is out of the pool. Seats that they hold stay."), "good")
    return redirect(url_for("procurement.pool"), code=303)


@pages.get("/rotation")
@guard(PUBLIC_POLICY)
def rotation() -> Any:
    """The register of tenure: who has held which office, who is over a limit, and the published exceptions."""
    return render("procurement/rotation.html", **_rotation())


@pages.post("/rotation/<rotation_step>")
@guard(WRITERS)
def keep_rotation(rotation_step: str) -> Any:
    """Note a time in office, end one, or publish an exception."""
    if rotation_step not in STEPS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            STEPS[rotation_step](work, _place(work))
    except Refusal as refusal:
        return again(refusal, "procurement/rotation.html", **(_rotation() | {"typed": request.form}))
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.rotation", organisation=request.form.get("organisation", "")), code=303)


def _organiser(work: Work) -> UUID:
    """The organisation whose pool it is: the actor's own, else the city's. Raises NotFound."""
    own = sorted(actor().schools_as(Role.PROCUREMENT_OFFICER), key=str)
    cities = [one.id for one in identity.organisations(work, ["city"])]
    for found in [*own, *cities]:
        return found
    raise NotFound


def _typed_member() -> NewPoolMember:
    form = request.form
    names = ("surname", "given_name", "patronymic", "constituency", "address", "phone", "employer")
    typed = {name: form.get(name, "")[:200] for name in (*names, "employer_identifier")}
    founded = tuple(form.get("founder_of", "").replace(",", " ").split())
    return NewPoolMember(person_id=_chosen("person_id"), founder_of=founded[:20], **typed)


def _chosen(name: str) -> UUID:
    """The person, or the row, that was chosen in a list. Raises Invalid."""
    try:
        return UUID(request.form.get(name, ""))
    except ValueError as error:
        raise Invalid(fields={name: [NOT_CHOSEN]}) from error


def _pool() -> dict[str, Any]:
    profile = profiles.load(PROFILE)
    with reading(actor(), now()) as look:
        organiser = _organiser(look)
        lines = commission_queries.pool_rows(look, organiser)
        people = identity.people_in(look, organiser, Role.COMMISSION_MEMBER)
        tired = tenure_queries.over_limits(
            look, organiser, "commission-member", profile, [one.person_id for one in lines]
        )
        name = identity.organisation(look, organiser).name(language())
        may = not parties_in(look, organiser).isdisjoint(DEEDS["add_pool_member"].parties)
    there = Counter(one.constituency for one in lines)
    taken = {one.person_id for one in lines}
    return {
        "organiser": name,
        "may_change": may,
        "counts": [_count(code, there[code], profile) for code in CONSTITUENCIES],
        "members": [
            {
                "id": one.id,
                "name": commission_queries.full_name(one),
                "constituency": gettext(CONSTITUENCY_NAMES[one.constituency]),
                "tired": _sentence(tired[one.person_id]) if one.person_id in tired else "",
            }
            for one in lines
        ],
        "people": [(one.id, f"{one.name} ({one.email or one.phone or '-'})") for one in people if one.id not in taken],
        "constituencies": [(code, gettext(CONSTITUENCY_NAMES[code])) for code in CONSTITUENCIES],
        "typed": {},
    }


def _count(constituency: str, there: int, profile: Profile) -> list[str]:
    """How many there are of a constituency, and how many a draw takes at least."""
    wanted = sum(one.count for one in (*profile.seats, *profile.alternate_seats) if one.constituency == constituency)
    state = gettext("Enough") if there >= wanted else gettext("%(count)s missing", count=wanted - there)
    return [gettext(CONSTITUENCY_NAMES[constituency]), str(there), str(wanted), state if wanted else "-"]


def _place(work: Work) -> UUID:
    """The organisation whose register is looked at: a school's for its head, the organiser's for commissions."""
    asked = request.values.get("organisation", "")
    for one in identity.organisations(work, ["city", "school"]):
        if str(one.id) == asked:
            return one.id
    return _organiser(work)


def _rotation() -> dict[str, Any]:
    profile = profiles.load(PROFILE)
    with reading(actor(), now()) as look:
        places = identity.organisations(look, ["city", "school"])
        place = _place(look) if places else None
        lines = tenure_queries.tenures(look, place) if place else []
        exceptions = tenure_queries.tenure_exceptions(look, place) if place else []
        over = _over(look, place, profile, {one.person_id for one in lines}) if place else {}
        parties = parties_in(look, place)
        people = identity.people_in(look, place) if place and not parties.isdisjoint(_KEEPERS) else []
    names = {one.person_id: one.person_name for one in lines}
    return {
        "place": place,
        "places": [(one.id, one.name(language())) for one in places],
        "lines": [[one.person_name, gettext(OFFICE_NAMES[one.office]), _span(one), one.source] for one in lines],
        "standing": [
            (one.id, f"{one.person_name}, {gettext(OFFICE_NAMES[one.office])}") for one in lines if not one.ended_on
        ],
        "over": [
            [names[id], gettext(OFFICE_NAMES[office]), _sentence(why)]
            for office, found in over.items()
            for id, why in found.items()
        ],
        "exceptions": [
            [one.person_name, gettext(OFFICE_NAMES[one.office]), _shown_day(one.until), showing.said(one.reason)]
            for one in exceptions
        ],
        "limits": [_limit(office, profile) for office in OFFICES],
        "offices": [(code, gettext(OFFICE_NAMES[code])) for code in OFFICES],
        "people": [(one.id, one.name) for one in people],
        "may_note": not parties.isdisjoint(DEEDS["note_tenure"].parties),
        "may_except": not parties.isdisjoint(DEEDS["publish_tenure_exception"].parties),
        "typed": {},
    }


def _over(look: Work, place: UUID, profile: Profile, people: set[UUID]) -> dict[str, dict[UUID, Any]]:
    """Who could not be appointed to each office today."""
    return {office: tenure_queries.over_limits(look, place, office, profile, people) for office in OFFICES}


def _limit(office: str, profile: Profile) -> tuple[str, str, str, bool]:
    """An office's limit as the tables of law show numbers."""
    limit = profile.tenure_limit(office)
    within = gettext("%(most)s within %(within)s") % {
        "most": showing.shown_number(limit.most),
        "within": showing.shown_number(limit.within),
    }
    return gettext(OFFICE_NAMES[office]), within, showing.said(limit.most.legal_ref), limit.most.verified


def _span(one: tenure_queries.TenureFacts) -> str:
    return f"{_shown_day(one.started_on)} – {_shown_day(one.ended_on) if one.ended_on else gettext('now')}"


def _shown_day(value: date) -> str:
    return format_date(value, "d MMMM y", locale=language())


def _sentence(refused: Any) -> str:
    return str(gettext(refused.sentence) % refused.facts)


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError as error:
        raise Invalid(fields={name: [NO_DAY]}) from error


def _note(work: Work, place: UUID) -> None:
    form = request.form
    new = NewTenure(
        office=form.get("office", ""),
        organisation_id=place,
        person_id=_chosen("person_id"),
        started_on=_day("started_on"),
        ended_on=_day("ended_on") if form.get("ended_on") else None,
        source=form.get("source", "")[:200],
    )
    tenure.note_tenure(work, new, profiles.load(PROFILE))


def _end(work: Work, _place: UUID) -> None:
    tenure.end_tenure(work, _chosen("tenure_id"), _day("last_day"))


def _except(work: Work, place: UUID) -> None:
    form = request.form
    reason = {code: form.get(f"reason.{code}", "").strip()[:2000] for code in ("kk", "ru", "en")}
    tenure.publish_tenure_exception(
        work,
        office=form.get("exception_office", ""),
        organisation_id=place,
        person_id=_chosen("exception_person_id"),
        reason={code: text for code, text in reason.items() if text},
        until=_day("until"),
    )


STEPS: Final[Mapping[str, Callable[[Work, UUID], None]]] = {"note": _note, "end": _end, "except": _except}
_KEEPERS: Final = DEEDS["note_tenure"].parties
NOT_CHOSEN: Final = FieldProblem.of("not-chosen", N_("Choose somebody from the list."))
NO_DAY: Final = FieldProblem.of("no-day", N_("Choose a day."))
