"""Claim codes are printed or shown; guardians claim their pupils; the office ends a tie."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from schoolmeals.actors import ActorKind, person
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid
from schoolmeals.files import PaperOrder, file_key, order_paper, to_paper
from schoolmeals.identity.actions.sessions import SignedIn, sign_in
from schoolmeals.identity.contacts import contact_of
from schoolmeals.identity.views.frame import caller, keyring, let_in
from schoolmeals.ids import new_id
from schoolmeals.keys import keyed_hash
from schoolmeals.pupils.actions.guardians import (
    Claimed,
    Newcomer,
    claim_pupil,
    end_guardianship,
    give_claim_codes,
)
from schoolmeals.pupils.facts import PupilFacts
from schoolmeals.pupils.jobs import PRINT_CODES
from schoolmeals.pupils.listed import listed_guardians
from schoolmeals.pupils.papers import Paper
from schoolmeals.pupils.queries import pupil
from schoolmeals.pupils.rules import CODE_CHARACTERS, RELATIONS, in_crockford, shown_code, typed_code
from schoolmeals.pupils.views.cards import PARENTS_AND_OFFICE, chosen_pupils, school_names
from schoolmeals.pupils.views.frame import (
    OFFICE,
    RELATION_NAMES,
    again,
    attempt_keys,
    code_key,
    done,
    form,
    pages,
    today,
    words,
)
from schoolmeals.verdicts import Refused
from schoolmeals.web import PUBLIC_POLICY, actor, guard, language, now, render


@pages.post("/school/<uuid:school_id>/codes/print")
@guard(OFFICE)
def print_codes(school_id: UUID) -> Any:
    """Letters with one-time codes, as a PDF. They count, and earlier ones end, once it is there."""
    return to_paper(ordered_letters(school_id, chosen_pupils(school_id)))


def ordered_letters(school_id: UUID, chosen: Sequence[PupilFacts]) -> UUID:
    """Order a letter to each guardian on the school's list who has not joined; the paper's id.

    A pupil for whom the list names nobody gets one for the family. Raises NotFound and Invalid ``everybody-joined``.
    """
    letters = _letters(school_id, chosen)
    papers = [Paper(one.name, one.class_name, code_address(code), shown_code(code), to) for one, code, _, to in letters]
    address = url_for("pupils.claim_page", _external=True)
    names = school_names(school_id)
    order = PaperOrder(
        task=PRINT_CODES,
        name=f"codes-{today()}.pdf",
        html=render("pupils/paper_codes.html", papers=papers, school=names, address=address),
        back=url_for("pupils.cards", school_id=school_id),
        pages=len(papers),
        school_id=school_id,
        facts={
            "codes": [[str(one.id), code_hash(code).hex()] for one, code, listed_id, _ in letters if not listed_id],
            "listed": [[str(listed_id), code_hash(code).hex()] for _, code, listed_id, _ in letters if listed_id],
        },
    )
    with transaction(actor(), now()) as work:
        return order_paper(work, file_key(), order)


def _letters(school_id: UUID, chosen: Sequence[PupilFacts]) -> list[tuple[PupilFacts, str, UUID | None, str]]:
    """Pupil, code, who on the list it is for, and their name; for the family as a whole nobody and no name."""
    with reading(actor(), now()) as look:
        listed = listed_guardians(look, school_id, [one.id for one in chosen])
    letters: list[tuple[PupilFacts, str, UUID | None, str]] = []
    for one in chosen:
        if not listed[one.id]:
            letters.append((one, new_code(), None, ""))
        letters += [(one, new_code(), who.id, who.name) for who in listed[one.id] if not who.has_joined]
    if not letters:
        sentence = N_("All guardians who are on the list have joined already.")
        raise Invalid("everybody-joined", sentence, fields={"class_id": [FieldProblem.of("joined", sentence)]})
    return letters


@pages.post("/pupil/<uuid:school_id>/<uuid:pupil_id>/code")
@guard(PARENTS_AND_OFFICE)
def give_code(school_id: UUID, pupil_id: UUID) -> Any:
    """One code, shown once: from the office to a guardian, or from a guardian to the other one."""
    code = new_code()
    with transaction(actor(), now()) as work:
        one = pupil(work, school_id, pupil_id)
        give_claim_codes(work, school_id, {pupil_id: code_hash(code)}, withdraw=False)
    address = url_for("pupils.claim_page", _external=True)
    return render("pupils/code.html", pupil=one, code=shown_code(code), address=address)


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/guardians/<uuid:person_id>/end")
@guard(OFFICE)
def end_tie(school_id: UUID, pupil_id: UUID, person_id: UUID) -> Any:
    """A guardian learns nothing more of the pupil from now on."""
    with transaction(actor(), now()) as work:
        end_guardianship(work, school_id, pupil_id, person_id)
    sentence = gettext("This guardian no longer sees the pupil.")
    return done(sentence, "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.get("/claim")
@guard(PUBLIC_POLICY)
def claim_page() -> Any:
    """Where a guardian types the code from the school; the QR on its paper brings the code along."""
    return render("pupils/claim.html", errors={}, typed={"code": request.args.get("code", "")[:20]}, **_around())


@pages.post("/claim")
@guard(PUBLIC_POLICY)
def claim() -> Any:
    """Claim a pupil, and make an account on the way where there is none yet."""
    typed = form("code", "relation", "name", "contact", "password")
    try:
        return _claimed(typed)
    except (Invalid, Conflict) as refusal:
        return again("pupils/claim.html", refusal, typed=typed, **_around())


def _claimed(typed: dict[str, str]) -> Any:
    who = actor()
    is_stranger = who.kind is not ActorKind.PERSON
    newcomer = _newcomer(typed) if is_stranger else None
    acting = person(new_id(now()), language=language()) if is_stranger else who
    digest = code_hash(typed_code(typed["code"]))
    signed = None
    with transaction(acting, now()) as work:
        outcome = claim_pupil(work, digest, typed["relation"], attempt_keys=attempt_keys(), newcomer=newcomer)
        if isinstance(outcome, Claimed) and newcomer is not None:
            signed = _sign_in(work, typed)
        name = pupil(work, outcome.school_id, outcome.pupil_id).name if isinstance(outcome, Claimed) else ""
    if isinstance(outcome, Refused):
        return again("pupils/claim.html", outcome, typed=typed, **_around())
    if signed is not None:
        return let_in(signed, url_for("web.home"))
    sentence = gettext("%(name)s is on your page now.", name=name)
    return done(sentence, "web.home")


def _sign_in(work: Work, typed: dict[str, str]) -> SignedIn | None:
    """The session of somebody whose account has just been made."""
    outcome = sign_in(work, keyring(), contact=typed["contact"], password=typed["password"], caller=caller())
    return outcome if isinstance(outcome, SignedIn) else None


def _newcomer(typed: dict[str, str]) -> Newcomer:
    """The account that was asked for. Raises Invalid with the field contact."""
    contact = contact_of(typed["contact"])
    if contact is None:
        sentence = N_("This is neither an e-mail address nor a phone number.")
        raise Invalid(fields={"contact": [FieldProblem.of("not-a-contact", sentence)]})
    return Newcomer(typed["name"], contact.email, contact.phone, language(), typed["password"])


def _around() -> dict[str, Any]:
    assert set(RELATION_NAMES) == set(RELATIONS)
    return {"relations": words(RELATION_NAMES), "is_stranger": actor().kind is not ActorKind.PERSON}


def new_code() -> str:
    """A claim code as it is kept nowhere."""
    return in_crockford(secrets.token_bytes(CODE_CHARACTERS), CODE_CHARACTERS)


def code_hash(code: str) -> bytes:
    """What is kept of a claim code."""
    return keyed_hash(code_key(), code)


def code_address(code: str) -> str:
    """Where a code is claimed; the page asks who comes before it opens anything."""
    return url_for("pupils.claim_page", code=code, _external=True)
