"""Terms, need, draw, quorum, rotation and conflicts: from facts alone."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.procurement import profiles
from schoolmeals.procurement.profiles import Length, Number, SeatsWanted, TenureLimit
from schoolmeals.procurement.rules.conflicts import (
    Hit,
    HitKind,
    MemberTraits,
    PersonTraits,
    TendererTraits,
    address_key,
    hits,
    is_kin,
    phone_key,
)
from schoolmeals.procurement.rules.drafting import Checked, NewItem, check, item_problems, seen_by_another
from schoolmeals.procurement.rules.draw import Candidate, draw, pool_digest, pool_suffices, ticket
from schoolmeals.procurement.rules.need import NeedLine, by_age_group, days_are_real, need_of
from schoolmeals.procurement.rules.quorum import (
    SeatFacts,
    has_quorum,
    heads,
    is_composed,
    keys_suffice,
    next_alternate,
    quorum_of,
    vacancies,
)
from schoolmeals.procurement.rules.sections import SECTIONS, section
from schoolmeals.procurement.rules.tenure import Exemption, Span, months_before, used, within_limit
from schoolmeals.procurement.rules.terms import Reckoning, Term, in_last_share, later_only
from schoolmeals.workdays import Calendar

ALMATY = ZoneInfo("Asia/Almaty")
PLAIN = Reckoning(Calendar(), ALMATY)
NEW_YEAR = Reckoning(Calendar(5, {date(2026, 12, 16): False, date(2027, 1, 1): False}), ALMATY)
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
"""Noon in Almaty."""
CATERING = profiles.load("kz-catering-points")


def last_second(year: int, month: int, day: int) -> datetime:
    """23:59:59 of a day in Almaty."""
    return datetime(year, month, day, 23, 59, 59, tzinfo=ALMATY).astimezone(UTC)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (Length(1, "working-days"), last_second(2026, 11, 24)),
        (Length(5, "working-days"), last_second(2026, 11, 30)),
        (Length(15, "calendar-days"), last_second(2026, 12, 8)),
        (Length(5, "calendar-days"), last_second(2026, 11, 30)),  # ends on a Saturday, moved to Monday
        (Length(23, "calendar-days"), last_second(2026, 12, 17)),  # ends on Independence Day
        (Length(17, "working-days"), last_second(2026, 12, 17)),
        (Length(24, "hours"), MONDAY + timedelta(hours=24)),
    ],
)
def test_terms_end_at_the_last_second_of_a_working_day(length: Length, expected: datetime) -> None:
    assert NEW_YEAR.begin(MONDAY, length).until == expected


def test_a_term_that_begins_late_at_night_counts_from_the_local_day() -> None:
    at = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)  # already Tuesday in Almaty
    assert PLAIN.begin(at, Length(1, "working-days")).until == last_second(2026, 11, 25)


def test_a_demonstration_divides_terms() -> None:
    term = PLAIN.begin(MONDAY, Length(5, "working-days"), accelerator=1440)
    assert term.until == MONDAY + timedelta(minutes=5)


def test_questions_stop_days_before_the_deadline() -> None:
    deadline = last_second(2026, 12, 8)
    assert PLAIN.until_before(deadline, Length(3, "calendar-days")) == last_second(2026, 12, 5)
    assert PLAIN.until_before(deadline, Length(3, "working-days")) == last_second(2026, 12, 3)
    assert PLAIN.until_before(deadline, Length(24, "hours")) == deadline - timedelta(hours=24)


def test_a_suspension_holds_the_days_that_were_left() -> None:
    term = PLAIN.begin(MONDAY, Length(5, "working-days"))
    wednesday, next_monday = MONDAY + timedelta(days=2), MONDAY + timedelta(days=7)
    # Thursday, Friday and Monday were left.
    assert PLAIN.resumed(term, wednesday, next_monday).until == last_second(2026, 12, 3)
    assert PLAIN.resumed(term, wednesday, wednesday).until == term.until


def test_a_suspension_holds_the_very_hours() -> None:
    term = PLAIN.begin(MONDAY, Length(24, "hours"))
    paused = PLAIN.resumed(term, MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=100))
    assert paused.until == term.until + timedelta(hours=99)


def test_a_term_that_had_ended_is_not_revived() -> None:
    term = PLAIN.begin(MONDAY, Length(1, "working-days"))
    later = term.until + timedelta(seconds=1)
    assert PLAIN.resumed(term, later, later + timedelta(days=9)) == term


def test_resuming_moves_the_terms_that_were_running() -> None:
    discussion = PLAIN.begin(MONDAY, Length(1, "working-days"))
    bidding = PLAIN.begin(MONDAY, Length(15, "calendar-days"))
    suspended = MONDAY + timedelta(days=4)
    moved = PLAIN.all_resumed({"discussion": discussion, "bidding": bidding}, suspended, suspended + timedelta(days=7))
    assert {name: term.until for name, term in moved.items()} == {"bidding": last_second(2026, 12, 15)}


LENGTHS = st.builds(Length, st.integers(1, 40), st.sampled_from(["working-days", "calendar-days", "hours"]))
SPANS = st.integers(0, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(length=LENGTHS, waited=SPANS, held=SPANS, longer=SPANS, faster=st.sampled_from([1, 1440]))
def test_a_deadline_only_moves_later(
    length: Length, waited: timedelta, held: timedelta, longer: timedelta, faster: int
) -> None:
    term = NEW_YEAR.begin(MONDAY, length, accelerator=faster)
    suspended = MONDAY + waited
    once = NEW_YEAR.resumed(term, suspended, suspended + held)
    twice = NEW_YEAR.resumed(term, suspended, suspended + held + longer)
    assert term.until <= once.until <= twice.until
    assert later_only(term.until, once.until)
    assert Term.from_json(once.as_json()) == once


def test_a_deadline_never_moves_earlier() -> None:
    assert not later_only(MONDAY, MONDAY - timedelta(microseconds=1))
    assert later_only(None, MONDAY)


def test_the_last_third_is_the_last_third() -> None:
    until = MONDAY + timedelta(days=3)
    assert not in_last_share(MONDAY, until, MONDAY + timedelta(days=2), 33)
    assert in_last_share(MONDAY, until, MONDAY + timedelta(days=2, hours=1), 33)


def test_the_need_is_pupils_times_days_times_meals() -> None:
    calendar = Calendar(5, {date(2027, 3, 8): False})
    need = need_of(
        by_age_group({0: 10, 4: 20, 5: 30, 12: 5}),
        {"6-10": ["lunch", "breakfast"], "11-14": ["lunch"]},
        calendar,
        date(2027, 3, 1),
        date(2027, 3, 14),
        served={("6-10", "lunch"): 250},
    )
    assert need.school_days == 9
    assert need.lines == (
        NeedLine("6-10", "breakfast", 30, 9, 270, None),
        NeedLine("6-10", "lunch", 30, 9, 270, 250),
        NeedLine("11-14", "lunch", 30, 9, 270, None),
    )
    assert need.quantity == 810


def test_f8_planned_days_are_never_more_than_school_days() -> None:
    refused = days_are_real(170, 165)
    assert refused is not None
    assert (refused.code, refused.facts) == ("more-days-than-school-days", {"planned": 170, "real": 165})
    assert days_are_real(165, 165) is None


@given(planned=st.integers(0, 400), pupils=st.integers(0, 500))
def test_no_need_is_for_more_days_than_there_are(planned: int, pupils: int) -> None:
    first, last = date(2027, 1, 11), date(2027, 5, 25)
    real = len(Calendar().school_days(first, last))
    need = need_of({"6-10": pupils}, {"6-10": ["lunch"]}, Calendar(), first, last, planned_days=planned)
    assert need.quantity <= pupils * real


POOL = [
    Candidate(UUID(int=number), group)
    for number, group in enumerate(["parents"] * 4 + ["education"] * 3 + ["health"] * 3 + ["ngo"] * 2)
]
SEATS = [SeatsWanted("parents", 2), SeatsWanted("education", 1), SeatsWanted("health", 1), SeatsWanted("ngo", 1)]
SPARE = [SeatsWanted("parents", 1), SeatsWanted("education", 1)]
PARENTS = frozenset({"parents", "trustees"})


def test_the_draw_is_the_documented_arithmetic() -> None:
    """Written anew from the module's words, without its functions."""
    lines = "".join(sorted(f"{one.id} {one.constituency}\n" for one in POOL))
    digest = hashlib.sha256(lines.encode()).hexdigest()

    def by_ticket(one: Candidate) -> str:
        return hashlib.sha256(f"schoolmeals-draw/v1\n{digest}\nrates\n{one.id}".encode()).hexdigest()

    parents = sorted((one for one in POOL if one.constituency == "parents"), key=by_ticket)
    drawn = draw(POOL, "rates", SEATS, SPARE, PARENTS)
    assert [one.candidate_id for one in drawn[:2]] == [one.id for one in parents[:2]]
    assert drawn[5].candidate_id == parents[2].id
    assert [one.position for one in drawn] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.part for one in drawn[5:]] == ["alternate", "alternate"]
    others = sorted((one for one in POOL if one.id in {seat.candidate_id for seat in drawn[2:5]}), key=by_ticket)
    assert next(one.candidate_id for one in drawn if one.part == "chair") == others[0].id


