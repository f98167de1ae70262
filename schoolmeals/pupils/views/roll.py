"""The school's pupils: the list, one pupil, adding and changing them."""

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, Refusal
from schoolmeals.files import as_csv
from schoolmeals.pupils.actions.roll import (
    change_pupil,
    enrol_pupil,
    open_class,
    pupil_leaves,
    pupil_returns,
    set_allergens,
)
from schoolmeals.pupils.facts import AllergenFact, NewPupil, PupilFacts
from schoolmeals.pupils.listed import dropped_guardians, listed_guardians
from schoolmeals.pupils.queries import (
    cards_of,
    classes_of_school,
    guardians_of,
    may_keep_roll,
    pupil,
    pupils_of_school,
)
from schoolmeals.pupils.roster_values import day_of
from schoolmeals.pupils.rules import OTHER, RELATIONS, cleaned
from schoolmeals.pupils.simple_roster import HEADERS
from schoolmeals.pupils.views.frame import (
    BLOCK_NAMES,
    KIND_NAMES,
    LISTED_NAMES,
    OFFICE,
    READERS,
    RELATION_NAMES,
    SEVERITY_NAMES,
    again,
    allergen_choices,
    allergen_name,
    done,
    download,
    form,
    pages,
    school_facts,
    see,
    today,
    words,
)
from schoolmeals.web import actor, guard, language, now, render, settings

FIELDS = ("surname", "given_name", "patronymic", "birth_date", "class_name", "diet_note")
assert set(RELATION_NAMES) == set(RELATIONS)


@pages.get("/pupils")
@guard(OFFICE)
def start() -> Any:
    """The schools whose pupils the actor looks after; straight to them where there is one."""
    with reading(actor(), now()) as look:
        found = identity.schools(look)
    if len(found) == 1:
        return see("pupils.pupils", school_id=found[0].id)
    return render("pupils/schools.html", schools=[(one.id, one.name(language())) for one in found])


@pages.get("/school/<uuid:school_id>/pupils")
@guard(READERS)
def pupils(school_id: UUID) -> Any:
    """The roll, by class and name, to be searched and filtered."""
    asked = {name: request.args.get(name, "") for name in ("class_id", "search", "show")}
    with reading(actor(), now()) as look:
        found = pupils_of_school(
            look,
            school_id,
            class_id=_uuid(asked["class_id"]),
            search=asked["search"],
            without_card=asked["show"] == "without-card",
            left=asked["show"] == "left",
            page=request.args.get("page", 1, int),
        )
        may_keep = may_keep_roll(look, school_id)
        context = {
            "found": found,
            "dropped": dropped_guardians(look, school_id) if may_keep else [],
            "class_options": [(one.id, one.name) for one in classes_of_school(look, school_id)],
            "may_keep": may_keep,
            **school_facts(look, school_id),
        }
    return render("pupils/pupils.html", asked=asked, allergen_name=allergen_name, **context)


@pages.get("/school/<uuid:school_id>/pupils.csv")
@guard(OFFICE)
def pupils_as_csv(school_id: UUID) -> Any:
    """The roll as the template has it, so that it can be changed and imported again."""
    rows = [HEADERS[language()]]
    with reading(actor(), now()) as look:
        page, more = 1, True
        while more:
            found = pupils_of_school(look, school_id, page=page, per_page=200)
            rows += [_as_row(one) for one in found.pupils]
            page, more = page + 1, page * 200 < found.total
    return download(as_csv(rows), f"pupils-{today()}.csv", "text/csv")


def _as_row(one: PupilFacts) -> tuple[str, ...]:
    born = one.birth_date.isoformat() if one.birth_date else ""
    return (one.sourced_id, one.surname, one.given_name, one.patronymic, born, one.class_name)


@pages.get("/school/<uuid:school_id>/pupils/<uuid:pupil_id>")
@guard(READERS)
def pupil_page(school_id: UUID, pupil_id: UUID) -> Any:
    """Everything that the school knows of one pupil."""
    return render("pupils/pupil.html", errors={}, typed={}, **about(school_id, pupil_id))


def about(school_id: UUID, pupil_id: UUID) -> dict[str, Any]:
    """What the pupil's page shows."""
    with reading(actor(), now()) as look:
        one = pupil(look, school_id, pupil_id)
        guardians = guardians_of(look, school_id, [pupil_id])[pupil_id]
        people = identity.people(look, [guardian.person_id for guardian in guardians])
        may_keep = may_keep_roll(look, school_id)
        listed = listed_guardians(look, school_id, [pupil_id])[pupil_id] if may_keep else []
        dropped = dropped_guardians(look, school_id, pupil_id) if may_keep else []
        return {
            "pupil": one,
            "allergens": [(allergen_name(a.code), str(SEVERITY_NAMES[a.severity]), a.severity) for a in one.allergens],
            "cards": [shown_card(card) for card in cards_of(look, school_id, pupil_id)],
            "guardians": [
                {"person": people[g.person_id], "relation": str(RELATION_NAMES[g.relation]), "since": g.since}
                for g in guardians
                if g.person_id in people
            ],
            "dropped": {one.person_id: one for one in dropped},
            "listed": [{"who": who, "relation": str(LISTED_NAMES[who.relation])} for who in listed],
            "sends_letters": settings().sends_letters,
            "may_keep": may_keep,
            **school_facts(look, school_id),
        }


def shown_card(card: Any) -> dict[str, Any]:
    """A card with its words."""
    return {
        "card": card,
        "kind": str(KIND_NAMES[card.kind]),
        "reason": str(BLOCK_NAMES[card.block_reason]) if card.block_reason else "",
    }


