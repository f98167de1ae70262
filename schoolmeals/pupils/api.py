"""The JSON API of the pupils room: the same deeds and looks as the pages."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, NotNow
from schoolmeals.keys import keyed_hash
from schoolmeals.pupils.actions.cards import block_card, end_card, issue_card, unblock_card
from schoolmeals.pupils.actions.guardians import claim_pupil, end_guardianship
from schoolmeals.pupils.actions.imports import drop_roster
from schoolmeals.pupils.actions.roll import change_pupil, enrol_pupil, pupil_leaves, set_allergens
from schoolmeals.pupils.facts import NewPupil
from schoolmeals.pupils.models import RosterImport
from schoolmeals.pupils.queries import (
    cards_of,
    classes_of_school,
    guardians_of,
    my_pupils,
    pupil,
    pupils_of_school,
)
from schoolmeals.pupils.roster_loading import roster_import
from schoolmeals.pupils.rules import card_number, enrollable, typed_code
from schoolmeals.pupils.schemas import (
    AllergensSchema,
    BlockSchema,
    CardListSchema,
    CardSchema,
    ClaimedSchema,
    ClaimSchema,
    ClassListSchema,
    ConfirmSchema,
    GuardianListSchema,
    ImportSchema,
    MyPupilsSchema,
    NewCardSchema,
    NewPupilSchema,
    PupilListSchema,
    PupilQuerySchema,
    PupilSchema,
    UploadSchema,
)
from schoolmeals.pupils.views.frame import OFFICE, READERS, attempt_keys, card_key, code_key, today
from schoolmeals.pupils.views.imports import confirmed, spoken_problems, uploaded
from schoolmeals.verdicts import Refused
from schoolmeals.web import SIGNED_IN, ApiBlueprint, actor, guard, now, roles

api = ApiBlueprint("pupils_api", __name__, url_prefix="/api", description=N_("Pupils, cards, guardians, rolls"))

FAMILY = roles(Role.PARENT, Role.SCHOOL_OFFICE, Role.CITY_ADMIN, Role.CASHIER, Role.AUDITOR)
BLOCKERS = roles(Role.PARENT, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)


@api.route("/pupils")
class MyPupils(MethodView):
    """A guardian's own pupils."""

    @guard(SIGNED_IN)
    @api.response(200, MyPupilsSchema)
    @api.alt_response(401, description="nobody is signed in")
    def get(self) -> Any:
        """The pupils whose guardian asks, in all schools."""
        with reading(actor(), now()) as look:
            return {"pupils": my_pupils(look)}


@api.route("/pupils/claim")
class Claim(MethodView):
    """Claiming a pupil."""

    @guard(SIGNED_IN)
    @api.arguments(ClaimSchema)
    @api.response(200, ClaimedSchema)
    @api.alt_response(409, description="the code is not known or was used")
    @api.alt_response(429, description="too many attempts; Retry-After says when to come back")
    def post(self, sent: dict[str, Any]) -> Any:
        """Become a guardian by a one-time code."""
        code_hash = keyed_hash(code_key(), typed_code(sent["code"]))
        with transaction(actor(), now()) as work:
            outcome = claim_pupil(work, code_hash, sent["relation"], attempt_keys=attempt_keys())
        if not isinstance(outcome, Refused):
            return outcome
        if "retry_after_s" in outcome.facts:
            raise identity.too_many(outcome)
        raise NotNow(outcome.code, outcome.sentence)


@api.route("/schools/<uuid:school_id>/classes")
class Classes(MethodView):
    """A school's classes."""

    @guard(READERS)
    @api.response(200, ClassListSchema)
    @api.alt_response(404, description="no school that you may see")
    def get(self, school_id: UUID) -> Any:
        """The classes with the number of their pupils."""
        with reading(actor(), now()) as look:
            return {"classes": classes_of_school(look, school_id)}


