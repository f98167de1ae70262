"""The demo city's tenders: one at every stage, two whose contracts hold today, one that was called off, one that
found nobody, and one that waits for a complaint to be decided.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5

from schoolmeals import canteen, identity, procurement
from schoolmeals.actors import SYSTEM, Grant, Role, person
from schoolmeals.database import Work, reading
from schoolmeals.demo.bidders import FIRMS, Bidder, bidder_of, number_of, register
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.families import DEMO, OFFICER, REVIEW_BODY, REVIEWER, SUPPLIER
from schoolmeals.demo.names import new_family
from schoolmeals.demo.schools import Site
from schoolmeals.demo.stories import Story, Town, published_before
from schoolmeals.errors import NotNow
from schoolmeals.identity.queries import demo_people, organisations
from schoolmeals.ids import new_id
from schoolmeals.keys import derive_key
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import awarding, cancelling, complaints, draws, registers
from schoolmeals.procurement.actions.complaints import NewComplaint
from schoolmeals.procurement.actions.draws import NewPoolMember
from schoolmeals.procurement.models import Tender
from schoolmeals.procurement.registers import TableSource
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.identifiers import people_key
from schoolmeals.procurement.rules.registers import REGISTERS
from schoolmeals.web.frame import frame
from schoolmeals.workdays import local_day

POOL: Final = (("parents", 16), ("trustees", 3), ("education", 11), ("health", 11), ("ngo", 9))
"""Enough for all commissions: nobody may sit in more than three of them within a year."""
_NAMESPACE: Final = UUID("6c0f4a4e-6c52-4c0e-9d2c-2f1f0b6a7d11")
MENUS_WITHIN: Final = 14
"""In days: further ahead the demo's kitchens have not planned."""
COMING: Final = (50, 180)
RUNNING: Final = (-80, 32)
"""In how many days the meals begin and end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A tender to be told: for which school, which meal, begun how long ago, and how far it goes."""

    name: str
    school: int
    meal: str
    ago: timedelta
    tell: Callable[[Story], None]
    span: tuple[int, int] = COMING


def found_market(site: Site) -> None:
    """What tenders need before there are any: suppliers with their papers, a pool of members, the state's registers."""
    town = _town(site)
    with reading(SYSTEM, site.now) as look:
        known = {one.id: one for one in demo_people(look, f"@{DEMO}") if one.name == SUPPLIER.name}
    first = next(iter(known.values()))
    assert first.place is not None, "the demo's supplier has its organisation"
    actor = person(first.id, [Grant(Role.SUPPLIER, first.place.id)])
    for place, firm in enumerate(FIRMS):
        register(site, firm, place, known=(first.place.id, actor) if not place else None, key=town.evidence_key)
    _fill_pool(site, town)
    _import_registers(site, town)


def hold_tenders(site: Site, plans: Sequence[Plan] | None = None) -> None:
    """Let the city's tenders come to where they stand now. Those that are there already, however far, are left so."""
    town = _town(site)
    with reading(SYSTEM, site.now) as look:
        town.bidders = _bidders(look, site)
    for plan in PLANS if plans is None else plans:
        story = _story(site, town, plan)
        with reading(SYSTEM, site.now) as look:
            is_told = look.session.get(Tender, story.tender_id) is not None
        if not is_told:
            plan.tell(story)
    for school in town.schools:
        _price_menus(site, school.id)


def _price_menus(site: Site, school_id: UUID) -> None:
    """Publish the menus from today on anew, at the prices of the contract that the school now has."""
    today = local_day(site.now, site.zone)
    with reading(SYSTEM, site.now) as look:
        if not procurement.contract_items_of(look, school_id, today):
            return
        office = identity.people_in(look, school_id, Role.SCHOOL_OFFICE)[0]
        days = [today + timedelta(days=ahead) for ahead in range(MENUS_WITHIN)]
        sold = [menu for day in days for menu in canteen.menu_of(look, school_id, day) if menu.version]
    actor = person(office.id, [Grant(Role.SCHOOL_OFFICE, school_id)])
    for menu in sold:
        # Whatever has its contract's prices by now, or is closed, stays as it is.
        with suppress(NotNow), site.deed(actor, site.now) as work:
            canteen.publish_menu(work, school_id, menu.day, menu.sitting_id, zone=site.zone)


