"""The form of a bid's content: what is taken is read exactly, and what is not is named place by place."""

import json
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.errors import Invalid
from schoolmeals.procurement.rules import bid_form
from schoolmeals.procurement.rules.bid_form import FORM, BidContent, belongs, missing_files, read, written

TENDER, LOT, FIRM, COOK, OVEN, ITEM = (UUID(int=number) for number in range(1, 7))
HASH: Final = "ab" * 32
OTHER_HASH: Final = "cd" * 32
HEAD: Final[dict[str, Any]] = {
    "format": "schoolmeals-bid/1",
    "tender_id": str(TENDER),
    "lot_id": str(LOT),
    "tenderer": {
        "organisation_id": str(FIRM),
        "name": "«Дәм» ЖШС",
        "scheme": "KZ-BIN",
        "identifier": "090840003422",
    },
}
QUALIFICATION: Final[dict[str, Any]] = {
    "declared": ["no-relatives", "resources"],
    "staff": [
        {
            "staff_id": str(COOK),
            "person_key": HASH,
            "name": "Серікова Айгүл",
            "post": "cook",
            "grade": 5,
            "education": "college",
            "fte_percent": 100,
            "evidence": [HASH],
        }
    ],
    "equipment": [{"equipment_id": str(OVEN), "name": "Пеш", "count": 2, "owned": True, "evidence": []}],
    "experience": [
        {
            "customer": "«Шаңырақ» ЖШС",
            "public": False,
            "subject": "Қызметкерлердің түскі асы",
            "starts_on": "2022-01-10",
            "ends_on": "2024-12-31",
            "evidence": [OTHER_HASH],
        }
    ],
    "taxes": [{"year": 2025, "region": "Астана", "evidence": []}],
    "evidence": [
        {"for": "food-safety", "file": "haccp.pdf", "sha256": HASH, "valid_until": "2027-06-30"},
        {"for": "no-conviction", "file": "head.pdf", "sha256": OTHER_HASH},
    ],
    "menu_note": "Көкөніс күн сайын",
}
PRICE: Final[dict[str, Any]] = {"prices": [{"lot_item_id": str(ITEM), "price_minor": 799_00}], "currency": "KZT"}
WHOLE: Final = {**HEAD, "envelope": "qualification", **QUALIFICATION, **PRICE}


def faults_of(content: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        read(content)
    assert refused.value.code == "bid-content"
    return {path: [one.code for one in problems] for path, problems in refused.value.fields.items()}


def changed(**changes: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(WHOLE))
    for path, value in changes.items():
        at: Any = copy
        *way, last = path.split("__")
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value
    return copy


def test_what_is_taken_is_read_and_written_alike() -> None:
    content = read(WHOLE)
    assert (content.tender_id, content.lot_id, content.tenderer.identifier) == (TENDER, LOT, "090840003422")
    assert (content.staff[0].staff_id, content.staff[0].grade, content.staff[0].evidence) == (COOK, 5, (HASH,))
    assert [str(line.valid_until) for line in content.evidence] == ["2027-06-30", "None"]
    assert content.evidence[0].for_ == "food-safety"
    assert (content.experience[0].ends_on.year, content.experience[0].public) == (2024, False)
    assert (content.prices[0].lot_item_id, content.prices[0].price_minor, content.currency) == (ITEM, 799_00, "KZT")
    assert written(content) == WHOLE
    assert read(json.dumps(WHOLE).encode()) == content
    assert written(read(changed(origin_percent=70)))["origin_percent"] == 70


def test_each_envelope_has_its_parts() -> None:
    assert read({**HEAD, "envelope": "qualification", **QUALIFICATION}).has_price is False
    price = read({**HEAD, "envelope": "price", **PRICE})
    assert (price.has_qualification, price.has_price, price.staff) == (False, True, ())
    assert faults_of({**HEAD, "envelope": "bid", **PRICE}) == {name: ["missing"] for name in QUALIFICATION}
    assert faults_of({**HEAD, "envelope": "qualification", **QUALIFICATION, "currency": "KZT"}) == {
        "prices": ["missing"]
    }
    assert faults_of({**HEAD, "envelope": "price", **PRICE, "menu_note": ""}) == {"menu_note": ["unknown"]}
    assert faults_of({**HEAD, "envelope": "price", **PRICE, "origin_percent": 5}) == {"origin_percent": ["unknown"]}


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"format": "schoolmeals-bid/2"}, "format", "wrong-shape"),
        ({"envelope": "letter"}, "envelope", "wrong-shape"),
        ({"note": "?"}, "note", "unknown"),
        ({"tender_id": str(TENDER).upper()[:-1] + "G"}, "tender_id", "wrong-shape"),
        ({"tenderer__name": ""}, "tenderer.name", "wrong-shape"),
        ({"staff__0__fte_percent": 101}, "staff.0.fte_percent", "out-of-range"),
        ({"staff__0__fte_percent": True}, "staff.0.fte_percent", "wrong-shape"),
        ({"staff__0__grade": 7}, "staff.0.grade", "out-of-range"),
        ({"staff__0__post": "director"}, "staff.0.post", "wrong-shape"),
        ({"staff__0__iin": "800101300123"}, "staff.0.iin", "unknown"),
        ({"staff__0__evidence": [HASH, HASH]}, "staff.0.evidence.1", "twice"),
        ({"staff": QUALIFICATION["staff"] * 2}, "staff.1", "twice"),
        ({"staff": {}}, "staff", "wrong-shape"),
        ({"experience__0__ends_on": "2021-12-31"}, "experience.0.ends_on", "ends-early"),
        ({"experience__0__ends_on": "31.12.2024"}, "experience.0.ends_on", "wrong-shape"),
        ({"evidence__0__valid_until": "2027-13-01"}, "evidence.0.valid_until", "wrong-shape"),
        ({"declared": ["No relatives"]}, "declared.0", "wrong-shape"),
        ({"prices__0__price_minor": 0}, "prices.0.price_minor", "out-of-range"),
        ({"prices__0__price_minor": 799.5}, "prices.0.price_minor", "wrong-shape"),
        ({"currency": "tenge"}, "currency", "wrong-shape"),
        ({"menu_note": "a\x00b"}, "menu_note", "wrong-shape"),
        ({"menu_note": "a" * 8_001}, "menu_note", "wrong-shape"),
        ({"taxes": [{"year": 2025, "region": "Астана"}]}, "taxes.0.evidence", "missing"),
        ({"taxes": [{"year": year, "region": "A", "evidence": []} for year in range(2000, 2021)]}, "taxes", "too-many"),
    ],
)
def test_what_is_not_taken_is_named(change: dict[str, Any], path: str, code: str) -> None:
    assert faults_of(changed(**change)) == {path: [code]}


