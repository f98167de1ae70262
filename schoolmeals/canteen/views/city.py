"""The city's day: all schools with their counts, whether they have closed, and the books over all."""

from datetime import date, timedelta
from typing import Any, Final

from schoolmeals import ledger
from schoolmeals.actors import Role
from schoolmeals.canteen import queries
from schoolmeals.canteen.menus import DayCounts
from schoolmeals.canteen.views.blueprint import pages
from schoolmeals.canteen.views.office import asked_day, today
from schoolmeals.canteen.words import account_name
from schoolmeals.database import reading
from schoolmeals.identity import OrganisationFacts
from schoolmeals.web import actor, guard, language, now, render, roles

SUNDAY: Final = 6
CITY: Final = roles(Role.CITY_ADMIN, Role.AUDITOR)


@pages.get("/city")
@guard(CITY)
def city() -> Any:
    """Every school's day in one line."""
    on = asked_day()
    with reading(actor(), now()) as work:
        counted = queries.city_counts(work, on)
        balance = ledger.trial_balance(work, [school.id for school, _ in counted])
    rows = [_row(school, counts) for school, counts in counted]
    names = ("set_meals", "buffet_sales", "refused", "total_minor", "fed", "pupils")
    return render(
        "canteen/city.html",
        day=on,
        before=_working_day(on, -1),
        after=_working_day(on, 1) if on < today() else None,
        rows=rows,
        totals={name: sum(row[name] for row in rows) for name in names},
        closed=sum(row["closed_at"] is not None for row in rows),
        balance=[
            {
                "name": account_name(row.purpose),
                "currency": row.currency,
                "debits_minor": row.debits_minor,
                "credits_minor": row.credits_minor,
            }
            for row in balance
        ],
        as_of=now(),
    )


def _working_day(on: date, step: int) -> date:
    """The day before or after, over Sundays: some schools teach on Saturdays, none on Sundays."""
    found = on + timedelta(days=step)
    return found + timedelta(days=step) if found.weekday() == SUNDAY else found


def _row(school: OrganisationFacts, counts: DayCounts) -> dict[str, Any]:
    return {
        "id": school.id,
        "name": school.name(language()),
        "set_meals": counts.set_meals,
        "buffet_sales": sum(one.buffet_sales for one in counts.sittings),
        "refused": sum(one.refused for one in counts.sittings),
        "total_minor": counts.total_minor,
        "fed": counts.fed,
        "pupils": counts.pupils,
        "closed_at": counts.closed_at,
    }
