"""The demo city's annual plan: lunches of the coming year for each school, and of this year's autumn once more."""

from datetime import date
from typing import Final

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Grant, Role, person
from schoolmeals.database import reading
from schoolmeals.demo.families import DEMO, OFFICER
from schoolmeals.demo.schools import Site
from schoolmeals.identity.queries import demo_people, organisations
from schoolmeals.procurement.actions import plans
from schoolmeals.procurement.needing import pupils_of_school
from schoolmeals.procurement.rules.planning import NewPlanLine
from schoolmeals.workdays import local_day

SPANS: Final = (((1, 11), (5, 25), (1, 20)), ((9, 1), (12, 30), (5, 20)))
"""First and last day of meals, and the day of the announcement: month and day of the next year."""
PRICE_MINOR: Final = 850_00
PROFILE: Final = "kz-catering-points"


def plan_meals(site: Site) -> None:
    """Let the officer plan the next year; the last line is still a draft."""
    with reading(SYSTEM, site.now) as look:
        city_id = next(one.id for one in organisations(look, ["city"]))
        schools = identity.schools(look)
        ids = {one.name: one.id for one in demo_people(look, f"@{DEMO}")}
        pupils = {school.id: pupils_of_school(look, school.id) for school in schools}
        calendars = {school.id: identity.calendar_of(look, school.id) for school in schools}
    officer = person(ids[OFFICER.name], [Grant(Role.PROCUREMENT_OFFICER, city_id)])
    year = local_day(site.now, site.zone).year + 1
    wanted = [(school, span) for span in SPANS for school in schools]
    for school, (first, last, announced) in wanted:
        starts_on, ends_on = date(year, *first), date(year, *last)
        meals = sum(pupils[school.id].values()) * len(calendars[school.id].school_days(starts_on, ends_on))
        line = NewPlanLine(
            school_id=school.id,
            year=year,
            title=_title(school, year, is_spring=first[0] == 1),
            profile_code=PROFILE,
            starts_on=starts_on,
            ends_on=ends_on,
            pupils=pupils[school.id],
            meals=["lunch"],
            amount_minor=max(meals, 1) * PRICE_MINOR,
            announce_on=date(year - 1, 11, 20) if first[0] == 1 else date(year, *announced),
        )
        with site.deed(officer, site.now) as work:
            line_id = plans.add_plan_line(work, city_id, line)
            if (school, (first, last, announced)) != wanted[-1]:
                plans.publish_plan_line(work, line_id)


def _title(school: identity.OrganisationFacts, year: int, *, is_spring: bool) -> dict[str, str]:
    kk, ru, en = ("көктем", "весна", "spring") if is_spring else ("күз", "осень", "autumn")
    return {
        "kk": f"{school.name_kk}: {year} жылғы түскі ас, {kk}",
        "ru": f"{school.name_ru}: обеды на {year} год, {ru}",
        "en": f"{school.name_en}: lunches in {year}, {en}",
    }
