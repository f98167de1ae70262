"""Meals and days: a guardian reads a child's meals, the school its day, the city all schools."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask.views import MethodView

from schoolmeals import pupils
from schoolmeals.canteen.actions.days import close_day
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.api.blueprint import BOOK_READERS, CITY, GUARDIANS, KEEPERS, READERS, api, read_day, today
from schoolmeals.canteen.queries import city_counts, closing_of, day_counts, meals_of, sales_of_day
from schoolmeals.canteen.schemas import CityDaySchema, ClosingSchema, DayCountsSchema, SaleListSchema, SalePeriodSchema
from schoolmeals.canteen.till_schemas import UndoneSchema, UndoSchema
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.web import actor, frame, guard, language, now

LONGEST_PERIOD = timedelta(days=366)
USUAL_PERIOD = timedelta(days=29)


@api.route("/meals/<uuid:school_id>/<uuid:pupil_id>")
class MealsOfPupil(MethodView):
    """A child's meals."""

    @guard(GUARDIANS)
    @api.arguments(SalePeriodSchema, location="query")
    @api.response(200, SaleListSchema)
    @api.alt_response(404, description="no child of yours")
    def get(self, query: dict[str, date | None], school_id: UUID, pupil_id: UUID) -> Any:
        """The taps of a period of at most a year, newest first, with who paid which part."""
        since, until = _period(query)
        with reading(actor(), now()) as look:
            pupils.require_guardian(look, school_id, pupil_id)
            return {"as_of": now(), "meals": meals_of(look, school_id, [pupil_id], since, until)}


@api.route("/schools/<uuid:school_id>/days/<day>")
class DayOfSchool(MethodView):
    """A school's day."""

    @guard(READERS)
    @api.response(200, DayCountsSchema)
    @api.alt_response(404, description="no school of yours")
    @api.alt_response(422, description="no such day")
    def get(self, school_id: UUID, day: str) -> Any:
        """What it has served, by sitting."""
        with reading(actor(), now()) as look:
            return day_counts(look, school_id, read_day(day))


@api.route("/schools/<uuid:school_id>/days/<day>/sales")
class SalesOfDay(MethodView):
    """A day's taps."""

    @guard(READERS)
    @api.response(200, SaleListSchema)
    @api.alt_response(404, description="no school of yours")
    @api.alt_response(422, description="no such day")
    def get(self, school_id: UUID, day: str) -> Any:
        """All taps of a day, newest first."""
        with reading(actor(), now()) as look:
            return {"as_of": now(), "meals": sales_of_day(look, school_id, read_day(day))}


@api.route("/schools/<uuid:school_id>/days/<day>/closing")
class ClosingOfDay(MethodView):
    """The end of a school's day."""

    @guard(BOOK_READERS)
    @api.response(200, ClosingSchema)
    @api.alt_response(404, description="no school of yours, or a day that is not closed")
    @api.alt_response(422, description="no such day")
    def get(self, school_id: UUID, day: str) -> Any:
        """How it was closed."""
        with reading(actor(), now()) as look:
            closing = closing_of(look, school_id, read_day(day))
        if closing is None:
            raise NotFound
        return closing

    @guard(KEEPERS)
    @api.response(201, ClosingSchema)
    @api.alt_response(404, description="no school of yours")
    @api.alt_response(409, description="closed already, or not yet begun")
    @api.alt_response(422, description="no such day")
    def post(self, school_id: UUID, day: str) -> Any:
        """Keep its counts and the school's trial balance of this moment."""
        with transaction(actor(), now()) as work:
            return close_day(work, school_id, read_day(day), zone=frame().zone)


@api.route("/schools/<uuid:school_id>/undo")
class UndoByOffice(MethodView):
    """Taking a sale back."""

    @guard(KEEPERS)
    @api.arguments(UndoSchema)
    @api.response(200, UndoneSchema)
    @api.alt_response(404, description="no such sale in a school of yours")
    @api.alt_response(409, description="refused in the first place, or taken back already")
    def post(self, wish: dict[str, Any], school_id: UUID) -> Any:
        """Take any sale back, with a reason."""
        with transaction(actor(), now()) as work:
            return undo_sale(work, school_id, wish["sale_id"], undo_id=wish["undo_id"], reason=wish["reason"])


@api.route("/city/days/<day>")
class DayOfCity(MethodView):
    """The city's day."""

    @guard(CITY)
    @api.response(200, CityDaySchema)
    @api.alt_response(422, description="no such day")
    def get(self, day: str) -> Any:
        """What each school has served."""
        with reading(actor(), now()) as look:
            counts = city_counts(look, read_day(day))
        schools = [
            {"school_id": school.id, "name": school.name(language()), "counts": counted} for school, counted in counts
        ]
        return {"as_of": now(), "schools": schools}


def _period(query: dict[str, date | None]) -> tuple[date, date]:
    until = query["until"] or today()
    since = query["since"] or until - min(USUAL_PERIOD, until - date.min)
    if not timedelta(0) <= until - since <= LONGEST_PERIOD:
        problem = FieldProblem.of("period-unusable", N_("Ask for at most a year, from its first to its last day."))
        raise Invalid("period-unusable", fields={"since": [problem]})
    return since, until
