"""Sittings and menus: anybody who is signed in reads what is sold, the school's office and the city keep it."""

from typing import Any, Final
from uuid import UUID

from flask import Response
from flask.views import MethodView
from flask_smorest.fields import Upload

from schoolmeals import identity
from schoolmeals.canteen.actions.imports import import_menus
from schoolmeals.canteen.actions.menus import (
    copy_day,
    end_sitting,
    hold_sitting,
    move_sitting,
    publish_menu,
    put_item,
    replace_item,
    take_off_item,
)
from schoolmeals.canteen.api.blueprint import KEEPERS, api, read_day
from schoolmeals.canteen.menu_files import MenuFile, template
from schoolmeals.canteen.menus import NewMenuItem
from schoolmeals.canteen.queries import menu_in_draft, menu_of, sittings_of
from schoolmeals.canteen.schemas import (
    CopySchema,
    DraftDaySchema,
    EndSchema,
    ItemIdSchema,
    LinesSchema,
    MenuDaySchema,
    MenuImportSchema,
    NewMenuItemSchema,
    NewSittingSchema,
    SittingHoursSchema,
    SittingListSchema,
    VersionSchema,
)
from schoolmeals.database import reading, transaction
from schoolmeals.web import PUBLIC_POLICY, SIGNED_IN, Schema, actor, frame, guard, now
from schoolmeals.web.problems import speak

LARGEST_FILE: Final = 5_000_000


class MenuFileSchema(Schema):
    """A CSV or XLSX of menus."""

    file = Upload(required=True, metadata={"description": "columns as in the template"})


@api.route("/schools/<uuid:school_id>/sittings")
class Sittings(MethodView):
    """A school's sittings."""

    @guard(SIGNED_IN)
    @api.response(200, SittingListSchema)
    @api.alt_response(404, description="no such school")
    def get(self, school_id: UUID) -> Any:
        """All of them, by hour, also those that are no longer held."""
        with reading(actor(), now()) as look:
            identity.organisation(look, school_id)
            return {"sittings": sittings_of(look, school_id)}

    @guard(KEEPERS)
    @api.arguments(NewSittingSchema)
    @api.response(201, ItemIdSchema)
    @api.alt_response(404, description="no school of yours")
    def post(self, wish: dict[str, Any], school_id: UUID) -> Any:
        """Hold another sitting."""
        with transaction(actor(), now()) as work:
            return {"id": hold_sitting(work, school_id, **wish)}


@api.route("/schools/<uuid:school_id>/sittings/<uuid:sitting_id>")
class OneSitting(MethodView):
    """One sitting."""

    @guard(KEEPERS)
    @api.arguments(SittingHoursSchema)
    @api.response(204)
    @api.alt_response(404, description="no such sitting in a school of yours")
    def put(self, wish: dict[str, Any], school_id: UUID, sitting_id: UUID) -> None:
        """Give it other hours."""
        with transaction(actor(), now()) as work:
            move_sitting(work, school_id, sitting_id, **wish)


@api.route("/schools/<uuid:school_id>/sittings/<uuid:sitting_id>/end")
class EndOfSitting(MethodView):
    """The end of a sitting."""

    @guard(KEEPERS)
    @api.arguments(EndSchema)
    @api.response(204)
    @api.alt_response(404, description="no such sitting in a school of yours")
    def post(self, wish: dict[str, Any], school_id: UUID, sitting_id: UUID) -> None:
        """Hold it no longer from a day on."""
        with transaction(actor(), now()) as work:
            end_sitting(work, school_id, sitting_id, on=wish["on"])


@api.route("/schools/<uuid:school_id>/menus/<day>")
class MenuOfDay(MethodView):
    """What a school sells on a day."""

    @guard(SIGNED_IN)
    @api.response(200, MenuDaySchema)
    @api.alt_response(404, description="no such school")
    @api.alt_response(422, description="no such day")
    def get(self, school_id: UUID, day: str) -> Any:
        """The published menus of a day."""
        with reading(actor(), now()) as look:
            identity.organisation(look, school_id)
            return {"menus": menu_of(look, school_id, read_day(day))}


@api.route("/schools/<uuid:school_id>/menus/<day>/draft")
class DraftOfDay(MethodView):
    """A day's menus for those who keep them."""

    @guard(KEEPERS)
    @api.response(200, DraftDaySchema)
    @api.alt_response(404, description="no school of yours")
    @api.alt_response(422, description="no such day")
    def get(self, school_id: UUID, day: str) -> Any:
        """The menus of a day with their drafts."""
        with reading(actor(), now()) as look:
            return {"menus": menu_in_draft(look, school_id, read_day(day))}


