"""The JSON API of the parents room: what the pages show, for programs."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_
from schoolmeals.parents import actions, queries
from schoolmeals.parents.queries import Child
from schoolmeals.parents.rules import PAGE, Item, Kind, Meal, MealFilter, history_span
from schoolmeals.parents.schemas import (
    HomeSchema,
    MarkedSchema,
    MealPageSchema,
    MealQuery,
    NoticePageSchema,
    NoticeQuery,
    ReadNotices,
)
from schoolmeals.web import SIGNED_IN, ApiBlueprint, actor, frame, guard, language, now, roles
from schoolmeals.workdays import local_day

api = ApiBlueprint("parents_api", __name__, url_prefix="/api", description=N_("What parents see of their children"))


@api.route("/home")
class Home(MethodView):
    """All children of whoever asks."""

    @guard(SIGNED_IN)
    @api.response(200, HomeSchema)
    @api.alt_response(401, description="nobody is signed in")
    def get(self) -> Any:
        """The home page: each child with purse, today, last meals and the last school days."""
        with reading(actor(), now()) as work:
            children = queries.children(work, frame().zone)
            told = queries.notices_of(work, unread_only=True, per_page=1)
        return {"children": [_child(one) for one in children], "unread_notices": told.unread, "as_of": now()}


@api.route("/pupils/<uuid:school_id>/<uuid:pupil_id>/meals")
class Meals(MethodView):
    """A child's meal history."""

    @guard(roles(Role.PARENT))
    @api.arguments(MealQuery, location="query")
    @api.response(200, MealPageSchema)
    @api.alt_response(401, description="nobody is signed in")
    @api.alt_response(403, description="not a parent")
    @api.alt_response(404, description="not a child of yours")
    @api.alt_response(422, description="the days or the kind cannot be used")
    def get(self, asked: dict[str, Any], school_id: UUID, pupil_id: UUID) -> Any:
        """A child's taps, the newest first, twenty to a page."""
        span = history_span(asked["first"], asked["last"], local_day(now(), frame().zone))
        wanted = MealFilter(*span, Kind(asked["kind"]), with_refused=asked["refused"])
        with reading(actor(), now()) as work:
            found = queries.meal_history(work, school_id, pupil_id, wanted)
        page = asked["page"]
        shown = [_meal(meal) for meal in found[(page - 1) * PAGE : page * PAGE]]
        return {"meals": shown, "total": len(found), "page": page, "as_of": now()}


@api.route("/notices")
class Notices(MethodView):
    """What a parent was told."""

    @guard(roles(Role.PARENT))
    @api.arguments(NoticeQuery, location="query")
    @api.response(200, NoticePageSchema)
    @api.alt_response(401, description="nobody is signed in")
    @api.alt_response(403, description="not a parent")
    @api.alt_response(422, description="the page cannot be used")
    def get(self, asked: dict[str, Any]) -> Any:
        """The notices, the newest first, twenty to a page."""
        with reading(actor(), now()) as work:
            told = queries.notices_of(work, page=asked["page"], unread_only=asked["unread"])
        return {"notices": told.notices, "total": told.total, "unread": told.unread, "page": asked["page"]}


@api.route("/notices/read")
class NoticesRead(MethodView):
    """Read marks."""

    @guard(roles(Role.PARENT))
    @api.arguments(ReadNotices)
    @api.response(200, MarkedSchema)
    @api.alt_response(400, description="the body is no JSON, or the CSRF token is missing")
    @api.alt_response(401, description="nobody is signed in")
    @api.alt_response(403, description="not a parent")
    @api.alt_response(422, description="no id")
    def post(self, asked: dict[str, Any]) -> Any:
        """Mark all notices up to one as read. Sent twice, the second time marks none."""
        with transaction(actor(), now()) as work:
            return {"marked": actions.read_notices(work, up_to=asked["up_to"])}


def _child(child: Child) -> dict[str, Any]:
    pupil, purse = child.pupil, child.purse
    return {
        "school_id": pupil.school_id,
        "pupil_id": pupil.id,
        "name": pupil.name,
        "class_name": pupil.class_name,
        "school": child.school.name(language()),
        "balance_minor": purse.balance_minor,
        "currency": purse.currency,
        "limit_minor_day": purse.limit_minor_day,
        "enough": child.enough and _enough(child.enough),
        "today": {"state": child.today.kind.value, "meals": [_meal(meal) for meal in child.today.eaten]},
        "last_meals": [_meal(meal) for meal in child.last_meals],
        "week": [{"day": day, "spent_minor": spent_minor} for day, spent_minor in child.week],
    }


def _enough(enough: Any) -> dict[str, Any]:
    return {"state": enough.reach.value, "days": enough.days, "until": enough.until}


def _meal(meal: Meal) -> dict[str, Any]:
    names = ("day", "at", "recorded_at", "meal", "till", "total_minor", "money_minor", "grace_minor", "courtesy_minor")
    plain = {name: getattr(meal, name) for name in (*names, "currency", "code", "undone_at")}
    return {"id": meal.sale_id, **plain, "items": [_item(item) for item in meal.items]}


def _item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name(language()),
        "price_minor": item.price_minor,
        "quantity": item.quantity,
        "is_set_meal": item.is_set_meal,
    }
