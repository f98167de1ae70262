"""The JSON API of the wallet room: the same deeds and looks as the pages."""

from datetime import date
from typing import Any
from uuid import UUID

from flask.views import MethodView

from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_
from schoolmeals.files import PaperSchema, ordered_paper
from schoolmeals.wallet.access import OFFICE
from schoolmeals.wallet.actions import reverse_cash, set_limit, take_cash
from schoolmeals.wallet.checkouts import cash_bounds, send_to_checkout
from schoolmeals.wallet.parent_pages import ordered_statement
from schoolmeals.wallet.queries import purse_of, statement_of, top_up_of, top_ups_of, top_ups_of_school_day
from schoolmeals.wallet.rules import TopUpStage
from schoolmeals.wallet.schemas import (
    CashDaySchema,
    DayQuery,
    LimitSchema,
    NewReversal,
    NewReversalSchema,
    NewTopUp,
    NewTopUpSchema,
    Period,
    PeriodQuery,
    PeriodSchema,
    PurseSchema,
    StatementSchema,
    TopUpListSchema,
    TopUpSchema,
    period_of,
    read_period,
)
from schoolmeals.web import ApiBlueprint, actor, frame, guard, now, roles
from schoolmeals.workdays import local_day

api = ApiBlueprint("wallet_api", __name__, url_prefix="/api", description=N_("Purses, top-ups, statements"))

PARENT = roles(Role.PARENT)
PURSE_READERS = roles(Role.PARENT, *OFFICE)
CASH_DESK = roles(Role.SCHOOL_OFFICE)
CASH_READERS = roles(*OFFICE)


@api.route("/top-ups")
class TopUps(MethodView):
    """Top-ups by the provider's page."""

    @guard(PARENT)
    @api.arguments(NewTopUpSchema)
    @api.response(201, TopUpSchema)
    @api.alt_response(404, description="no pupil of yours")
    @api.alt_response(409, description="the same id with other content, or a top-up that was started too long ago")
    @api.alt_response(429, description="too many attempts")
    @api.alt_response(503, description="the payment service is away; send the same again later")
    def post(self, wish: NewTopUp) -> Any:
        """Start a top-up and get the page to pay it on. The same id again is the same top-up."""
        return send_to_checkout(wish.school_id, wish.pupil_id, top_up_id=wish.id, amount_minor=wish.amount_minor)


@api.route("/top-ups/<uuid:school_id>/<uuid:top_up_id>")
class TopUp(MethodView):
    """One top-up."""

    @guard(PURSE_READERS)
    @api.response(200, TopUpSchema)
    @api.alt_response(404, description="no top-up that you may see")
    def get(self, school_id: UUID, top_up_id: UUID) -> Any:
        """How a top-up stands, by the ledger."""
        with reading(actor(), now()) as look:
            return top_up_of(look, school_id, top_up_id)


