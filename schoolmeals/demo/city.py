"""The demo city, made from an empty database only by the rooms' own deeds, each at its own past instant.

The chances of its life come from a fixed seed, its dates from the present: the same city, never out of date. The city
admin comes last, so a city without her is one whose making was interrupted; it is thrown away and made anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from sqlalchemy import create_engine, event, text

from schoolmeals import identity, wallet
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.canteen.served import tell_served_meals
from schoolmeals.config import Settings
from schoolmeals.database import db, reading, transaction
from schoolmeals.demo.bidders import FIRMS
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.days import fill_purses, live_day, publish_next
from schoolmeals.demo.families import (
    CASHIER,
    CASHIER_PIN,
    CITY_ADMIN,
    DEMO,
    DEMO_GUARDIANS,
    OFFICE,
    STAFF,
    Adult,
    Child,
    DemoRole,
    Town,
    plan_town,
    staff_of_school,
)
from schoolmeals.demo.plans import plan_meals
from schoolmeals.demo.schools import Keys, Site, equip_school, found_school, office_of
from schoolmeals.demo.side_by_side import Hurry, live_side_by_side
from schoolmeals.demo.tenders import found_market, hold_tenders
from schoolmeals.identity.actions.devices import renew_enrolment
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.queries import DemoPerson, devices_of, organisations
from schoolmeals.identity.queries import demo_people as people_of_the_demo
from schoolmeals.jobs import defer
from schoolmeals.keys import derive_key
from schoolmeals.web.frame import frame
from schoolmeals.workdays import Calendar, local_day

CARD_NUMBERS: Final = "pupils card numbers"
"""The purpose of the key under which doors look card numbers up."""
MENUS_AHEAD: Final = 5
SERVED_TOLD: Final = time(20)
GROWING: Final = ("account", "sale", "sale_line", "journal_entry", "posting", "menu_item")
"""Tables that a day's taps fill and look into."""
CODES_LAST: Final = timedelta(days=7)
TENDERS: Final = "demo.tenders"
"""The job that holds the city's tenders, while its first visitors look at the rest."""
LEAST_PUPILS: Final = 5
"""In each school: the demo families must find room."""
ORGANISATIONS: Final = {
    "city": ("Қалалық білім басқармасы", "Городское управление образования", "City education department"),
    "supplier": ("«Дастарқан» ЖШС", "ТОО «Дастаркан»", "Dastarkhan LLP"),
    "state": ("Шағымдарды қарау комиссиясы", "Комиссия по жалобам", "Complaints commission"),
}
NUMBERS: Final = {"supplier": FIRMS[0].number}
"""Of a supplier the registers are asked by its number."""


@dataclass(frozen=True, slots=True)
class Plot:
    """What one school's life is made from."""

    place: int
    school_id: UUID
    office_id: UUID
    cashier_id: UUID
    children: list[Child]


@dataclass(frozen=True, slots=True)
class Dates:
    """When the city is founded, the school days that it lives, and those whose menus are published ahead."""

    founded: date
    lived: Sequence[date]
    ahead: Sequence[date]


