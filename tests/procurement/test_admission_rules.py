"""Admission by rule: what is found, who decides, and that nobody is rejected without reason, evidence and majority."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.procurement import profiles
from schoolmeals.procurement.rules.admission import (
    DENIES_EVIDENCE,
    FLAGS,
    REASONS,
    Decision,
    Finding,
    Vote,
    decision,
    is_admitted,
    may_be_fixed,
    may_finish,
    may_fix,
    reason_problems,
)
from schoolmeals.procurement.rules.bid_form import BidContent, EvidenceLine, StaffLine, Tenderer
from schoolmeals.procurement.rules.findings import FINDING_NAMES, BidGround, RegisterWord, finding

PROFILE: Final = profiles.load("kz-catering-points")
VOTERS: Final = ("1", "2", "3", "4", "5")
QUORUM: Final = 4
AT: Final = datetime(2026, 12, 3, 6, tzinfo=UTC)
A, B = "a" * 64, "b" * 64
TENDERER: Final = Tenderer(organisation_id=UUID(int=1), name="Dastarkhan", scheme="KZ-BIN", identifier="1")
PROVEN: Final = Finding(True, "staff-proven", {}, (A,))
THERE: Final = Finding(True, "evidence-there", {}, (A,))
OPEN: Final = Finding(None, "no-evidence", {}, (B,))
BROKEN: Final = Finding(False, "register-hit", {}, (B,))


def vote(seat: str, met: bool, reason_code: str = "no-evidence", minutes: int = 0) -> Vote:
    code = "" if met else reason_code
    return Vote(seat_id=seat, met=met, reason_code=code, reason="x", evidence=(A,), at=AT + timedelta(minutes=minutes))


def votes(yes: int, no: int, reason_code: str = "no-evidence") -> list[Vote]:
    return [vote(seat, place < yes, reason_code) for place, seat in enumerate(VOTERS[: yes + no])]


@pytest.mark.parametrize(
    ("found", "cast", "expected"),
    [
        (PROVEN, votes(0, 0), (True, "")),
        (PROVEN, votes(0, 2), (True, "")),
        (PROVEN, votes(2, 3), (False, "rejected-against-evidence")),
        (PROVEN, votes(2, 3, "evidence-not-genuine"), (False, "rejected-against-evidence")),
        (THERE, votes(2, 3, "evidence-not-genuine"), (False, "")),
        (THERE, votes(2, 3), (False, "rejected-against-evidence")),
        (OPEN, votes(0, 0), (None, "")),
        (OPEN, votes(0, 3), (None, "")),
        (OPEN, votes(0, 4), (False, "")),
        (OPEN, votes(2, 2), (True, "")),
        (OPEN, votes(2, 3), (False, "")),
        (BROKEN, votes(0, 3), (None, "")),
        (BROKEN, votes(3, 2), (True, "admitted-against-finding")),
        (BROKEN, votes(1, 4), (False, "")),
    ],
)
def test_what_becomes_of_a_requirement(found: Finding, cast: list[Vote], expected: tuple[bool | None, str]) -> None:
    made = decision(found, cast, VOTERS, QUORUM)
    assert (made.met, made.flag) == expected
    assert made.flag == "" or made.flag in FLAGS


def test_the_last_vote_of_a_seat_counts() -> None:
    changed = [*votes(0, 4), vote("1", True, minutes=1), vote("2", True, minutes=1)]
    assert decision(OPEN, changed[::-1], VOTERS, QUORUM) == Decision(True, 2, 2)


@given(
    st.lists(st.tuples(st.sampled_from(VOTERS), st.booleans()), max_size=9),
    st.lists(st.booleans(), max_size=6),
    st.sampled_from([PROVEN, THERE, OPEN, BROKEN]),
)
def test_who_has_left_the_commission_decides_nothing(
    cast: list[tuple[str, bool]], gone: list[bool], found: Finding
) -> None:
    own = [vote(seat, met, minutes=place) for place, (seat, met) in enumerate(cast)]
    others = [vote(f"gone{place}", met) for place, met in enumerate(gone)]
    assert decision(found, [*others, *own], VOTERS, QUORUM) == decision(found, own, VOTERS, QUORUM)


@given(st.lists(st.tuples(st.sampled_from(VOTERS), st.booleans()), max_size=9))
def test_nobody_is_rejected_without_a_majority_against(cast: list[tuple[str, bool]]) -> None:
    own = [vote(seat, met, minutes=place) for place, (seat, met) in enumerate(cast)]
    for found in (PROVEN, THERE, OPEN, BROKEN):
        made = decision(found, own, VOTERS, QUORUM)
        if made.met is False:
            assert made.votes_against > made.votes_for


@pytest.mark.parametrize(
    ("met", "expected"), [([True, True], True), ([True, None], None), ([None, False], False), ([], True)]
)
def test_a_bid_is_admitted_where_everything_is_met(met: list[bool | None], expected: bool | None) -> None:
    assert is_admitted([Decision(one, 0, 0) for one in met]) is expected


@pytest.mark.parametrize(
    ("found", "about", "expected"),
    [
        (OPEN, {"met": True}, set()),
        (OPEN, {"met": False}, {"reason_code", "reason", "evidence"}),
        (OPEN, {"met": False, "reason_code": "no-evidence", "reason": "none", "evidence": [A]}, set()),
        (OPEN, {"met": False, "reason_code": "no-evidence", "reason": " ", "evidence": [A]}, {"reason"}),
        (OPEN, {"met": False, "reason_code": "no-evidence", "reason": "none", "evidence": ["c" * 64]}, {"evidence"}),
        (OPEN, {"met": False, "reason_code": "private-customer", "reason": "x", "evidence": [A]}, {"reason_code"}),
        (OPEN, {"met": False, "reason_code": "proven-otherwise", "reason": "x", "evidence": [A]}, {"reason_code"}),
        (BROKEN, {"met": True}, {"reason_code", "reason", "evidence"}),
        (BROKEN, {"met": True, "reason_code": "proven-otherwise", "reason": "paid", "evidence": [B]}, set()),
    ],
)
def test_a_rejection_needs_reason_words_and_evidence(found: Finding, about: dict[str, Any], expected: set[str]) -> None:
    whole = {"reason_code": "", "reason": "", "evidence": [], **about}
    assert set(reason_problems(found, known={A, B}, **whole)) == expected


def test_no_reason_is_about_who_the_customers_were() -> None:
    assert not [code for code in REASONS if "customer" in code or "private" in code]
    assert set(REASONS) >= DENIES_EVIDENCE


def test_a_bid_is_mended_once_where_that_may_be() -> None:
    fixable = next(one for one in PROFILE.requirements if one.code == "resources")
    strict = next(one for one in PROFILE.requirements if one.code == "not-bad-faith")
    undecided = Decision(None, 0, 0)
    assert may_be_fixed(fixable, undecided, OPEN, fixes=0, profile=PROFILE) is None
    assert code(may_be_fixed(fixable, undecided, OPEN, fixes=1, profile=PROFILE)) == "fixed-before"
    assert code(may_be_fixed(strict, undecided, BROKEN, fixes=0, profile=PROFILE)) == "not-fixable"
    assert code(may_be_fixed(fixable, Decision(True, 0, 0), PROVEN, fixes=0, profile=PROFILE)) == "nothing-to-fix"
    assert may_be_fixed(fixable, Decision(True, 0, 1), PROVEN, fixes=0, profile=PROFILE) is None


def test_mending_takes_place_within_its_term() -> None:
    until = AT + timedelta(hours=24)
    assert code(may_fix(None, AT, given=False)) == "fix-not-asked"
    assert may_fix(until, until, given=False) is None
    assert code(may_fix(until, until + timedelta(microseconds=1), given=False)) == "fix-late"
    assert code(may_fix(until, AT, given=True)) == "fix-given"


def test_admission_ends_once_nothing_is_open() -> None:
    assert may_finish(0, 0) is None
    assert code(may_finish(2, 0)) == "requirements-undecided"
    assert code(may_finish(2, 1)) == "fix-running"


# What is found.


def content(**about: Any) -> BidContent:
    return BidContent(
        envelope="qualification",
        tender_id=UUID(int=2),
        lot_id=UUID(int=3),
        tenderer=TENDERER,
        has_qualification=True,
        has_price=False,
        **about,
    )


def cook(key: str, grade: int = 4, fte: int = 100, evidence: tuple[str, ...] = (A,)) -> StaffLine:
    return StaffLine(
        staff_id=UUID(int=9),
        person_key=key,
        name="N",
        post="cook",
        grade=grade,
        education="college",
        fte_percent=fte,
        evidence=evidence,
    )


GROUND: Final = BidGround(
    content_sha256=B,
    posts=({"post": "cook", "count": 2, "fte_percent": 100, "grade": 4},),
    registers={"tax-debt": RegisterWord(hits=0, sha256="1" * 64), "bad-faith": RegisterWord(hits=1, sha256="2" * 64)},
)


@pytest.mark.parametrize(
    ("code", "bid", "expected"),
    [
        ("no-tax-debt", content(), (True, "register-clear", ("1" * 64,))),
        ("not-bad-faith", content(), (False, "register-hit", ("2" * 64,))),
        ("not-in-liquidation", content(), (None, "register-unknown", (B,))),
        ("no-relatives", content(declared=("no-relatives",)), (True, "declared", (B,))),
        ("no-relatives", content(), (None, "not-declared", (B,))),
        ("legal-capacity", content(), (None, "no-evidence", (B,))),
        (
            "legal-capacity",
            content(evidence=(EvidenceLine(for_="legal-capacity", file="x.pdf", sha256=A, valid_until=None),)),
            (True, "evidence-there", (A,)),
        ),
        ("resources", content(staff=(cook("x"), cook("y"))), (True, "staff-proven", (A,))),
        ("resources", content(staff=(cook("x"), cook("x"))), (None, "staff-short", (A,))),
        ("resources", content(staff=(cook("x"), cook("y", grade=3))), (None, "staff-short", (A,))),
        ("resources", content(staff=(cook("x"), cook("y", fte=50))), (None, "staff-short", (A,))),
        ("resources", content(staff=(cook("x"), cook("y", evidence=()))), (None, "staff-short", (A,))),
        ("staff-unique", content(staff=(cook("x"),)), (True, "staff-free", (B,))),
        ("not-affiliated", content(), (True, "nothing-in-common", (B,))),
        ("resources", None, (False, "unreadable", (B,))),
    ],
)
def test_what_is_found_about_a_requirement(code: str, bid: BidContent | None, expected: tuple[Any, ...]) -> None:
    requirement = next(one for one in PROFILE.requirements if one.code == code)
    found = finding(requirement, bid, GROUND)
    assert (found.met, found.code, found.evidence) == expected
    assert found.code in FINDING_NAMES


def test_a_person_beyond_a_working_day_proves_no_post_and_is_found() -> None:
    ground = replace(GROUND, overcommitted=frozenset({"x"}))
    bid = content(staff=(cook("x"), cook("y")))
    by_code = {one.code: finding(one, bid, ground) for one in PROFILE.requirements}
    assert (by_code["staff-unique"].met, by_code["staff-unique"].facts) == (False, {"count": 1})
    assert (by_code["resources"].met, by_code["resources"].facts) == (None, {"asked": 2, "short": 1})


def test_what_the_supplier_has_mended_is_looked_at_by_people() -> None:
    ground = replace(GROUND, mended=frozenset({"resources"}), mended_evidence={"resources": (A,)})
    requirement = next(one for one in PROFILE.requirements if one.code == "resources")
    assert finding(requirement, content(), ground) == Finding(None, "mended", {}, (A,))
    whole = finding(requirement, content(staff=(cook("x"), cook("y"))), ground)
    assert whole.met is True


def test_the_profiles_ask_for_nothing_that_cannot_be_found() -> None:
    empty = content(evidence=(), staff=(), declared=())
    for name in profiles.codes():
        for requirement in profiles.load(name).requirements:
            assert finding(requirement, empty, BidGround(content_sha256=B)).code in FINDING_NAMES


def code(refused: Any) -> str | None:
    return refused.code if refused is not None else None