def tender_id_of(name: str) -> UUID:
    """The id of the tender of a plan, the same in every demo city."""
    return uuid5(_NAMESPACE, name)


def _story(site: Site, town: Town, plan: Plan) -> Story:
    today = local_day(site.now, site.zone)
    first, last = (today + timedelta(days=days) for days in plan.span)
    school = town.schools[plan.school % len(town.schools)]
    at = site.now - plan.ago
    return Story(site, town, plan.name, school, plan.meal, first, last, at, tender_id_of(plan.name))


def _bidders(look: Work, site: Site) -> list[Bidder]:
    """The firms that are registered, in the order of :data:`FIRMS`."""
    year = (site.now - timedelta(days=300)).year
    ids = {one.name_kk: one.id for one in organisations(look, ["supplier"])}
    found: list[Bidder] = []
    for firm in FIRMS:
        id = ids[firm.names[0]]
        director = identity.people_in(look, id, Role.SUPPLIER)[0]
        found.append(bidder_of(firm, id, person(director.id, [Grant(Role.SUPPLIER, id)]), year=year))
    return found


def _town(site: Site) -> Town:
    with reading(SYSTEM, site.now) as look:
        city_id, review_body_id = (organisations(look, [kind])[0].id for kind in ("city", "state"))
        schools = identity.schools(look)
        ids = {one.name: one.id for one in demo_people(look, f"@{DEMO}")}
    secret, base_url = frame().settings.secret_key, frame().settings.base_url
    return Town(
        city_id=city_id,
        review_body_id=review_body_id,
        officer=person(ids[OFFICER.name], [Grant(Role.PROCUREMENT_OFFICER, city_id)]),
        reviewer=person(ids[REVIEWER.name], [Grant(Role.PROCUREMENT_OFFICER, city_id)]),
        review_body=person(ids[REVIEW_BODY.name], [Grant(Role.AUDITOR, review_body_id)]),
        schools=schools,
        bidders=[],
        server_keys=ServerKeys.of(secret),
        evidence_key=derive_key(secret, "procurement evidence"),
        people_key=people_key(secret),
        passkey_site=identity.Site("School meals", base_url),
    )


def _fill_pool(site: Site, town: Town) -> None:
    chance = chance_of("pool")
    at = site.now - timedelta(days=300)
    for constituency, count in POOL:
        for place in range(count):
            family = new_family(chance)
            name = family.parent(is_mother=bool(place % 2))
            surname, given_name = name.split(" ", 1)
            with site.deed(SYSTEM, at) as work:
                email = f"{constituency}{place}@members.example"
                person_id = identity.new_person(work, name=name, email=email, language=family.language)
                identity.grant_role(work, person_id, Role.COMMISSION_MEMBER, town.city_id)
            _add_to_pool(site, town, person_id, (surname, given_name), constituency, at)


def _add_to_pool(
    site: Site, town: Town, person_id: UUID, names: tuple[str, str], constituency: str, at: datetime
) -> None:
    member = NewPoolMember(person_id=person_id, surname=names[0], given_name=names[1], constituency=constituency)
    with site.deed(town.officer, at) as work:
        draws.add_pool_member(work, town.city_id, member)


def _import_registers(site: Site, town: Town) -> None:
    """The state's registers as they stood a year ago: two firms that nobody here knows are in each."""
    as_of = site.now - timedelta(days=330)
    for code, register_ in REGISTERS.items():
        if register_.of_people:
            continue
        text = f"identifier;name;from;reason\n{number_of('01014000001')};«Алыс» ЖШС;2024-01-15;Сот шешімі\n"
        content = text.encode()
        table = TableSource(content, "").read(code, key=town.people_key)
        with site.deed(town.officer, site.now - timedelta(days=299)) as work:
            registers.import_register(
                work,
                town.city_id,
                code,
                table,
                source="Ойдан шығарылған / Вымышленный",
                as_of=as_of,
                file_name=f"{code}.csv",
                content=content,
            )


def _drafted(story: Story) -> None:
    story.draft()


