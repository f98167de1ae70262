"""A school's day for its office: what was served and what came in, taking a sale back, closing the day."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity, pupils, wallet
from schoolmeals.actors import Role
from schoolmeals.canteen import queries
from schoolmeals.canteen.actions.days import close_day
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.menus import DayCounts, MealFacts, SittingCount
from schoolmeals.canteen.views.blueprint import pages
from schoolmeals.canteen.views.forms import read_day, read_id
from schoolmeals.canteen.views.office import OFFICE, again, asked_day, day_url, own_school, school_name, today
from schoolmeals.canteen.views.tally import (
    buffet_of,
    day_csv,
    refusals_of,
    state_of,
    top_ups_by_method,
    what_it_was,
)
from schoolmeals.canteen.words import account_name, code_name, sitting_name
from schoolmeals.clock import in_utc
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.pupils import PupilFacts
from schoolmeals.web import actor, frame, guard, language, now, render, roles
from schoolmeals.web.charts import Bar, level_bars
from schoolmeals.web.formats import grouped, money
from schoolmeals.workdays import Calendar

READERS: Final = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN, Role.AUDITOR)
UNDOERS: Final = roles(Role.SCHOOL_OFFICE)
ONE_DAY: Final = timedelta(days=1)
SALES_ON_A_PAGE: Final = 50
COUNTED: Final = ("set_meals", "pupils", "buffet_sales", "refused", "undone", "total_minor")


@pages.get("/day", defaults={"school_id": None})
@pages.get("/school/<uuid:school_id>/day")
@guard(READERS)
def day(school_id: UUID | None) -> Any:
    """What a day has served and what came in."""
    if school_id is None:
        return redirect(url_for("canteen.day", school_id=own_school()), code=303)
    on = asked_day()
    only_refused = request.args.get("show") == "refused"
    page = max(1, request.args.get("page", 1, type=int))
    with reading(actor(), now()) as work:
        sales = queries.sales_of_day(work, school_id, on)
        listed = [one for one in sales if one.verdict == "refused"] if only_refused else sales
        shown = listed[(page - 1) * SALES_ON_A_PAGE : page * SALES_ON_A_PAGE]
        context = {
            **_head(work, school_id, on),
            "counts": _counts(queries.day_counts(work, school_id, on)),
            "buffet": buffet_of(sales, language()),
            "refusals": [(code, code_name(code), count) for code, count in refusals_of(sales)],
            "without_card": pupils.pupils_of_school(work, school_id, without_card=True, per_page=1).total,
            "top_ups": top_ups_by_method(wallet.top_ups_of_school_day(work, school_id, *_span(on))),
            "sales": _sales(work, school_id, shown),
            "balance": [_balance_row(row) for row in _kept_balance(work, school_id, on)],
        }
    return render("canteen/day.html", **context, **_paging(len(listed), page, only_refused=only_refused))


@pages.get("/school/<uuid:school_id>/day.csv")
@guard(READERS)
def day_file(school_id: UUID) -> Any:
    """All taps of a day as a file for spreadsheets."""
    on = asked_day()
    with reading(actor(), now()) as work:
        sales = queries.sales_of_day(work, school_id, on)
        content = day_csv(sales, _pupils(work, school_id, sales), language=language(), zone=frame().zone)
    answer = Response(content, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="day-{on.isoformat()}.csv"'
    return answer


@pages.get("/school/<uuid:school_id>/day/<day>/sale/<uuid:sale_id>/undo")
@guard(UNDOERS)
def ask_undo(school_id: UUID, day: str, sale_id: UUID) -> Any:
    """A sale, and why it shall be taken back."""
    return render("canteen/undo.html", **_sale(school_id, read_day(day), sale_id), undo_id=new_id(now()), reason="")


@pages.post("/school/<uuid:school_id>/day/<day>/sale/<uuid:sale_id>/undo")
@guard(UNDOERS)
def undo(school_id: UUID, day: str, sale_id: UUID) -> Any:
    """Take a sale back, with a reason. The form's own id makes a double click one undoing."""
    on, reason = read_day(day), request.form.get("reason", "")
    undo_id = read_id(request.form, "undo_id")
    try:
        with transaction(actor(), now()) as work:
            undo_sale(work, school_id, sale_id, undo_id=undo_id, reason=reason)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/undo.html", **_sale(school_id, on, sale_id), undo_id=undo_id, reason=reason)
    flash(gettext("The sale is taken back. The money is in the purse again."), "good")
    return redirect(day_url(school_id, on), code=303)


@pages.get("/school/<uuid:school_id>/day/<day>/close")
@guard(OFFICE)
def check_closing(school_id: UUID, day: str) -> Any:
    """The day's counts and the school's books, before the day is closed."""
    return render("canteen/close.html", **_closing(school_id, read_day(day)))


@pages.post("/school/<uuid:school_id>/day/<day>/close")
@guard(OFFICE)
def close(school_id: UUID, day: str) -> Any:
    """Close the day."""
    on = read_day(day)
    try:
        with transaction(actor(), now()) as work:
            close_day(work, school_id, on, zone=frame().zone)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/close.html", **_closing(school_id, on))
    flash(gettext("The day is closed. Its counts and the trial balance are kept."), "good")
    return redirect(day_url(school_id, on), code=303)