@api.route("/purses/<uuid:school_id>/<uuid:pupil_id>")
class Purse(MethodView):
    """A pupil's purse."""

    @guard(PURSE_READERS)
    @api.response(200, PurseSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def get(self, school_id: UUID, pupil_id: UUID) -> Any:
        """What is in it now."""
        with reading(actor(), now()) as look:
            return purse_of(look, school_id, pupil_id)


@api.route("/purses/<uuid:school_id>/<uuid:pupil_id>/top-ups")
class TopUpsOfPurse(MethodView):
    """A purse's top-ups."""

    @guard(PURSE_READERS)
    @api.response(200, TopUpListSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def get(self, school_id: UUID, pupil_id: UUID) -> Any:
        """The newest fifty, whatever became of them."""
        with reading(actor(), now()) as look:
            return {"top_ups": top_ups_of(look, school_id, pupil_id)}


@api.route("/purses/<uuid:school_id>/<uuid:pupil_id>/statement")
class Statement(MethodView):
    """A purse's statement."""

    @guard(PURSE_READERS)
    @api.arguments(PeriodQuery, location="query")
    @api.response(200, StatementSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def get(self, query: dict[str, date | None], school_id: UUID, pupil_id: UUID) -> Any:
        """What came in and went out in a period; it adds up."""
        period = _asked(query)
        with reading(actor(), now()) as look:
            return statement_of(look, school_id, pupil_id, period.since, period.until)


@api.route("/purses/<uuid:school_id>/<uuid:pupil_id>/statement/papers")
class StatementPapers(MethodView):
    """A purse's statement on paper."""

    @guard(PURSE_READERS)
    @api.arguments(PeriodSchema)
    @api.response(202, PaperSchema)
    @api.alt_response(404, description="no pupil that you may see")
    def post(self, wish: dict[str, date | None], school_id: UUID, pupil_id: UUID) -> Any:
        """Order the statement as a PDF. Ask for the paper by its id until it is ready."""
        return ordered_paper(ordered_statement(school_id, pupil_id, _asked(wish)))


@api.route("/purses/<uuid:school_id>/<uuid:pupil_id>/limit")
class Limit(MethodView):
    """The daily limit for buffet items."""

    @guard(PARENT)
    @api.arguments(LimitSchema)
    @api.response(200, PurseSchema)
    @api.alt_response(404, description="no pupil of yours")
    def put(self, wish: dict[str, int | None], school_id: UUID, pupil_id: UUID) -> Any:
        """Set, change or lift it. Set meals are always served."""
        with transaction(actor(), now()) as work:
            set_limit(work, school_id, pupil_id, wish["limit_minor_day"])
            return purse_of(work, school_id, pupil_id)


@api.route("/cash-top-ups")
class CashTopUps(MethodView):
    """Top-ups over the school's cash desk."""

    @guard(CASH_DESK)
    @api.arguments(NewTopUpSchema)
    @api.response(201, TopUpSchema)
    @api.alt_response(404, description="no school of yours, or no such pupil in it")
    @api.alt_response(409, description="the same id with other content")
    def post(self, wish: NewTopUp) -> Any:
        """Take cash and get the receipt's number. The same id again is the same receipt."""
        with transaction(actor(), now()) as work:
            return take_cash(
                work,
                wish.school_id,
                wish.pupil_id,
                top_up_id=wish.id,
                amount_minor=wish.amount_minor,
                bounds=cash_bounds(),
            )


@api.route("/cash-top-ups/<uuid:school_id>")
class CashDay(MethodView):
    """A day at a school's cash desk."""

    @guard(CASH_READERS)
    @api.arguments(DayQuery, location="query")
    @api.response(200, CashDaySchema)
    @api.alt_response(404, description="no school that you may see")
    def get(self, query: dict[str, date | None], school_id: UUID) -> Any:
        """What the desk took on a day, and the sum."""
        day = query["day"] or _today()
        span = _day(day)
        with reading(actor(), now()) as look:
            taken = top_ups_of_school_day(look, school_id, span.since, span.until, method="cash-desk")
        total = sum(one.amount_minor for one in taken if one.stage is TopUpStage.SETTLED)
        return {"day": day, "top_ups": taken, "total_minor": total}


@api.route("/cash-top-ups/<uuid:school_id>/<uuid:top_up_id>/reversal")
class CashReversal(MethodView):
    """A mistake at the cash desk."""

    @guard(CASH_DESK)
    @api.arguments(NewReversalSchema)
    @api.response(201, TopUpSchema)
    @api.alt_response(404, description="no such top-up in a school of yours")
    @api.alt_response(409, description="already taken back, not cash, not of today, or spent since")
    def post(self, wish: NewReversal, school_id: UUID, top_up_id: UUID) -> Any:
        """Take a cash top-up back on the day it was taken."""
        today = _day(_today())
        with transaction(actor(), now()) as work:
            return reverse_cash(
                work,
                school_id,
                top_up_id,
                reversal_id=wish.id,
                reason=wish.reason,
                day_start=today.since,
                day_end=today.until,
            )


def _today() -> date:
    return local_day(now(), frame().zone)


def _asked(days: dict[str, date | None]) -> Period:
    named = {name: day.isoformat() for name, day in days.items() if day is not None}
    return read_period(named, _today(), frame().zone)


def _day(day: date) -> Period:
    return period_of(day, day, frame().zone)
