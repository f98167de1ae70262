"""The demo city's tenders: one that takes bids, one under discussion, one under review, and a draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Actor, Grant, Role, person
from schoolmeals.database import Work, reading
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.families import DEMO, OFFICER, REVIEWER
from schoolmeals.demo.names import new_family
from schoolmeals.demo.schools import Site
from schoolmeals.identity.queries import demo_people, organisations
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import commission, drafting, draws, publishing, reviewing
from schoolmeals.procurement.actions.draws import NewPoolMember
from schoolmeals.procurement.queries.commission import commission as commission_of
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.need import AGE_GROUPS
from schoolmeals.procurement.sealing import new_member_key
from schoolmeals.workdays import local_day

PROFILE: Final = "kz-catering-points"
POOL: Final = (("parents", 4), ("trustees", 1), ("education", 3), ("health", 3), ("ngo", 2))
CEILINGS_MINOR: Final = dict(zip(AGE_GROUPS, (790_00, 850_00, 910_00), strict=True))
CONTRACT_DAYS: Final = ((1, 11), (5, 25))
"""Month and day of the first and the last, in the next year."""
SEED_SOURCE: Final = "Ұлттық банктің ресми бағамдары / Официальные курсы Национального банка: USD, EUR, RUB"
BIDDING_DAYS: Final = 30
DISHES: Final = (
    ("Борщ, палау, компот", "Борщ, плов, компот", "Borscht, pilaf, fruit drink"),
    ("Тауық сорпасы, қарақұмық, шай", "Куриный суп, гречка, чай", "Chicken soup, buckwheat, tea"),
    ("Көже, котлет пен картоп езбесі, сүт", "Суп, котлета с пюре, молоко", "Soup, cutlet with mash, milk"),
    ("Бұршақ көже, балық пен күріш, шырын", "Гороховый суп, рыба с рисом, сок", "Pea soup, fish with rice, juice"),
    ("Кеспе көже, қуырдақ, шай", "Суп-лапша, куырдак, чай", "Noodle soup, kuyrdak, tea"),
)


@dataclass(frozen=True, slots=True)
class Town:
    """Who makes tenders, for which schools."""

    city_id: UUID
    officer: Actor
    reviewer: Actor
    schools: Sequence[identity.OrganisationFacts]


def hold_tenders(site: Site) -> None:
    """Let the city's tenders come to where they stand now."""
    town = _town(site)
    _fill_pool(site, town)
    _published(site, town, 0, timedelta(days=14))
    _published(site, town, 1, timedelta(days=1))
    reviewed = _draft(site, town, 2, site.now - timedelta(days=2))
    with site.deed(town.officer, site.now - timedelta(days=1)) as work:
        reviewing.submit_for_review(work, reviewed)
    with site.deed(town.officer, site.now - timedelta(hours=3)) as work:
        _open(work, town, 3)


def _town(site: Site) -> Town:
    with reading(SYSTEM, site.now) as look:
        city_id = next(one.id for one in organisations(look, ["city"]))
        schools = identity.schools(look)
        ids = {one.name: one.id for one in demo_people(look, f"@{DEMO}")}
    grants = [Grant(Role.PROCUREMENT_OFFICER, city_id)]
    return Town(city_id, person(ids[OFFICER.name], grants), person(ids[REVIEWER.name], grants), schools)


def _fill_pool(site: Site, town: Town) -> None:
    chance = chance_of("pool")
    for constituency, count in POOL:
        for place in range(count):
            family = new_family(chance)
            name = family.parent(is_mother=bool(place % 2))
            surname, given_name = name.split(" ", 1)
            with site.deed(SYSTEM, site.now - timedelta(days=20)) as work:
                email = f"{constituency}{place}@members.example"
                person_id = identity.new_person(work, name=name, email=email, language=family.language)
                identity.grant_role(work, person_id, Role.COMMISSION_MEMBER, town.city_id)
            member = NewPoolMember(
                person_id=person_id, surname=surname, given_name=given_name, constituency=constituency
            )
            with site.deed(town.officer, site.now - timedelta(days=20)) as work:
                draws.add_pool_member(work, town.city_id, member)


def _published(site: Site, town: Town, place: int, ago: timedelta) -> None:
    at = site.now - ago
    tender_id = _draft(site, town, place, at - timedelta(days=3))
    _draw(site, town, tender_id, at - timedelta(days=2))
    with site.deed(town.officer, at - timedelta(hours=5)) as work:
        reviewing.submit_for_review(work, tender_id)
    with site.deed(town.reviewer, at - timedelta(hours=2)) as work:
        reviewing.approve_tender(work, tender_id)
    with site.deed(town.officer, at) as work:
        publishing.publish_tender(work, tender_id, act_id=new_id(work.now), zone=site.zone)


def _open(work: Work, town: Town, place: int) -> UUID:
    school = town.schools[place % len(town.schools)]
    title = _title(school, work.now.year + 1)
    return drafting.open_draft(work, town.city_id, profile_code=PROFILE, title=title)