@api.route("/schools/<uuid:school_id>/pupils")
class Pupils(MethodView):
    """A school's roll."""

    @guard(READERS)
    @api.arguments(PupilQuerySchema, location="query")
    @api.response(200, PupilListSchema)
    @api.alt_response(404, description="no school that you may see")
    def get(self, asked: dict[str, Any], school_id: UUID) -> Any:
        """A page of the roll, by class and name."""
        with reading(actor(), now()) as look:
            return pupils_of_school(look, school_id, **asked)

    @guard(OFFICE)
    @api.arguments(NewPupilSchema)
    @api.response(201, PupilSchema)
    @api.alt_response(404, description="no school of yours")
    def post(self, new: NewPupil, school_id: UUID) -> Any:
        """Put somebody on the roll."""
        with transaction(actor(), now()) as work:
            return pupil(work, school_id, enrol_pupil(work, school_id, new))


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>")
class OnePupil(MethodView):
    """One pupil."""

    @guard(FAMILY)
    @api.response(200, PupilSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def get(self, school_id: UUID, pupil_id: UUID) -> Any:
        """What is known of a pupil."""
        with reading(actor(), now()) as look:
            return pupil(look, school_id, pupil_id)

    @guard(OFFICE)
    @api.arguments(NewPupilSchema)
    @api.response(200, PupilSchema)
    @api.alt_response(404, description="no pupil of yours")
    def put(self, new: NewPupil, school_id: UUID, pupil_id: UUID) -> Any:
        """Change what is known of a pupil."""
        with transaction(actor(), now()) as work:
            change_pupil(work, school_id, pupil_id, new)
            return pupil(work, school_id, pupil_id)

    @guard(OFFICE)
    @api.response(204)
    @api.alt_response(404, description="no pupil of yours")
    @api.alt_response(409, description="the pupil has left already")
    def delete(self, school_id: UUID, pupil_id: UUID) -> None:
        """Mark a pupil as left. Nothing is deleted; the purse stays."""
        with transaction(actor(), now()) as work:
            pupil_leaves(work, school_id, pupil_id, on=today())


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>/allergens")
class Allergens(MethodView):
    """What a pupil must not eat."""

    @guard(OFFICE)
    @api.arguments(AllergensSchema)
    @api.response(200, PupilSchema)
    @api.alt_response(404, description="no pupil of yours")
    def put(self, sent: dict[str, Any], school_id: UUID, pupil_id: UUID) -> Any:
        """Let this be all that the pupil must not eat."""
        with transaction(actor(), now()) as work:
            set_allergens(work, school_id, pupil_id, sent["allergens"])
            return pupil(work, school_id, pupil_id)


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>/cards")
class Cards(MethodView):
    """A pupil's cards."""

    @guard(FAMILY)
    @api.response(200, CardListSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def get(self, school_id: UUID, pupil_id: UUID) -> Any:
        """The cards that have not ended."""
        with reading(actor(), now()) as look:
            return {"cards": cards_of(look, school_id, pupil_id)}

    @guard(OFFICE)
    @api.arguments(NewCardSchema)
    @api.response(201, CardSchema)
    @api.alt_response(404, description="no pupil of yours")
    @api.alt_response(409, description="the card is somebody else's")
    def post(self, sent: dict[str, Any], school_id: UUID, pupil_id: UUID) -> Any:
        """Let a card open the pupil's purse."""
        number = enrollable(card_number(sent["number"]))
        digest = keyed_hash(card_key(), number.text)
        with transaction(actor(), now()) as work:
            card_id = issue_card(work, school_id, pupil_id, number_hash=digest, kind=number.kind, label=number.label)
            return next(card for card in cards_of(work, school_id, pupil_id) if card.id == card_id)


@api.route("/schools/<uuid:school_id>/cards/<uuid:card_id>")
class OneCard(MethodView):
    """One card."""

    @guard(OFFICE)
    @api.response(204)
    @api.alt_response(404, description="no card of yours")
    def delete(self, school_id: UUID, card_id: UUID) -> None:
        """End a card for good. The money stays in the purse."""
        with transaction(actor(), now()) as work:
            end_card(work, school_id, card_id)


@api.route("/schools/<uuid:school_id>/cards/<uuid:card_id>/block")
class BlockedCard(MethodView):
    """A card that does not open."""

    @guard(BLOCKERS)
    @api.arguments(BlockSchema)
    @api.response(204)
    @api.alt_response(404, description="no card of yours")
    def put(self, sent: dict[str, Any], school_id: UUID, card_id: UUID) -> None:
        """Stop a card."""
        with transaction(actor(), now()) as work:
            block_card(work, school_id, card_id, sent["reason"])

    @guard(OFFICE)
    @api.response(204)
    @api.alt_response(404, description="no card of yours")
    def delete(self, school_id: UUID, card_id: UUID) -> None:
        """Let a card open again."""
        with transaction(actor(), now()) as work:
            unblock_card(work, school_id, card_id)


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>/guardians")
class Guardians(MethodView):
    """Who answers for a pupil."""

    @guard(FAMILY)
    @api.response(200, GuardianListSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def get(self, school_id: UUID, pupil_id: UUID) -> Any:
        """The standing guardians, the first one first."""
        with reading(actor(), now()) as look:
            pupil(look, school_id, pupil_id)
            return {"guardians": guardians_of(look, school_id, [pupil_id])[pupil_id]}


@api.route("/schools/<uuid:school_id>/pupils/<uuid:pupil_id>/guardians/<uuid:person_id>")
class OneGuardian(MethodView):
    """One tie."""

    @guard(OFFICE)
    @api.response(204)
    @api.alt_response(404, description="no such guardian")
    def delete(self, school_id: UUID, pupil_id: UUID, person_id: UUID) -> None:
        """End a guardianship."""
        with transaction(actor(), now()) as work:
            end_guardianship(work, school_id, pupil_id, person_id)


@api.route("/schools/<uuid:school_id>/roster-imports")
class Imports(MethodView):
    """Rolls from files."""

    @guard(OFFICE)
    @api.arguments(UploadSchema, location="files")
    @api.response(201, ImportSchema)
    @api.alt_response(404, description="no school of yours")
    @api.alt_response(413, description="the file is too large")
    def post(self, _sent: dict[str, Any], school_id: UUID) -> Any:
        """Upload a roll (OneRoster zip, CSV, XLSX) and get its preview. Nothing changes yet."""
        return _shown(school_id, uploaded(school_id))


@api.route("/schools/<uuid:school_id>/roster-imports/<uuid:import_id>")
class OneImport(MethodView):
    """One roll."""

    @guard(OFFICE)
    @api.response(200, ImportSchema)
    @api.alt_response(404, description="no import of yours")
    def get(self, school_id: UUID, import_id: UUID) -> Any:
        """What it would change, or how far it has come."""
        return _shown(school_id, import_id)

    @guard(OFFICE)
    @api.response(204)
    @api.alt_response(404, description="no import of yours")
    @api.alt_response(409, description="it has been applied or dropped")
    def delete(self, school_id: UUID, import_id: UUID) -> None:
        """Drop an upload that was not confirmed."""
        with transaction(actor(), now()) as work:
            drop_roster(work, school_id, import_id)


@api.route("/schools/<uuid:school_id>/roster-imports/<uuid:import_id>/confirm")
class ConfirmedImport(MethodView):
    """The yes to a preview."""

    @guard(OFFICE)
    @api.arguments(ConfirmSchema)
    @api.response(200, ImportSchema)
    @api.alt_response(404, description="no import of yours")
    @api.alt_response(409, description="it has been applied or dropped")
    def post(self, sent: dict[str, Any], school_id: UUID, import_id: UUID) -> Any:
        """Apply a roll. A long one is written by the worker: ask again until applied_at is there."""
        confirmed(school_id, import_id, sent["confirmation"])
        return _shown(school_id, import_id)


def _shown(school_id: UUID, import_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        row = roster_import(look, school_id, import_id)
    return _as_json(row)


def _as_json(row: RosterImport) -> dict[str, Any]:
    names = ("id", "file_name", "rows_total", "rows_done", "uploaded_at", "confirmed_at", "applied_at", "dropped_at")
    return {
        **{name: getattr(row, name) for name in names},
        "counts": row.preview.get("counts", {}),
        "must_be_confirmed": row.preview.get("must_be_confirmed", False),
        "problems": spoken_problems(row),
    }
