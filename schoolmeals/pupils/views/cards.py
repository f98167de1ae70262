"""Cards: enrolled at a reader, printed ten to a page, blocked by one tap."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound
from schoolmeals.files import PaperOrder, file_key, order_paper, to_paper
from schoolmeals.keys import keyed_hash
from schoolmeals.pupils.actions.cards import block_card, end_card, issue_card, unblock_card
from schoolmeals.pupils.facts import PupilFacts
from schoolmeals.pupils.jobs import PRINT_CARDS
from schoolmeals.pupils.listed import classes_to_write_to
from schoolmeals.pupils.papers import CARDS_A_PAGE, PUPILS_AT_ONCE, Paper
from schoolmeals.pupils.queries import (
    cards_of,
    classes_of_school,
    may_keep_roll,
    pupil,
    pupils_of_school,
    require_guardian,
)
from schoolmeals.pupils.rules import (
    QR_CHARACTERS,
    QR_PREFIX,
    card_number,
    enrollable,
    in_crockford,
)
from schoolmeals.pupils.views.frame import OFFICE, card_key, done, form, pages, school_facts, today
from schoolmeals.pupils.views.roll import refused_on_pupil, shown_card
from schoolmeals.web import Policy, actor, guard, now, render, settings

PARENTS_AND_OFFICE = Policy(
    "roles:city-admin|parent|school-office",
    lambda who: (
        who.kind is ActorKind.PERSON
        and any(grant.role in (Role.PARENT, Role.SCHOOL_OFFICE, Role.CITY_ADMIN) for grant in who.grants)
    ),
)


@pages.get("/school/<uuid:school_id>/cards")
@guard(OFFICE)
def cards(school_id: UUID) -> Any:
    """Print cards and claim codes, by class; who has no card yet."""
    with reading(actor(), now()) as look:
        without = pupils_of_school(look, school_id, without_card=True)
        context = {
            "classes": [one for one in classes_of_school(look, school_id) if one.pupils],
            "without": without,
            "writes_to": classes_to_write_to(look, school_id) if settings().sends_letters else set(),
            **school_facts(look, school_id),
        }
    return render("pupils/cards.html", errors={}, **context)


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/cards")
@guard(OFFICE)
def enrol_card(school_id: UUID, pupil_id: UUID) -> Any:
    """Let the card that was held to the reader open the pupil's purse."""
    typed = form("number")
    try:
        number = enrollable(card_number(typed["number"]))
        with transaction(actor(), now()) as work:
            issue_card(
                work,
                school_id,
                pupil_id,
                number_hash=keyed_hash(card_key(), number.text),
                kind=number.kind,
                label=number.label,
            )
    except (Invalid, Conflict) as refusal:
        return refused_on_pupil(refusal, school_id, pupil_id)
    return done(gettext("The card opens now."), "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.post("/school/<uuid:school_id>/cards/<uuid:card_id>/block")
@guard(OFFICE)
def block(school_id: UUID, card_id: UUID) -> Any:
    """Stop a card."""
    return _on_card(school_id, card_id, block_card, gettext("The card is blocked."), "lost")


@pages.post("/school/<uuid:school_id>/cards/<uuid:card_id>/unblock")
@guard(OFFICE)
def unblock(school_id: UUID, card_id: UUID) -> Any:
    """Let a card that was found open again."""
    return _on_card(school_id, card_id, unblock_card, gettext("The card opens again."))


@pages.post("/school/<uuid:school_id>/cards/<uuid:card_id>/end")
@guard(OFFICE)
def end(school_id: UUID, card_id: UUID) -> Any:
    """End a card for good."""
    return _on_card(school_id, card_id, end_card, gettext("The card has ended. The money stays in the purse."))


def _on_card(school_id: UUID, card_id: UUID, deed: Any, sentence: str, *more: str) -> Any:
    """Do ``deed`` and go back to the pupil whose page the button was on."""
    pupil_id = _pupil_id()
    with transaction(actor(), now()) as work:
        pupil(work, school_id, pupil_id)
        deed(work, school_id, card_id, *more)
    return done(sentence, "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


def _pupil_id() -> UUID:
    try:
        return UUID(request.form.get("pupil_id", ""))
    except ValueError as error:
        raise NotFound from error


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/cards")
@guard(PARENTS_AND_OFFICE)
def my_cards(school_id: UUID, pupil_id: UUID) -> Any:
    """A guardian's page of their pupil's cards."""
    with reading(actor(), now()) as look:
        one = pupil(look, school_id, pupil_id)
        if not may_keep_roll(look, school_id):
            require_guardian(look, school_id, pupil_id)
        shown = [shown_card(card) for card in cards_of(look, school_id, pupil_id)]
    return render("pupils/my_cards.html", pupil=one, cards=shown)


@pages.post("/pupil/<uuid:school_id>/<uuid:pupil_id>/cards/<uuid:card_id>/block")
@guard(PARENTS_AND_OFFICE)
def block_mine(school_id: UUID, pupil_id: UUID, card_id: UUID) -> Any:
    """A guardian stops a lost card, by one tap."""
    with transaction(actor(), now()) as work:
        if card_id not in {card.id for card in cards_of(work, school_id, pupil_id)}:
            raise NotFound
        block_card(work, school_id, card_id, "lost")
    sentence = gettext("The card is blocked. The money is safe. Until there is a new card, your child eats by name.")
    return done(sentence, "pupils.my_cards", school_id=school_id, pupil_id=pupil_id)


@pages.post("/school/<uuid:school_id>/cards/print")
@guard(OFFICE)
def print_cards(school_id: UUID) -> Any:
    """New QR cards as a PDF, ten to a page. They open, and those that the pupils had end, once the PDF is there."""
    return to_paper(ordered_cards(school_id, chosen_pupils(school_id)))


def ordered_cards(school_id: UUID, chosen: Sequence[PupilFacts]) -> UUID:
    """Order a sheet of new QR cards for ``chosen``; the paper's id."""
    numbers = [QR_PREFIX + in_crockford(secrets.token_bytes(QR_CHARACTERS), QR_CHARACTERS) for _ in chosen]
    papers = [Paper(one.name, one.class_name, number) for one, number in zip(chosen, numbers, strict=True)]
    order = PaperOrder(
        task=PRINT_CARDS,
        name=f"cards-{today()}.pdf",
        html=render("pupils/paper_cards.html", papers=papers, school=school_names(school_id)),
        back=url_for("pupils.cards", school_id=school_id),
        pages=-(-len(papers) // CARDS_A_PAGE),
        school_id=school_id,
        facts={"cards": [_hidden(one, number) for one, number in zip(chosen, numbers, strict=True)]},
    )
    with transaction(actor(), now()) as work:
        return order_paper(work, file_key(), order)


def _hidden(one: PupilFacts, text: str) -> list[str]:
    """What the worker has to know of a card: whose it is, the fingerprint of its number, what people see of it."""
    number = card_number(text)
    return [str(one.id), keyed_hash(card_key(), number.text).hex(), number.label]


def chosen_pupils(school_id: UUID) -> list[PupilFacts]:
    """The pupils of the form: those of a class, or those that were ticked. Raises NotFound and Invalid."""
    if ids := request.form.getlist("pupil_id"):
        return pupils_to_print_for(school_id, pupil_ids=_uuids(ids))
    return pupils_to_print_for(school_id, class_id=next(iter(_uuids([request.form.get("class_id", "")]))))


def pupils_to_print_for(
    school_id: UUID, *, pupil_ids: Sequence[UUID] = (), class_id: UUID | None = None
) -> list[PupilFacts]:
    """Those of ``pupil_ids`` who are on the roll, or a whole class, at most 150. Raises NotFound and Invalid."""
    with reading(actor(), now()) as look:
        if pupil_ids:
            asked = [pupil(look, school_id, pupil_id) for pupil_id in pupil_ids[:PUPILS_AT_ONCE]]
            found = [one for one in asked if one.left_on is None]
        else:
            page = pupils_of_school(look, school_id, class_id=class_id, per_page=PUPILS_AT_ONCE)
            found = list(page.pupils)
    if not found:
        sentence = N_("There is nobody in this class.")
        raise Invalid("nobody-chosen", sentence, fields={"class_id": [FieldProblem.of("nobody-chosen", sentence)]})
    return found


def _uuids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise NotFound from error


def school_names(school_id: UUID) -> dict[str, str]:
    with reading(actor(), now()) as look:
        school = identity.organisation(look, school_id)
    return {"kk": school.name("kk"), "ru": school.name("ru")}