@given(seed=st.text(max_size=20), order=st.permutations(POOL))
def test_the_draw_does_not_depend_on_the_order_of_the_pool(seed: str, order: list[Candidate]) -> None:
    drawn = draw(order, seed, SEATS, SPARE, PARENTS)
    assert drawn == draw(POOL, seed, SEATS, SPARE, PARENTS)
    assert len({one.candidate_id for one in drawn}) == 7
    assert sorted(one.part for one in drawn) == ["alternate", "alternate", "chair", "deputy", *["member"] * 3]


def test_everybody_can_be_drawn() -> None:
    """Two thousand seeds: each of four parents is drawn into two seats about half of the time."""
    counts = dict.fromkeys((one.id for one in POOL[:4]), 0)
    for seed in range(2_000):
        for one in draw(POOL, f"{seed}", SEATS, [], PARENTS)[:2]:
            counts[one.candidate_id] += 1
    assert all(920 <= count <= 1_080 for count in counts.values())


def test_another_pool_is_another_draw() -> None:
    assert pool_digest(POOL) != pool_digest(POOL[1:])
    assert ticket("a", "b", UUID(int=1)) != ticket("a", "c", UUID(int=1))


def test_a_pool_must_suffice() -> None:
    assert pool_suffices(POOL, SEATS, SPARE) is None
    refused = pool_suffices(POOL[:-2], SEATS, SPARE)
    assert refused is not None
    assert (refused.code, refused.facts) == ("pool-too-small", {"missing": "ngo"})