def test_every_fault_is_named_at_once() -> None:
    assert faults_of(changed(staff__0__fte_percent=0, currency="T")) == {
        "staff.0.fte_percent": ["out-of-range"],
        "currency": ["wrong-shape"],
    }


@pytest.mark.parametrize("data", [b"\xff", b"[", b"[1.5]", b"NaN", b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    assert faults_of(data) == {"": ["not-json"]}


def test_what_is_too_large_is_not_looked_at() -> None:
    assert faults_of(b" " * ((1 << 20) + 1)) == {"": ["too-large"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
def test_nothing_else_gets_through_and_nothing_breaks(value: Any) -> None:
    assert faults_of(value)


def test_content_belongs_to_its_bid_and_envelope() -> None:
    about: dict[str, Any] = {"tender_id": TENDER, "lot_id": LOT, "tenderer_id": FIRM}

    def told(content: dict[str, Any], envelope: str, *envelopes: str, **other: Any) -> str | None:
        refused = belongs(read(content), envelope=envelope, envelopes=envelopes, **(about | other))
        return refused.code if refused is not None else None

    first = {**HEAD, "envelope": "qualification", **QUALIFICATION}
    price = {**HEAD, "envelope": "price", **PRICE}
    assert told(WHOLE, "qualification", "qualification") is None
    assert told(first, "qualification", "qualification", "price") is None
    assert told(price, "price", "qualification", "price") is None
    assert told(WHOLE, "qualification", "qualification", "price") == "wrong-envelope"
    assert told(first, "qualification", "qualification") == "wrong-envelope"
    assert told(price, "qualification", "qualification", "price") == "wrong-envelope"
    assert told(WHOLE, "qualification", "qualification", lot_id=TENDER) == "another-bid"
    assert told(WHOLE, "qualification", "qualification", tenderer_id=TENDER) == "another-bid"


def test_evidence_must_be_in_the_envelope() -> None:
    content = read(WHOLE)
    both = {("haccp.pdf", HASH), ("head.pdf", OTHER_HASH)}
    assert missing_files(content, both) == []
    assert missing_files(content, {("haccp.pdf", HASH)}) == ["experience.0", "evidence.1"]
    assert missing_files(content, {("other.pdf", HASH), ("head.pdf", OTHER_HASH)}) == ["evidence.0"]


def test_the_form_goes_to_the_browser_whole() -> None:
    told = FORM.as_json()
    assert json.loads(json.dumps(told)) == told
    assert told["fields"]["staff"]["of"]["fields"]["fte_percent"] == {
        "kind": "whole",
        "least": 1,
        "most": 100,
        "may_be_null": False,
        "choices": [],
        "unique": "",
        "optional": [],
    }
    assert isinstance(read(WHOLE), BidContent)


def test_a_form_that_takes_anything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: a form that is not looked at lets a person's number through."""
    with_iin = changed(staff__0__iin="800101300123")
    assert faults_of(with_iin) == {"staff.0.iin": ["unknown"]}
    monkeypatch.setattr(bid_form, "faults", lambda _form, _value: iter(()))
    assert read(with_iin).staff[0].staff_id == COOK
