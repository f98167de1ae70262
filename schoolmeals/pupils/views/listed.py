"""Inviting the guardians whom the school's list names: a code that is shown once, or a letter by e-mail."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from flask import request, url_for
from flask_babel import force_locale, gettext, ngettext

from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.mail import letters_key
from schoolmeals.pupils.actions.guardians import CodeLetter, invite_guardians
from schoolmeals.pupils.facts import ListedFacts, PupilFacts
from schoolmeals.pupils.listed import listed_guardian, listed_guardians
from schoolmeals.pupils.queries import pupil
from schoolmeals.pupils.rules import shown_code
from schoolmeals.pupils.views.cards import chosen_pupils
from schoolmeals.pupils.views.frame import OFFICE, done, pages
from schoolmeals.pupils.views.guardians import code_address, code_hash, new_code
from schoolmeals.web import actor, guard, now, render, settings

SUBJECT: Final = N_("Code for your child's school meals")
TEXT: Final = N_(
    "Hello, %(name)s!\n\n"
    "With this code you see what %(pupil)s eats at school and can pay for it:\n\n%(code)s\n\n"
    "Open %(address)s, say who you are to the child, and choose a password. The code is good once, for 60 days. Do not "
    "show it to anybody else."
)


@pages.post("/school/<uuid:school_id>/listed/<uuid:listed_id>/code")
@guard(OFFICE)
def invite_listed(school_id: UUID, listed_id: UUID) -> Any:
    """One code for a guardian of the list, shown once."""
    code = new_code()
    with transaction(actor(), now()) as work:
        who = listed_guardian(work, school_id, listed_id)
        one = pupil(work, school_id, who.pupil_id)
        invite_guardians(work, school_id, {listed_id: code_hash(code)})
    address = url_for("pupils.claim_page", _external=True)
    return render("pupils/code.html", pupil=one, code=shown_code(code), address=address, listed=who)


@pages.post("/school/<uuid:school_id>/codes/send")
@guard(OFFICE)
def send_codes(school_id: UUID) -> Any:
    """Send codes by e-mail: to one guardian of the list, or to those of a class who were not invited yet."""
    if "listed_id" in request.form:
        who, one = _listed_of_form(school_id)
        sent_codes(school_id, [(one, who)])
        sentence = gettext("The code is on its way to %(address)s.", address=who.email)
        return done(sentence, "pupils.pupil_page", school_id=school_id, pupil_id=one.id)
    number = sent_codes(school_id, to_be_invited(school_id, chosen_pupils(school_id)))
    sentence = ngettext(
        "A code is on its way to %(num)s guardian.", "Codes are on their way to %(num)s guardians.", number
    )
    return done(sentence, "pupils.cards", school_id=school_id)


def to_be_invited(school_id: UUID, chosen: Sequence[PupilFacts]) -> list[tuple[PupilFacts, ListedFacts]]:
    """The guardians of ``chosen`` with an e-mail address who hold no code and have not joined. Raises Invalid."""
    with reading(actor(), now()) as look:
        listed = listed_guardians(look, school_id, [one.id for one in chosen])
    found = [
        (one, who)
        for one in chosen
        for who in listed[one.id]
        if who.email and who.invited_at is None and not who.has_joined
    ]
    if not found:
        sentence = N_("Nobody here is left to write to: the list has no more e-mail addresses of who was not invited.")
        raise Invalid("nobody-to-write-to", sentence, fields={"class_id": [FieldProblem.of("nobody", sentence)]})
    return found


def sent_codes(school_id: UUID, invited: Sequence[tuple[PupilFacts, ListedFacts]]) -> int:
    """Give each of ``invited`` a code and write to them; how many. Raises NotNow ``no-letters`` and NotFound."""
    if not settings().sends_letters:
        raise NotNow("no-letters", N_("No mail server is set up here. Print the letters instead."))
    codes = {who.id: new_code() for _, who in invited}
    letters = [_letter(one, who, codes[who.id]) for one, who in invited if who.email]
    with transaction(actor(), now()) as work:
        invite_guardians(
            work, school_id, {listed_id: code_hash(code) for listed_id, code in codes.items()}, letters=letters
        )
    return len(letters)


def _listed_of_form(school_id: UUID) -> tuple[ListedFacts, PupilFacts]:
    try:
        listed_id = UUID(request.form["listed_id"])
    except ValueError as error:
        raise NotFound from error
    with reading(actor(), now()) as look:
        who = listed_guardian(look, school_id, listed_id)
        if not who.email:
            raise NotFound
        return who, pupil(look, school_id, who.pupil_id)


def _letter(one: PupilFacts, who: ListedFacts, code: str) -> CodeLetter:
    """The letter in Kazakh and in Russian, because the list does not say what the guardian reads."""
    facts = {"name": who.name, "pupil": one.name, "code": shown_code(code), "address": code_address(code)}
    said = []
    for language in ("kk", "ru"):
        with force_locale(language):
            said.append((gettext(SUBJECT), gettext(TEXT) % facts))
    subjects, texts = zip(*said, strict=True)
    params = {"subject": " · ".join(subjects), "text": "\n\n* * *\n\n".join(texts)}
    key = letters_key(settings().secret_key)
    return CodeLetter(who.email, "kk", "%(subject)s", "%(text)s", params, key)
