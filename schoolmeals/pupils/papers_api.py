"""The JSON API for what is printed and sent for pupils: card sheets, letters with codes, codes by e-mail."""

from typing import Any
from uuid import UUID

from flask import url_for
from flask.views import MethodView

from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_
from schoolmeals.files import PaperSchema, ordered_paper
from schoolmeals.pupils.actions.guardians import give_claim_codes, invite_guardians
from schoolmeals.pupils.facts import PupilFacts
from schoolmeals.pupils.listed import listed_guardian, listed_guardians
from schoolmeals.pupils.queries import pupil
from schoolmeals.pupils.rules import CODE_LASTS, shown_code
from schoolmeals.pupils.schemas import (
    ChosenPupilsSchema,
    GivenCodeSchema,
    ListedGuardianListSchema,
    SentSchema,
)
from schoolmeals.pupils.views.cards import PARENTS_AND_OFFICE, ordered_cards, pupils_to_print_for
from schoolmeals.pupils.views.frame import OFFICE
from schoolmeals.pupils.views.guardians import code_hash, new_code, ordered_letters
from schoolmeals.pupils.views.listed import sent_codes, to_be_invited
from schoolmeals.web import ApiBlueprint, actor, guard, now

api = ApiBlueprint("pupil_papers_api", __name__, url_prefix="/api", description=N_("Card sheets, letters, claim codes"))


@api.route("/schools/<uuid:school_id>/card-sheets")
class CardSheets(MethodView):
    """QR cards on paper."""

    @guard(OFFICE)
    @api.arguments(ChosenPupilsSchema)
    @api.response(202, PaperSchema)
    @api.alt_response(404, description="no school or pupil of yours")
    def post(self, wish: dict[str, Any], school_id: UUID) -> Any:
        """Order new QR cards, ten to a page, for at most 150 pupils. Those they had end once the paper is ready."""
        return ordered_paper(ordered_cards(school_id, _chosen(school_id, wish)))


@api.route("/schools/<uuid:school_id>/claim-letters")
class ClaimLetters(MethodView):
    """Letters with claim codes on paper."""

    @guard(OFFICE)
    @api.arguments(ChosenPupilsSchema)
    @api.response(202, PaperSchema)
    @api.alt_response(404, description="no school or pupil of yours")
    def post(self, wish: dict[str, Any], school_id: UUID) -> Any:
        """Order a letter to each guardian on the list who has not joined, or to the family where it names nobody."""
        return ordered_paper(ordered_letters(school_id, _chosen(school_id, wish)))


@api.route("/schools/<uuid:school_id>/claim-codes/send")
class SentCodes(MethodView):
    """Claim codes by e-mail."""

    @guard(OFFICE)
    @api.arguments(ChosenPupilsSchema)
    @api.response(200, SentSchema)
    @api.alt_response(404, description="no school or pupil of yours")
    @api.alt_response(409, description="no mail server is set up here")
    def post(self, wish: dict[str, Any], school_id: UUID) -> Any:
        """Write to the guardians on the list who have an e-mail address, hold no code and have not joined."""
        return {"letters": sent_codes(school_id, to_be_invited(school_id, _chosen(school_id, wish)))}


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>/claim-codes")
class ClaimCodes(MethodView):
    """Claim codes of a pupil."""

    @guard(PARENTS_AND_OFFICE)
    @api.response(201, GivenCodeSchema)
    @api.alt_response(404, description="no pupil of yours")
    def post(self, school_id: UUID, pupil_id: UUID) -> Any:
        """Make a code for one more guardian of a pupil. It is told once."""
        code = new_code()
        with transaction(actor(), now()) as work:
            pupil(work, school_id, pupil_id)
            give_claim_codes(work, school_id, {pupil_id: code_hash(code)}, withdraw=False)
        return _given(code)


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>/listed-guardians")
class ListedGuardians(MethodView):
    """Whom the school's list names."""

    @guard(OFFICE)
    @api.response(200, ListedGuardianListSchema)
    @api.alt_response(404, description="no pupil of yours")
    def get(self, school_id: UUID, pupil_id: UUID) -> Any:
        """The guardians on the list, by name, and how far they have come."""
        with reading(actor(), now()) as look:
            pupil(look, school_id, pupil_id)
            return {"guardians": listed_guardians(look, school_id, [pupil_id])[pupil_id]}


@api.route("/schools/<uuid:school_id>/listed-guardians/<uuid:listed_id>/claim-codes")
class CodesOfListed(MethodView):
    """Claim codes of one guardian on the list."""

    @guard(OFFICE)
    @api.response(201, GivenCodeSchema)
    @api.alt_response(404, description="no such guardian on your list")
    def post(self, school_id: UUID, listed_id: UUID) -> Any:
        """Make a code of their own. It is told once, and the one before ends."""
        code = new_code()
        with transaction(actor(), now()) as work:
            listed_guardian(work, school_id, listed_id)
            invite_guardians(work, school_id, {listed_id: code_hash(code)})
        return _given(code)


def _chosen(school_id: UUID, wish: dict[str, Any]) -> list[PupilFacts]:
    return pupils_to_print_for(school_id, pupil_ids=wish["pupil_ids"], class_id=wish["class_id"])


def _given(code: str) -> dict[str, Any]:
    address = url_for("pupils.claim_page", _external=True)
    return {"code": shown_code(code), "address": address, "good_until": now() + CODE_LASTS}