def seat(position: int, part: str = "member", constituency: str = "education", **changes: object) -> SeatFacts:
    made = SeatFacts(
        id=UUID(int=position),
        person_id=UUID(int=100 + position),
        name=f"Member {position}",
        part=part,
        constituency=constituency,
        position=position,
        accepted_at=MONDAY,
        key_public=f"age1{position}",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


WHOLE = [
    seat(1, "member", "parents"),
    seat(2, "member", "parents"),
    seat(3, "chair"),
    seat(4, "deputy", "health"),
    seat(5, "member", "ngo"),
    seat(6, "alternate", "parents"),
    seat(7, "alternate", "education"),
]


@pytest.mark.parametrize(
    ("seats", "code"),
    [
        (WHOLE, None),
        (WHOLE[1:], "commission-too-small"),
        ([*WHOLE, seat(8)], "commission-even"),
        ([replace(one, constituency="ngo") if one.position == 1 else one for one in WHOLE], "too-few-parents"),
        ([replace(one, accepted_at=None) if one.position == 5 else one for one in WHOLE], "commission-too-small"),
    ],
)
def test_a_commission_is_odd_large_enough_and_a_third_parents(seats: list[SeatFacts], code: str | None) -> None:
    refused = is_composed(seats, CATERING)
    assert (refused.code if refused is not None else None) == code


def test_without_every_key_nothing_is_sealed() -> None:
    assert keys_suffice(WHOLE, CATERING) is None
    refused = keys_suffice([replace(WHOLE[0], key_public=None), *WHOLE[1:]], CATERING)
    assert refused is not None
    assert (refused.code, refused.facts) == ("keys-missing", {"names": "Member 1"})


def test_the_deputy_chairs_where_the_chair_has_left() -> None:
    left = [replace(one, ended_at=MONDAY, end_reason="recused") if one.part == "chair" else one for one in WHOLE]
    chair, deputy = heads(left)
    assert chair is not None
    assert deputy is not None
    assert (chair.position, deputy.position) == (4, 1)


@pytest.mark.parametrize(("members", "expected"), [(5, 4), (6, 5), (7, 5), (9, 7)])
def test_a_quorum_is_two_thirds_rounded_up(members: int, expected: int) -> None:
    assert quorum_of(members, 67) == expected


def test_a_quorum_is_counted_again_when_members_leave() -> None:
    present = [UUID(int=position) for position in (1, 2, 3, 4)]
    assert has_quorum(WHOLE, present, CATERING) is None
    left = [replace(one, ended_at=MONDAY) if one.position == 4 else one for one in WHOLE]
    refused = has_quorum(left, present, CATERING)
    assert refused is not None
    assert (refused.code, refused.facts) == ("no-quorum", {"present": 3, "needed": 4})
    called = [replace(one, seated_at=MONDAY) if one.position == 7 else one for one in left]
    assert has_quorum(called, [*present, UUID(int=7)], CATERING) is None
    assert has_quorum(WHOLE, [UUID(int=6), UUID(int=7), *present[:2]], CATERING) is not None  # alternates have no vote


def test_an_alternate_of_the_same_constituency_is_called_first() -> None:
    assert vacancies(WHOLE) == []
    gone = [replace(one, ended_at=MONDAY) if one.position == 3 else one for one in WHOLE]
    assert [one.position for one in vacancies(gone)] == [3]
    called = next_alternate(gone, gone[2], PARENTS)
    assert called is not None
    assert called.position == 7
    filled = [replace(one, seated_at=MONDAY) if one.position == 7 else one for one in gone]
    assert vacancies(filled) == []
    assert next_alternate([one for one in WHOLE if one.part != "alternate"], WHOLE[0], PARENTS) is None


TWO_A_YEAR = TenureLimit(Number(2, "commissions", {}, False), Number(12, "months", {}, False))
YEARS = TenureLimit(Number(84, "months", {}, False), Number(120, "months", {}, False))
TODAY = date(2026, 11, 23)


def test_commissions_of_the_last_twelve_months_count() -> None:
    spans = [
        Span("commission-member", date(2025, 11, 23)),
        Span("commission-member", date(2025, 11, 24)),
        Span("commission-member", date(2026, 5, 1), date(2026, 6, 1)),
        Span("school-head", date(2020, 1, 1)),
    ]
    assert used(spans, "commission-member", TWO_A_YEAR, TODAY) == 2
    refused = within_limit(spans, [], "commission-member", TWO_A_YEAR, TODAY)
    assert refused is not None
    assert (refused.code, refused.facts) == ("over-tenure-limit", {"used": 2, "most": 2, "months": 12})
    assert within_limit(spans[:2], [], "commission-member", TWO_A_YEAR, TODAY) is None


def test_a_head_may_not_stay_beyond_the_limit() -> None:
    assert within_limit([Span("school-head", date(2020, 1, 1))], [], "school-head", YEARS, TODAY) is None
    assert within_limit([Span("school-head", date(2019, 1, 1))], [], "school-head", YEARS, TODAY) is not None


@pytest.mark.parametrize(("until", "allowed"), [(TODAY, True), (TODAY - timedelta(days=1), False)])
def test_a_published_exception_lets_somebody_in_until_it_ends(until: date, allowed: bool) -> None:
    spans = [Span("school-head", date(2015, 1, 1))]
    exemptions = [Exemption("school-head", until), Exemption("commission-chair", TODAY)]
    assert (within_limit(spans, exemptions, "school-head", YEARS, TODAY) is None) is allowed


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 23), 12, date(2025, 11, 23)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2028, 3, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
    ],
)
def test_months_are_counted_back(day: date, months: int, expected: date) -> None:
    assert months_before(day, months) == expected