@pages.get("/school/<uuid:school_id>/pupils/new")
@guard(OFFICE)
def new_pupil(school_id: UUID) -> Any:
    """The form for one more pupil."""
    return render("pupils/pupil_form.html", errors={}, typed={}, pupil=None, **_around_form(school_id))


@pages.post("/school/<uuid:school_id>/pupils/new")
@guard(OFFICE)
def add_pupil(school_id: UUID) -> Any:
    """Put one pupil on the roll."""
    typed = form(*FIELDS)
    try:
        with transaction(actor(), now()) as work:
            pupil_id = enrol_pupil(work, school_id, _new(typed, open_class(work, school_id, typed["class_name"])))
    except Invalid as refusal:
        return again("pupils/pupil_form.html", refusal, typed=typed, pupil=None, **_around_form(school_id))
    return done(gettext("The pupil is on the roll."), "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.get("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/edit")
@guard(OFFICE)
def edit_pupil(school_id: UUID, pupil_id: UUID) -> Any:
    """The form with what is known."""
    with reading(actor(), now()) as look:
        one = pupil(look, school_id, pupil_id)
    typed = {name: getattr(one, name) for name in FIELDS}
    return render("pupils/pupil_form.html", errors={}, typed=typed, pupil=one, **_around_form(school_id))


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/edit")
@guard(OFFICE)
def save_pupil(school_id: UUID, pupil_id: UUID) -> Any:
    """Change what is known of a pupil."""
    typed = form(*FIELDS)
    try:
        with transaction(actor(), now()) as work:
            change_pupil(work, school_id, pupil_id, _new(typed, open_class(work, school_id, typed["class_name"])))
    except Invalid as refusal:
        with reading(actor(), now()) as look:
            one = pupil(look, school_id, pupil_id)
        return again("pupils/pupil_form.html", refusal, typed=typed, pupil=one, **_around_form(school_id))
    return done(gettext("Saved."), "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/leave")
@guard(OFFICE)
def leave(school_id: UUID, pupil_id: UUID) -> Any:
    """Mark a pupil as left."""
    with transaction(actor(), now()) as work:
        pupil_leaves(work, school_id, pupil_id, on=today())
    sentence = gettext("The pupil is marked as left. Their cards no longer open, their money stays.")
    return done(sentence, "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/return")
@guard(OFFICE)
def come_back(school_id: UUID, pupil_id: UUID) -> Any:
    """Put a pupil who left back on the roll."""
    with transaction(actor(), now()) as work:
        pupil_returns(work, school_id, pupil_id)
    sentence = gettext("The pupil is back on the roll. Give them a new card.")
    return done(sentence, "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.get("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/allergens")
@guard(OFFICE)
def allergens(school_id: UUID, pupil_id: UUID) -> Any:
    """The form for what a pupil must not eat."""
    with reading(actor(), now()) as look:
        one = pupil(look, school_id, pupil_id)
    typed = {a.code: a.severity for a in one.allergens if not a.code.startswith(OTHER)}
    other = next((a for a in one.allergens if a.code.startswith(OTHER)), None)
    typed |= {"other": other.code.removeprefix(OTHER), "other_severity": other.severity} if other else {}
    return render("pupils/allergens.html", errors={}, typed=typed, pupil=one, **_around_allergens(school_id))


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/allergens")
@guard(OFFICE)
def save_allergens(school_id: UUID, pupil_id: UUID) -> Any:
    """Keep what a pupil must not eat."""
    typed = form(*(code for code, _ in allergen_choices()), "other", "other_severity")
    facts = [AllergenFact(code, typed[code]) for code, _ in allergen_choices() if typed[code]]
    if other := cleaned(typed["other"]):
        facts.append(AllergenFact(OTHER + other, typed["other_severity"] or "wish"))
    try:
        with transaction(actor(), now()) as work:
            set_allergens(work, school_id, pupil_id, facts)
    except Invalid as refusal:
        with reading(actor(), now()) as look:
            one = pupil(look, school_id, pupil_id)
        return again("pupils/allergens.html", refusal, typed=typed, pupil=one, **_around_allergens(school_id))
    return done(gettext("Saved."), "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


def refused_on_pupil(refusal: Refusal, school_id: UUID, pupil_id: UUID, **typed: str) -> Any:
    """The pupil's page once more, with what is wrong on top."""
    return again("pupils/pupil.html", refusal, typed=typed, **about(school_id, pupil_id))


def _around_allergens(school_id: UUID) -> dict[str, Any]:
    return {"choices": allergen_choices(), "severities": words(SEVERITY_NAMES), "school_id": school_id}


def _around_form(school_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        return {"classes": classes_of_school(look, school_id), **school_facts(look, school_id)}


def _new(typed: dict[str, str], class_id: UUID) -> NewPupil:
    """The form as a pupil. Raises Invalid with the field birth_date."""
    birth_date = day_of(cleaned(typed["birth_date"])) if typed["birth_date"].strip() else None
    if typed["birth_date"].strip() and birth_date is None:
        sentence = N_("This is not a date. Write it as 2015-05-31 or 31.05.2015.")
        raise Invalid(fields={"birth_date": [FieldProblem.of("bad-date", sentence)]})
    return NewPupil(
        surname=typed["surname"],
        given_name=typed["given_name"],
        patronymic=typed["patronymic"],
        birth_date=birth_date,
        class_id=class_id,
        diet_note=typed["diet_note"],
        joined_on=today(),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