def seed_city(now: datetime, *, zone: ZoneInfo, schools: int = 4, pupils: int = 800, days: int = 30) -> None:
    """Make the city up to ``now``: ``pupils`` in all of ``schools``, with ``days`` school days before today.

    Needs an app context and a migrated, empty database. Shows on a terminal how far it is. Raises Interrupted.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    site = _site(frame().settings, now, zone)
    enough = max(pupils, LEAST_PUPILS * schools)
    town = plan_town(chance_of("town"), schools=schools, pupils=enough, today=local_day(now, zone))
    dates = _dates(site, _fill_calendar(site), days)
    plots = _found_city(site, town, dates.founded)
    with _commits_unawaited():
        live_side_by_side(
            [partial(_live, app, site, plot, dates) for plot in plots],
            steps=schools * (len(dates.lived) + 2),
            label="Making the demo city",
            on_fork=partial(db.engine.dispose, close=False),
        )
        plan_meals(site)
        found_market(site)
    _come_last(site, dates.founded)


def tell_tenders(now: datetime) -> None:
    """Hold the tenders of a city that was made at ``now``."""
    hold_tenders(_site(frame().settings, now, frame().zone))


def is_unfinished() -> bool:
    """Whether somebody began to make the city here and was interrupted."""
    with reading(SYSTEM, frame().clock()) as look:
        return bool(identity.schools(look)) and not _is_finished(people_of_the_demo(look, f"@{DEMO}"))


def demo_people() -> list[str]:
    """A line for each demo person, to be printed; none where there is no finished city."""
    with reading(SYSTEM, frame().clock()) as look:
        people = people_of_the_demo(look, f"@{DEMO}")
    if not _is_finished(people):
        return []
    return [_line(list(roles)) for _, roles in groupby(people, key=lambda one: one.id)]


def till_codes() -> list[tuple[str, str]]:
    """For each school that has a till which nobody has taken into use: its name, and a fresh code to enrol it."""
    keys = identity.Keyring.of(frame().settings.secret_key)
    with transaction(SYSTEM, frame().clock()) as work:
        waiting = [
            (school, till)
            for school in identity.schools(work)
            for till in devices_of(work, school.id)
            if till.enrolled_at is None and till.revoked_at is None
        ]
        return [
            (school.name_en, shown_code(renew_enrolment(work, school.id, till.id, keys=keys, within=CODES_LAST)))
            for school, till in waiting
        ]


def _is_finished(people: Sequence[DemoPerson]) -> bool:
    return any(one.role is Role.CITY_ADMIN for one in people)


def _line(roles: Sequence[DemoPerson]) -> str:
    first = roles[0]
    places = ", ".join(one.place.name_en for one in roles if one.place is not None)
    pin = f", PIN {CASHIER_PIN}" if first.role is Role.CASHIER else ""
    role = first.role.value.replace("-", " ") if first.role is not None else ""
    return f"{first.name:<24} {role}{pin}, {places}"


def _site(settings: Settings, now: datetime, zone: ZoneInfo) -> Site:
    return Site(
        now=now,
        zone=zone,
        keys=Keys(derive_key(settings.secret_key, CARD_NUMBERS), identity.Keyring.of(settings.secret_key)),
        bounds=wallet.TopUpBounds(settings.top_up_min_minor, settings.top_up_max_minor, settings.top_up_step_minor),
        cash_bounds=wallet.TopUpBounds(100, settings.top_up_max_minor, 100),
    )


def _fill_calendar(site: Site) -> Calendar:
    """Write the country's holidays around the present, and give the calendar that every school begins with."""
    year = local_day(site.now, site.zone).year
    with site.deed(SYSTEM, site.now) as work:
        identity.seed_calendar(work, range(year - 1, year + 2))
        return identity.calendar_of(work, uuid4())


def _dates(site: Site, calendar: Calendar, days: int) -> Dates:
    today = local_day(site.now, site.zone)
    lived = calendar.last_school_days(today, days + calendar.is_school_day(today))
    ahead: list[date] = []
    while len(ahead) < MENUS_AHEAD:
        following = calendar.next_school_day(ahead[-1] if ahead else today)
        assert following is not None, "there is a school day within a year"
        ahead.append(following)
    return Dates(lived[0] - timedelta(days=7), lived, ahead)