def _head(work: Work, school_id: UUID, on: date) -> dict[str, Any]:
    who, calendar = actor(), identity.calendar_of(work, school_id)
    return {
        "school_id": school_id,
        "school": school_name(work, school_id),
        "day": on,
        "before": next(iter(calendar.last_school_days(on - ONE_DAY, 1)), None),
        "after": _day_after(calendar, on),
        "is_today": on == today(),
        "is_future": on > today(),
        "as_of": now(),
        "may_undo": who.has_role_in(school_id, [Role.SCHOOL_OFFICE]),
        "may_close": who.has_role_in(school_id, [Role.SCHOOL_OFFICE, Role.CITY_ADMIN]),
        "errors": {},
    }


def _day_after(calendar: Calendar, on: date) -> date | None:
    """The next school day up to today; today itself after the last one."""
    if on >= today():
        return None
    after = calendar.next_school_day(on)
    return after if after and after <= today() else today()


def _counts(counts: DayCounts) -> dict[str, Any]:
    rows = [{"facts": one, "name": sitting_name(one, counts.sittings)} for one in counts.sittings]
    bars = [Bar(row["name"], one.set_meals, grouped(one.set_meals, language())) for row, one in _paired(rows)]
    title = gettext("Set meals by meal")
    totals = {name: sum(getattr(one, name) for one in counts.sittings) for name in COUNTED}
    return {
        "facts": counts,
        "rows": rows,
        "chart": level_bars(bars, name="set-meals", title=title, description=title) if len(bars) > 1 else None,
        "bars": [[bar.label, bar.shown] for bar in bars],
        "cells": [_cells(row["name"], _numbers(one), counts.currency) for row, one in _paired(rows)],
        "foot": _cells(gettext("Total"), totals, counts.currency),
    }


def _numbers(one: SittingCount) -> dict[str, int]:
    """What is counted of one sitting, by name."""
    return {name: getattr(one, name) for name in COUNTED}


def _cells(name: str, numbers: dict[str, int], currency: str) -> list[str]:
    """One row of the counts: name, numbers, sum."""
    counted = [grouped(numbers[one], language()) for one in COUNTED[:-1]]
    return [name, *counted, money(numbers["total_minor"], currency, language())]


def _paired(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Any]]:
    return [(row, row["facts"]) for row in rows]


def _sales(work: Work, school_id: UUID, sales: list[MealFacts]) -> list[dict[str, Any]]:
    known = _pupils(work, school_id, sales)
    return [_shown(one, known.get(one.pupil_id) if one.pupil_id else None) for one in sales]


def _shown(sale: MealFacts, pupil: PupilFacts | None) -> dict[str, Any]:
    return {
        "facts": sale,
        "pupil": pupil,
        "what": what_it_was(sale, language()),
        "state": state_of(sale),
        "kind": "bad" if sale.code else "neutral" if sale.undone_at else "good",
    }


def _pupils(work: Work, school_id: UUID, sales: list[MealFacts]) -> dict[UUID, PupilFacts]:
    """The pupils of taps that the actor may see; also of those who have left since."""
    ids = {one.pupil_id for one in sales if one.pupil_id is not None}
    return dict(pupils.till_facts(work, school_id, number_hashes=[], pupil_ids=sorted(ids)).pupils)


def _sale(school_id: UUID, on: date, sale_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        found = next((one for one in queries.sales_of_day(work, school_id, on) if one.sale_id == sale_id), None)
        if found is None:
            raise NotFound
        return {**_head(work, school_id, on), "sale": _sales(work, school_id, [found])[0]}


def _closing(school_id: UUID, on: date) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        counts = queries.day_counts(work, school_id, on)
        rows = queries.trial_balance_of(work, school_id)
        context = {**_head(work, school_id, on), "counts": _counts(counts)}
        balance = [_balance_row((row.purpose, row.currency, row.debits_minor, row.credits_minor)) for row in rows]
    return {**context, "balance": balance}


def _kept_balance(work: Work, school_id: UUID, on: date) -> list[tuple[str, str, int, int]]:
    """The trial balance as it was when the day was closed; nothing before."""
    closing = queries.closing_of(work, school_id, on)
    rows = closing.trial_balance if closing else []
    return [(row["purpose"], row["currency"], row["debits_minor"], row["credits_minor"]) for row in rows]


def _balance_row(row: tuple[str, str, int, int]) -> dict[str, Any]:
    purpose, currency, debits_minor, credits_minor = row
    return {
        "name": account_name(purpose),
        "currency": currency,
        "debits_minor": debits_minor,
        "credits_minor": credits_minor,
    }


def _span(on: date) -> tuple[datetime, datetime]:
    """The school's day as instants."""
    start = datetime.combine(on, time(), frame().zone)
    end = datetime.combine(on + ONE_DAY, time(), frame().zone)
    return in_utc(start), in_utc(end)


def _paging(total: int, page: int, *, only_refused: bool) -> dict[str, Any]:
    def to(number: int) -> str:
        arguments = {**(request.view_args or {}), **request.args.to_dict(), "page": number}
        return url_for("canteen.day", **arguments) + "#sales"

    first = (page - 1) * SALES_ON_A_PAGE
    return {
        "only_refused": only_refused,
        "total": total,
        "previous_href": to(page - 1) if page > 1 else None,
        "next_href": to(page + 1) if first + SALES_ON_A_PAGE < total else None,
        "range": f"{first + 1}–{min(first + SALES_ON_A_PAGE, total)} / {total}" if total else None,
    }