MEMBER = MemberTraits(
    PersonTraits("Ахметова", "Серікқызы", ("г. Астана, ул. Абая 12, кв. 5",), ("8 (701) 555-12-34",)),
    employers=frozenset({"050640001230"}),
    founded=frozenset({"111140009999"}),
)


@pytest.mark.parametrize(
    ("tenderer", "expected"),
    [
        (TendererTraits("222240001111"), []),
        (TendererTraits("1", phones=("+7 701 555 12 34",)), [Hit(HitKind.PHONE, "+7 701 555 12 34")]),
        (TendererTraits("1", addresses=("Астана қ., Абая, 12-5",)), [Hit(HitKind.ADDRESS, "Астана қ., Абая, 12-5")]),
        (
            TendererTraits("1", people=(PersonTraits("Ахметов", "Серикович"),)),
            [Hit(HitKind.NAME, "Ахметов Серикович")],
        ),
        (TendererTraits("1", people=(PersonTraits("Ахметов", "Болатович"),)), []),
        (TendererTraits("050640001230"), [Hit(HitKind.EMPLOYER, "050640001230")]),
        (TendererTraits("111140009999"), [Hit(HitKind.FOUNDER, "111140009999")]),
        (TendererTraits("1", founders=frozenset({"111140009999"})), [Hit(HitKind.FOUNDER, "111140009999")]),
    ],
)
def test_what_both_have_in_common_is_found(tenderer: TendererTraits, expected: list[Hit]) -> None:
    assert hits(MEMBER, tenderer) == expected