def _under_review(story: Story) -> None:
    story.draft()
    story.submit()


def _approved(story: Story) -> None:
    story.draft()
    story.draw()
    story.submit()
    story.approve()


def _published(story: Story) -> None:
    _approved(story)
    story.publish()


def _bids(story: Story, *places: int) -> None:
    _published(story)
    for place in places:
        story.hand_in(story.town.bidders[place])


def _bidding(story: Story) -> None:
    _bids(story, 1)


def _closed(story: Story) -> None:
    _bids(story, 0, 2)
    story.close()


def _opening(story: Story) -> None:
    _closed(story)
    story.start_opening(2)


def _opened(story: Story) -> None:
    _closed(story)
    story.start_opening(4)
    story.finish_opening()


def _admitted(story: Story) -> None:
    _opened(story)
    story.admit()


def _evaluated(story: Story) -> None:
    _admitted(story)
    story.score()
    story.evaluate()


def _awarded(story: Story) -> None:
    _evaluated(story)
    story.award()


def _contracting(story: Story) -> None:
    _awarded(story)
    story.contract()


def _complete(story: Story) -> None:
    _awarded(story)
    contract_id = story.contract()
    story.sign(contract_id)
    story.complete(contract_id)


def _held_by_complaint(story: Story) -> None:
    _awarded(story)
    loser = story.bids[1][0]
    complaint_id = new_id(story.at)
    new = NewComplaint(
        about="evaluation",
        text="Аспазшылардың біліктілігі дұрыс есептелмеді деп санаймыз.",
        remedy="Балды қайта есептеуді сұраймыз.",
        language="kk",
        organisation_id=loser.id,
    )
    story.wait_for(story.at, time(15))
    with story.deed(loser.actor) as work:
        complaints.make_complaint(work, story.tender_id, complaint_id, new)
    with story.deed(story.town.review_body, hours=2) as work:
        complaints.accept_complaint(work, story.tender_id, complaint_id, zone=story.site.zone, clock=deed_clock)


def _called_off(story: Story) -> None:
    _published(story)
    with story.deed(story.town.officer, days=4) as work:
        cancelling.cancel_tender(
            work,
            story.tender_id,
            reason_code="no-need",
            reason="Мектеп асханасы күрделі жөндеуге жабылды. / Столовая закрыта на капитальный ремонт.",
            clock=deed_clock,
        )


def _found_nobody(story: Story) -> None:
    _published(story)
    story.close()
    story.start_opening(0)
    story.finish_opening()
    with story.deed(story.town.officer, hours=2) as work:
        reason = "Бірде-бір өтінім түспеді. / Не подано ни одной заявки."
        awarding.declare_unsuccessful(work, story.tender_id, story.lot_id, reason)


def _days(count: int) -> timedelta:
    return timedelta(days=count)


PLANS: Final[tuple[Plan, ...]] = (
    Plan("lunch-held-1", 0, "lunch", published_before(115), _complete, RUNNING),
    Plan("lunch-held-2", 1, "lunch", published_before(112), _complete, RUNNING),
    Plan("found-nobody", 3, "breakfast", published_before(20), _found_nobody),
    Plan("contracting", 2, "breakfast", published_before(16), _contracting),
    Plan("complaint", 3, "lunch", published_before(5), _held_by_complaint),
    Plan("standstill", 2, "lunch", published_before(5), _awarded),
    Plan("awarding", 1, "breakfast", published_before(4), _evaluated),
    Plan("evaluation", 0, "breakfast", published_before(3), _admitted),
    Plan("admission", 3, "lunch", published_before(3), _opened),
    Plan("opening", 2, "lunch", published_before(3), _opening),
    Plan("closed", 1, "lunch", published_before(2), _closed),
    Plan("called-off", 0, "lunch", _days(20), _called_off),
    Plan("bidding", 0, "lunch", _days(18), _bidding),
    Plan("discussion", 1, "lunch", _days(4), _published),
    Plan("approved", 1, "breakfast", _days(3), _approved),
    Plan("under-review", 2, "breakfast", _days(1), _under_review),
    Plan("draft", 3, "breakfast", timedelta(hours=3), _drafted),
)