def _title(school: identity.OrganisationFacts, year: int) -> dict[str, str]:
    return _texts(
        f"{school.name_kk}: {year} жылғы түскі ас",
        f"{school.name_ru}: обеды на {year} год",
        f"{school.name_en}: lunches in {year}",
    )


def _draft(site: Site, town: Town, place: int, at: datetime) -> UUID:
    """A draft that lacks nothing, for one school."""
    school = town.schools[place % len(town.schools)]
    first, last = (date(local_day(site.now, site.zone).year + 1, *day) for day in CONTRACT_DAYS)
    with site.deed(town.officer, at) as work:
        tender_id = _open(work, town, place)
        lot_id = drafting.add_lot(work, tender_id, school.id)
        days = len(identity.calendar_of(work, school.id).school_days(first, last))
        for name, content in _tender_sections(_title(school, first.year), first, last).items():
            drafting.edit_section(work, tender_id, name, content)
        for name, content in _lot_sections(days).items():
            drafting.edit_section(work, tender_id, name, content, lot_id=lot_id)
        items = [NewItem(age_group=group, meal="lunch", ceiling_minor=CEILINGS_MINOR[group]) for group in AGE_GROUPS]
        drafting.set_items(work, tender_id, lot_id, items)
        drafting.compute_need(work, tender_id, lot_id)
    return tender_id


def _draw(site: Site, town: Town, tender_id: UUID, at: datetime) -> None:
    """Announced one day, drawn the next; whoever was drawn accepts and makes a key at once."""
    with site.deed(town.officer, at) as work:
        draws.announce_draw(work, tender_id, seed_source=SEED_SOURCE, seed_not_before=at + timedelta(days=1))
    seed = " ".join(f"{rate / 100:.2f}" for rate in chance_of("rates", at.date()).sample(range(600, 60_000), 3))
    drawn_at = at + timedelta(days=1, minutes=5)
    with site.deed(town.officer, drawn_at) as work:
        draws.draw_members(work, tender_id, seed)
        commission.appoint_secretary(work, tender_id, _id_of(town.reviewer))
        seats = commission_of(work, tender_id).seats
    for seat in seats:
        if seat.accepted_at is None:
            member = person(seat.person_id, [Grant(Role.COMMISSION_MEMBER, town.city_id)])
            with site.deed(member, drawn_at + timedelta(hours=1)) as work:
                commission.accept_appointment(work, tender_id)
                commission.publish_key(work, tender_id, new_member_key()[1])


def _id_of(actor: Actor) -> UUID:
    assert actor.id is not None, "an officer is a person"
    return actor.id


def _texts(kk: str, ru: str, en: str) -> dict[str, str]:
    return {"kk": kk, "ru": ru, "en": en}


def _tender_sections(title: Mapping[str, str], first: date, last: date) -> dict[str, dict[str, Any]]:
    return {
        "notice": {
            "title": dict(title),
            "description": _texts(
                "Барлық сыныптың оқушыларына мектепте әзірленген ыстық түскі ас.",
                "Горячий обед, приготовленный в школе, для учеников всех классов.",
                "A hot lunch, cooked at the school, for the pupils of all classes.",
            ),
            "contact_name": OFFICER.name,
            "contact_phone": "+7 700 000 00 00",
            "contact_email": OFFICER.email,
        },
        "period": {"starts_on": first.isoformat(), "ends_on": last.isoformat()},
        "terms": {"bidding_days": BIDDING_DAYS, "payment_days": 10, "penalty_permille_day": 1},
    }


def _lot_sections(days: int) -> dict[str, dict[str, Any]]:
    return {
        "meals": {"planned_days": days, "meals": [{"age_group": group, "meal": "lunch"} for group in AGE_GROUPS]},
        "kitchen": {
            "kitchen": "cook-on-site",
            "capacity_day": 600,
            "seats": 180,
            "shifts": 2,
            "address": _texts("Мектептің асханасы", "Столовая школы", "The school's canteen"),
        },
        "serving": {
            "times": [
                {"meal": "lunch", "shift": 1, "opens_at": "11:00", "closes_at": "12:15"},
                {"meal": "lunch", "shift": 2, "opens_at": "12:30", "closes_at": "14:30"},
            ]
        },
        "lease": {"area_m2": 120, "rent_minor_month": 241_000_00},
        "staff": {
            "posts": [
                {"post": "head-cook", "count": 1, "fte_percent": 100, "grade": 5},
                {"post": "cook", "count": 2, "fte_percent": 100, "grade": 4},
                {"post": "kitchen-worker", "count": 2, "fte_percent": 100},
            ]
        },
        "menu": {"season": "winter-spring", "days": _menu()},
        "diets": {"diets": [{"diet": "gluten-free", "pupils": 2}, {"diet": "diabetes", "pupils": 1}]},
        "origin": {"domestic_percent": 60},
    }


def _menu() -> list[dict[str, Any]]:
    return [
        {
            "week": week,
            "weekday": weekday,
            "meal": "lunch",
            "dishes": _texts(*DISHES[(week + weekday) % len(DISHES)]),
            "kcal": 680 + 10 * ((week + weekday) % len(DISHES)),
        }
        for week in range(1, 5)
        for weekday in range(1, 6)
    ]