@api.route("/schools/<uuid:school_id>/menus/<day>/copy")
class CopyOfDay(MethodView):
    """Copying a day."""

    @guard(KEEPERS)
    @api.arguments(CopySchema)
    @api.response(200, LinesSchema)
    @api.alt_response(404, description="no school of yours, or no menu on that day")
    @api.alt_response(409, description="the day is over or closed")
    def post(self, wish: dict[str, Any], school_id: UUID, day: str) -> Any:
        """Draft this day as another day was sold."""
        with transaction(actor(), now()) as work:
            copied = copy_day(work, school_id, source=wish["source"], target=read_day(day), zone=frame().zone)
            return {"lines": copied}


@api.route("/schools/<uuid:school_id>/menus/<day>/<uuid:sitting_id>/items")
class DraftItems(MethodView):
    """Lines of a draft."""

    @guard(KEEPERS)
    @api.arguments(NewMenuItemSchema)
    @api.response(201, ItemIdSchema)
    @api.alt_response(404, description="no such sitting in a school of yours")
    @api.alt_response(409, description="the day is over or closed, or the menu is full")
    def post(self, item: NewMenuItem, school_id: UUID, day: str, sitting_id: UUID) -> Any:
        """Add a line. It is sold once the menu is published."""
        with transaction(actor(), now()) as work:
            return {"id": put_item(work, school_id, read_day(day), sitting_id, item, zone=frame().zone)}


@api.route("/schools/<uuid:school_id>/menus/<day>/<uuid:sitting_id>/publish")
class Publishing(MethodView):
    """Publishing a menu."""

    @guard(KEEPERS)
    @api.response(200, VersionSchema)
    @api.alt_response(404, description="no such sitting in a school of yours")
    @api.alt_response(409, description="the day is over or closed, the menu is empty, or nothing has changed")
    @api.alt_response(422, description="no such day")
    def post(self, school_id: UUID, day: str, sitting_id: UUID) -> Any:
        """Sell the draft from now on."""
        with transaction(actor(), now()) as work:
            return {"version": publish_menu(work, school_id, read_day(day), sitting_id, zone=frame().zone)}


@api.route("/schools/<uuid:school_id>/menu-items/<uuid:item_id>")
class OneItem(MethodView):
    """One line of a draft."""

    @guard(KEEPERS)
    @api.arguments(NewMenuItemSchema)
    @api.response(200, ItemIdSchema)
    @api.alt_response(404, description="no such line in the draft of a school of yours")
    @api.alt_response(409, description="the day is over or closed")
    def put(self, item: NewMenuItem, school_id: UUID, item_id: UUID) -> Any:
        """Write it anew. A line that was published gets another id, for what was sold is never changed."""
        with transaction(actor(), now()) as work:
            return {"id": replace_item(work, school_id, item_id, item, zone=frame().zone)}

    @guard(KEEPERS)
    @api.response(204)
    @api.alt_response(404, description="no such line in the draft of a school of yours")
    @api.alt_response(409, description="the day is over or closed")
    def delete(self, school_id: UUID, item_id: UUID) -> None:
        """Take it off the draft."""
        with transaction(actor(), now()) as work:
            take_off_item(work, school_id, item_id, zone=frame().zone)


@api.route("/schools/<uuid:school_id>/menu-imports")
class MenuImports(MethodView):
    """Menus from files."""

    @guard(KEEPERS)
    @api.arguments(MenuFileSchema, location="files")
    @api.response(200, MenuImportSchema)
    @api.alt_response(404, description="no school of yours")
    @api.alt_response(413, description="the file is too large")
    def post(self, files: dict[str, Any], school_id: UUID) -> Any:
        """Draft the good lines of a CSV or XLSX, and hear what is wrong with the others."""
        content = files["file"].stream.read(LARGEST_FILE + 1)
        with transaction(actor(), now()) as work:
            return _import_json(import_menus(work, school_id, content, zone=frame().zone))


@api.route("/menu-template.csv")
class MenuTemplate(MethodView):
    """The template for menus from files."""

    @guard(PUBLIC_POLICY)
    @api.response(200, content_type="text/csv", description="a CSV with two examples")
    def get(self) -> Response:
        """The columns' names, and an example of each kind of line."""
        answer = Response(template(), mimetype="text/csv")
        answer.headers["Content-Disposition"] = "attachment; filename=menu-template.csv"
        return answer


def _import_json(found: MenuFile) -> dict[str, Any]:
    problems = [
        {"line": bad.line, "column": bad.column, "code": bad.problem.code, "sentence": speak(bad.problem)}
        for bad in found.bad
    ]
    return {"lines": found.lines, "days": sorted({day for day, _ in found.menus}), "problems": problems}
