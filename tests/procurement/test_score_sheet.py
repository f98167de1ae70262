"""The published score sheet computes again from itself alone, and whoever changes a number in it is found."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolmeals.procurement import profiles
from schoolmeals.procurement.rules.sheet import commitment_of, digests_of, evaluated, first_difference, sheet_of

A, B, C = "a" * 64, "b" * 64, "c" * 64
SEATS: Final = ["s1", "s2", "s3", "s4", "s5"]
SALT: Final = "0f" * 32
AT: Final = "2026-12-03T06:00:00Z"


def requirement(code: str, met: bool | None, votes: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"code": code, "finding": {"met": met, "code": "x", "facts": {}, "evidence": [A]}, "votes": votes or []}


def vote(seat: str, met: bool) -> dict[str, Any]:
    return {"seat_id": seat, "met": met, "reason_code": "no-evidence", "reason": "x", "evidence": [A], "at": AT}


def person(key: str, post: str, grade: int | None, fte: int = 100) -> dict[str, Any]:
    return {
        "person": key,
        "post": post,
        "grade": grade,
        "education": "higher",
        "fte_percent": fte,
        "evidence": [B],
    }


def bid(id: str, *, years: int, grade: int, price: int, second: int) -> dict[str, Any]:
    return {
        "bid_id": id,
        "lot_id": "lot",
        "tenderer": {"id": f"org-{id}", "name": {"kk": id, "ru": id, "en": id}, "identifier": "1"},
        "received_at": f"2026-12-01T06:00:{second:02}Z",
        "content_sha256": C,
        "unreadable": None,
        "staff": [person(f"cook-{id}", "cook", grade), person(f"tech-{id}", "technologist", None)],
        "experience": [
            {"starts_on": f"{2026 - years}-01-01", "ends_on": "2025-12-31", "public": False, "evidence": [A]}
        ],
        "taxes": [{"year": 2025, "region": "Astana", "evidence": [A]}],
        "evidence": [{"for": "food-safety", "sha256": C, "valid_until": "2027-01-01"}],
        "origin_percent": 80,
        "past": {"completed": 1, "terminated": 0},
        "prices": [{"lot_item_id": "i1", "price_minor": price}],
        "requirements": [
            requirement("no-tax-debt", True),
            requirement("resources", None, [vote(s, True) for s in SEATS]),
        ],
    }


def score(seat: str, bid_id: str, points: int) -> dict[str, Any]:
    commitment = commitment_of(seat, bid_id, "menu-quality", points, SALT)
    about = {"seat_id": seat, "bid_id": bid_id, "criterion": "menu-quality", "points_milli": points, "at": AT}
    return {**about, "salt": SALT, "commitment": commitment}


def inputs(profile: str = "kz-catering-points") -> dict[str, Any]:
    bids = [
        bid("x", years=5, grade=4, price=900, second=1),
        bid("y", years=3, grade=6, price=500, second=2),
        bid("z", years=5, grade=4, price=950, second=3),
    ]
    bids[2]["requirements"][1]["votes"] = [vote(s, False) for s in SEATS]
    judged = profile == "kz-catering-points"
    return {
        "tender": {"id": "t", "number": "2026-0001", "version": 1, "version_sha256": C},
        "profile": profiles.load(profile).json,
        "deadline": "2026-12-01",
        "admission_voters": SEATS,
        "voters": [{"seat_id": seat, "name": seat, "part": "member"} for seat in SEATS],
        "lots": [
            {
                "lot_id": "lot",
                "position": 1,
                "school": {"kk": "S", "ru": "S", "en": "S"},
                "posts": [{"post": "cook", "count": 1, "fte_percent": 100, "grade": None}],
                "domestic_percent": 60,
                "items": [{"id": "i1", "quantity": 10, "ceiling_minor": 1000}],
                "single_reason": "",
            }
        ],
        "fte_elsewhere": {"cook-x": 0},
        "bids": bids,
        "contests": [
            {"seat_id": seat, "bid_id": "y", "sha256": C, "reason_code": "expired", "at": AT} for seat in SEATS[:2]
        ],
        "scores": [score(seat, one, 1000 + 500 * n) for n, seat in enumerate(SEATS) for one in ("x", "y")]
        if judged
        else [],
        "low_prices": [
            {
                "bid_id": "y",
                "asked_at": AT,
                "explained": True,
                "votes": [{"seat_id": s, "accepted": False} for s in SEATS],
            }
        ]
        if not judged
        else [],
    }


@pytest.fixture(params=profiles.codes())
def sheet(request: pytest.FixtureRequest) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(sheet_of(inputs(request.param))))
    return made


def test_a_sheet_computes_again(sheet: dict[str, Any]) -> None:
    assert first_difference(sheet) is None


def test_what_the_points_tender_comes_to() -> None:
    results = evaluated(inputs())
    totals = {bid: {one["criterion"]: one["points_milli"] for one in made} for bid, made in results["points"].items()}
    assert totals["x"] == {
        "experience": 5000,
        "regional-tax": 1000,
        "cooks-grade": 2000,
        "technologist": 2000,
        "dietitian": 0,
        "own-production": 0,
        "food-safety": 1000,
        "environment": 0,
        "saving-equipment": 0,
        "local-origin": 0,
        "menu-quality": 2000,
        "past-performance": 1000,
    }
    ranking = [(one["bid_id"], one["rank"], one["points_milli"]) for one in results["lots"]["lot"]["ranking"]]
    assert ranking == [("x", 1, 14_000), ("y", 2, 14_000)]
    assert results["lots"]["lot"]["ranking"][1]["decided_by"] == "experience"
    assert results["admission"]["z"]["resources"]["met"] is False


def test_what_the_price_tender_comes_to() -> None:
    lot = evaluated(inputs("kz-goods-price"))["lots"]["lot"]
    assert [(one["bid_id"], one["accepted"]) for one in lot["low_prices"]] == [("y", False)]
    assert lot["unranked"] == {"y": "low-price-rejected"}
    assert [(one["bid_id"], one["price_minor"]) for one in lot["ranking"]] == [("x", 9000)]


def test_a_recused_members_score_never_counts() -> None:
    given_scores = inputs()
    before = points_of(evaluated(given_scores), "x", "menu-quality")
    given_scores["voters"] = [one for one in given_scores["voters"] if one["seat_id"] != "s5"]
    after = points_of(evaluated(given_scores), "x", "menu-quality")
    assert (before, after) == (2000, 1750)


@given(st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=25)
def test_whatever_who_has_left_gave_changes_nothing(one: int, other: int) -> None:
    def with_score(points: int) -> Any:
        found = inputs()
        found["voters"] = found["voters"][:4]
        found["scores"] = [score("s5", "x", points) if row["seat_id"] == "s5" else row for row in found["scores"]]
        return evaluated(found)

    assert with_score(one) == with_score(other)


@given(st.permutations(range(3)))
@settings(max_examples=6)
def test_results_do_not_depend_on_the_order_of_bids(order: list[int]) -> None:
    found = inputs()
    found["bids"] = [found["bids"][place] for place in order]
    assert evaluated(found)["lots"] == evaluated(inputs())["lots"]


def test_every_changed_number_is_found_and_named(sheet: dict[str, Any]) -> None:
    places = list(numbers(sheet))
    assert len(places) > 140
    for path in places:
        changed = copy.deepcopy(sheet)
        holder = walk(changed, path[:-1])
        holder[path[-1]] += 1
        told = first_difference(changed)
        assert told is not None, path
        assert told.startswith(("results.", "digests.", "inputs.scores.", "the file is not a score sheet")), path


def test_every_changed_result_is_named_by_its_place(sheet: dict[str, Any]) -> None:
    for path in numbers(sheet):
        if path[0] != "results":
            continue
        changed = copy.deepcopy(sheet)
        walk(changed, path[:-1])[path[-1]] += 1
        told = first_difference(changed)
        assert told is not None
        assert told.startswith("results.")
        assert told.split(":")[0].rsplit(".", 1)[-1] == str(path[-1]) or isinstance(path[-1], int)


def test_a_sheet_whose_digests_were_mended_still_shows_what_the_rules_say(sheet: dict[str, Any]) -> None:
    sheet["inputs"]["bids"][0]["experience"][0]["starts_on"] = "2010-01-01"
    sheet["digests"] = digests_of(sheet["inputs"])
    told = first_difference(sheet)
    assert told is not None
    assert told.startswith("results.points.x.experience.inputs.spans")


@pytest.mark.parametrize(
    "broken", [{}, {"format": "other"}, {"format": "schoolmeals-scores/1", "inputs": {}, "results": {}, "digests": {}}]
)
def test_what_is_no_sheet_is_told_so(broken: dict[str, Any]) -> None:
    told = first_difference(broken)
    assert told is not None
    assert "score sheet" in told or told.startswith("format:")


def test_a_recompute_that_only_compares_digests_would_be_found() -> None:
    """The planted bug beside the promise: whoever mends the digests too passes a check that computes nothing."""
    forged = json.loads(json.dumps(sheet_of(inputs())))
    forged["results"]["lots"]["lot"]["ranking"][0]["points_milli"] += 1

    def planted(found: dict[str, Any]) -> bool:
        return bool(found["digests"] == digests_of(found["inputs"]))

    assert planted(forged)
    assert first_difference(forged) == (
        "results.lots.lot.ranking.x.points_milli: the file says 14001, computed is 14000"
    )


def points_of(results: dict[str, Any], bid_id: str, criterion: str) -> int:
    found: int = next(one["points_milli"] for one in results["points"][bid_id] if one["criterion"] == criterion)
    return found


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all whole numbers."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from numbers(inner, (*path, place))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path


def walk(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value