def _found_city(site: Site, town: Town, on: date) -> list[Plot]:
    """The city's and the supplier's organisations, the schools, the demo people, and the staff of every school."""
    with site.deed(SYSTEM, site.at(on, time(8))) as work:
        places = {
            kind: identity.new_organisation(
                work, kind=kind, name_kk=kk, name_ru=ru, name_en=en, identifier=NUMBERS.get(kind)
            )
            for kind, (kk, ru, en) in ORGANISATIONS.items()
        }
        school_ids = [found_school(work, place) for place in range(len(town.children))]
        places["school"] = school_ids[0]
    _sign_up_first(site, town, on)
    ids = {one.email: _employ(site, one, places, on, nth) for nth, one in enumerate(STAFF)}
    plots = []
    for place, school_id in enumerate(school_ids):
        office_id, cashier_id = ids[OFFICE.email], ids[CASHIER.email]
        if place:
            places["school"] = school_id
            office_id, cashier_id = (_employ(site, one, places, on, place) for one in staff_of_school(place))
        plots.append(Plot(place, school_id, office_id, cashier_id, town.children[place]))
    return plots


def _sign_up_first(site: Site, town: Town, on: date) -> None:
    """Demo guardians, in the order in which they are shown, and whoever has children in several schools."""
    schools_of: dict[str, set[int]] = {}
    adults: dict[str, Adult] = {}
    for place, children in enumerate(town.children):
        for adult in (adult for child in children for adult in child.adults):
            adults[adult.email] = adult
            schools_of.setdefault(adult.email, set()).add(place)
    shown = [adults[one.email] for one in DEMO_GUARDIANS]
    others = [adult for email, adult in adults.items() if len(schools_of[email]) > 1 and adult not in shown]
    for nth, adult in enumerate([*shown, *others]):
        with site.deed(SYSTEM, site.at(on, time(8, 5), nth)) as work:
            adult.id = identity.new_person(work, name=adult.name, email=adult.email, language=adult.language)


def _employ(site: Site, one: DemoRole, places: Mapping[str, UUID], on: date, nth: int) -> UUID:
    with site.deed(SYSTEM, site.at(on, time(8, 30), nth)) as work:
        person_id = identity.new_person(work, name=one.name, email=one.email, language=one.language)
        identity.grant_role(work, person_id, one.role, places[one.where])
    return person_id


def _come_last(site: Site, on: date) -> None:
    with reading(SYSTEM, site.now) as look:
        city = next(one.id for one in organisations(look, ["city"]))
    _employ(site, CITY_ADMIN, {"city": city}, on, len(STAFF))
    with transaction(SYSTEM, site.now) as work:
        defer(work, TENDERS, lock=TENDERS, now=site.now.isoformat())


def _live(app: Flask, site: Site, plot: Plot, dates: Dates, hurry: Hurry) -> None:
    """One school, from its founding to the present."""
    site = replace(site, check=hurry.check)
    with app.app_context():
        office = office_of(plot.school_id, plot.office_id)
        school = equip_school(site, plot.place, plot.school_id, office, plot.cashier_id, plot.children, dates.founded)
        hurry.step()
        fill_purses(site, school, dates.founded)
        hurry.step()
        before = dates.founded
        for number, day in enumerate(dates.lived):
            live_day(site, school, day, number, publish_next(site, school, day, number, before))
            with site.deed(SYSTEM, site.at(day, SERVED_TOLD)) as work:
                tell_served_meals(work, school.id, day, day)
            before = day
            hurry.step()
            if number == 0:
                _count_rows()
        for number, day in enumerate(dates.ahead, len(dates.lived)):
            publish_next(site, school, day, number, before)


def _count_rows() -> None:
    """Let PostgreSQL count the rows of a day now. By itself it does so once a minute, and until then plans as for empty
    tables: it would look for a sale among all of its school's, and every day would take longer than the one before.
    """
    settings = frame().settings
    engine = create_engine(settings.database_owner_url or settings.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE {', '.join(GROWING)}"))
    engine.dispose()


@contextmanager
def _commits_unawaited() -> Iterator[None]:
    """Do not wait for the disk after each deed. The last deed of all waits for itself and so for all before it."""

    def hurry(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute("SET synchronous_commit TO off")
        connection.autocommit = False

    engine = db.engine
    event.listen(engine, "connect", hurry)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", hurry)
        engine.dispose()