def test_kin_bear_one_name_in_every_spelling() -> None:
    family = [
        PersonTraits("Оспанов", "Серикович"),
        PersonTraits("Оспанова", "Сериковна"),
        PersonTraits("ОСПАНОВ", "Серікұлы"),
        PersonTraits("Оспанова", "Серікқызы"),
    ]
    assert all(is_kin(one, other) for one, other in permutations(family, 2))
    assert not is_kin(family[0], PersonTraits("Оспанов"))
    assert not is_kin(PersonTraits("Оспан"), PersonTraits("Оспан"))


@given(text=st.text(max_size=30))
def test_keys_never_fail_and_are_stable(text: str) -> None:
    assert address_key(address_key(text)) == address_key(text)
    assert phone_key(phone_key(text)) == phone_key(text)


def test_a_section_tells_faults_from_gaps() -> None:
    terms = section("terms", "catering", of_lot=False)
    assert terms is not None
    checked = check(terms, {"bidding_days": 0, "payment_days": None, "odd": 1})
    assert {path: [one.code for one in found] for path, found in checked.faults.items()} == {
        "bidding_days": ["out-of-range"],
        "odd": ["no-such-field"],
    }
    assert sorted(checked.gaps) == ["payment_days", "penalty_permille_day"]


def test_rows_are_checked_one_by_one() -> None:
    serving = section("serving", "catering", of_lot=True)
    assert serving is not None
    row = {"meal": "lunch", "shift": 1, "opens_at": "11:00", "closes_at": "13:00"}
    assert check(serving, {"times": [row]}) == Checked({}, {})
    faults = check(serving, {"times": [row, dict(row), {**row, "shift": 2, "opens_at": "11h"}]}).faults
    assert {path: [one.code for one in found] for path, found in faults.items()} == {
        "times.1": ["twice"],
        "times.2.opens_at": ["not-a-time"],
    }
    assert check(serving, {"times": "lunch"}).faults.keys() == {"times"}


def test_texts_must_speak_kazakh_and_russian() -> None:
    notice = section("notice", "goods", of_lot=False)
    assert notice is not None
    assert "title.ru" in check(notice, {"title": {"kk": "Сүт"}}).gaps
    assert check(notice, {"title": {"kk": "С" * 201, "de": "Milch"}}).faults.keys() == {"title"}


@given(content=st.dictionaries(st.text(max_size=12), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_whatever_is_written_is_answered(content: dict[str, object]) -> None:
    for one in SECTIONS:
        check(one, content)
        check(one, {field.name: next(iter(content.values()), None) for field in one.fields})


@pytest.mark.parametrize(
    ("items", "purpose", "expected"),
    [
        ([NewItem(age_group="6-10", meal="lunch", ceiling_minor=1)], "catering", []),
        ([], "catering", ["items"]),
        ([NewItem(age_group="6-10", meal="lunch", ceiling_minor=0)], "catering", ["items.0.ceiling_minor"]),
        ([NewItem(age_group="6-10", meal="lunch", ceiling_minor=1)] * 2, "catering", ["items.1"]),
        ([NewItem(age_group="3-5", meal="lunch", ceiling_minor=1)], "catering", ["items.0"]),
        ([NewItem(age_group="6-10", meal="lunch", ceiling_minor=1)], "goods", ["items.0"]),
        (
            [NewItem(goods={"name": {"kk": "Сүт"}, "unit": "l", "group": "dairy"}, quantity=9, ceiling_minor=1)],
            "goods",
            [],
        ),
    ],
)
def test_items_are_meals_or_goods(items: list[NewItem], purpose: str, expected: list[str]) -> None:
    assert sorted(item_problems(items, purpose, ["dairy"])) == expected


def test_nobody_reviews_their_own_work() -> None:
    assert seen_by_another(frozenset({UUID(int=1)}), UUID(int=2)) is None
    refused = seen_by_another(frozenset({UUID(int=1)}), UUID(int=1))
    assert refused is not None
    assert refused.code == "own-work"
