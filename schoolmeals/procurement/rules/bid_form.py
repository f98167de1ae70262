"""The content of a bid, as ``bid.json`` in each of its envelopes says it, for bidders, commission and machines alike.

The form is data (:data:`FORM`), so that the bidder's browser checks by the very same words before it seals, and nothing
is sealed that could not be read afterwards. Nothing unknown is taken: what is not in the form counts for nothing.

A tender with one envelope has both parts in it, whatever the envelope is called; with two, ``qualification`` has the
first part and ``price`` the second.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.procurement.rules.opening import CONTENT_MAX_BYTES
from schoolmeals.procurement.rules.sections import EDUCATION, POSTS
from schoolmeals.procurement.rules.shapes import MISSING, UNKNOWN, Faults, Shape, faults
from schoolmeals.verdicts import Refused

FORMAT: Final = "schoolmeals-bid/1"
PRICE_PART: Final = frozenset({"prices", "currency"})
QUALIFICATION_PART: Final = frozenset(
    {"declared", "staff", "equipment", "experience", "taxes", "evidence", "menu_note"}
)
ENVELOPES: Final = ("bid", "qualification", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenderer:
    """Who bids. ``scheme`` says what the identifier is, as ``KZ-BIN``."""

    organisation_id: UUID
    name: str
    scheme: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLine:
    """A person who is offered. ``person_key`` is the same for the same person, whoever employs them."""

    staff_id: UUID
    person_key: str
    name: str
    post: str
    grade: int | None
    education: str
    fte_percent: int
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EquipmentLine:
    """A piece of equipment, or several alike; not ``owned`` is rented or lent."""

    equipment_id: UUID
    name: str
    count: int
    owned: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperienceLine:
    """Work that was done for a customer, public or private, from the first to the last day."""

    customer: str
    public: bool
    subject: str
    starts_on: date
    ends_on: date
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """A year in which taxes were paid in a region."""

    year: int
    region: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine:
    """A file in the envelope, and the requirement or criterion it is for. A certificate says until when it holds."""

    for_: str
    file: str
    sha256: str
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """What one meal, or one unit of goods, costs; minor units of the bid's currency."""

    lot_item_id: UUID
    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BidContent:
    """All that an envelope says. Parts that are not in it are empty; ``has_qualification`` and ``has_price`` tell."""

    envelope: str
    tender_id: UUID
    lot_id: UUID
    tenderer: Tenderer
    has_qualification: bool
    has_price: bool
    declared: tuple[str, ...] = ()
    staff: tuple[StaffLine, ...] = ()
    equipment: tuple[EquipmentLine, ...] = ()
    experience: tuple[ExperienceLine, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    evidence: tuple[EvidenceLine, ...] = ()
    menu_note: str = ""
    origin_percent: int | None = None
    """The share of domestic food that is promised; None where nothing is."""
    prices: tuple[PriceLine, ...] = ()
    currency: str = ""


def _text(most: int, *, least: int = 1) -> Shape:
    return Shape("text", least=least, most=most)


def _rows(most: int, fields: Mapping[str, Shape], *, unique: str = "", optional: Iterable[str] = ()) -> Shape:
    row = Shape("object", fields=fields, optional=frozenset(optional))
    return Shape("list", most=most, of=row, unique=unique)


_ID: Final = Shape("id")
_HASH: Final = Shape("hash")
_DAY: Final = Shape("day")
_FLAG: Final = Shape("flag")
_CODE: Final = Shape("code", most=60)
_PROOFS: Final = Shape("list", most=20, of=_HASH, unique=".")
FORM: Final = Shape(
    "object",
    fields={
        "format": Shape("choice", choices=(FORMAT,)),
        "envelope": Shape("choice", choices=ENVELOPES),
        "tender_id": _ID,
        "lot_id": _ID,
        "tenderer": Shape(
            "object",
            fields={
                "organisation_id": _ID,
                "name": _text(300),
                "scheme": _text(20),
                "identifier": _text(40),
            },
        ),
        "declared": Shape("list", most=60, of=_CODE, unique="."),
        "staff": _rows(
            300,
            {
                "staff_id": _ID,
                "person_key": _HASH,
                "name": _text(200),
                "post": Shape("choice", choices=POSTS),
                "grade": Shape("whole", least=1, most=6, may_be_null=True),
                "education": Shape("choice", choices=EDUCATION),
                "fte_percent": Shape("whole", least=1, most=100),
                "evidence": _PROOFS,
            },
            unique="staff_id",
        ),
        "equipment": _rows(
            300,
            {
                "equipment_id": _ID,
                "name": _text(200),
                "count": Shape("whole", least=1, most=10_000),
                "owned": _FLAG,
                "evidence": _PROOFS,
            },
            unique="equipment_id",
        ),
        "experience": _rows(
            100,
            {
                "customer": _text(300),
                "public": _FLAG,
                "subject": _text(500),
                "starts_on": _DAY,
                "ends_on": _DAY,
                "evidence": _PROOFS,
            },
        ),
        "taxes": _rows(
            20,
            {"year": Shape("whole", least=1991, most=2200), "region": _text(100), "evidence": _PROOFS},
        ),
        "evidence": _rows(
            300,
            {
                "for": _CODE,
                "file": _text(200),
                "sha256": _HASH,
                "valid_until": Shape("day", may_be_null=True),
            },
            optional=["valid_until"],
        ),
        "menu_note": _text(8_000, least=0),
        "origin_percent": Shape("whole", least=0, most=100, may_be_null=True),
        "prices": _rows(
            500,
            {"lot_item_id": _ID, "price_minor": Shape("whole", least=1, most=10**12)},
            unique="lot_item_id",
        ),
        "currency": Shape("currency"),
    },
    optional=QUALIFICATION_PART | PRICE_PART | {"origin_percent"},
)
"""The whole form; which parts an envelope has to have is said by :func:`read`."""


def read(plaintext: bytes | Mapping[str, Any]) -> BidContent:
    """What ``bid.json`` says, given its bytes or the object in them.

    Raises Invalid ``bid-content``, whose ``fields`` name each place (``staff.2.fte_percent``) with what is wrong there.
    """
    value = _object(plaintext) if isinstance(plaintext, bytes) else plaintext
    found = list(faults(FORM, value))
    if not found:
        found = [*_part_faults(value), *_date_faults(value)]
    if found:
        problems: dict[str, list[FieldProblem]] = {}
        for path, problem in found:
            problems.setdefault(path, []).append(problem)
        raise Invalid("bid-content", NOT_A_BID, fields=problems)
    return _content(value)


def written(content: BidContent) -> dict[str, Any]:
    """The object that :func:`read` takes for ``content``."""
    value: dict[str, Any] = {
        "format": FORMAT,
        "envelope": content.envelope,
        "tender_id": str(content.tender_id),
        "lot_id": str(content.lot_id),
        "tenderer": _plain(content.tenderer),
    }
    if content.has_qualification:
        value |= {name: _plain(getattr(content, name)) for name in sorted(QUALIFICATION_PART)}
        if content.origin_percent is not None:
            value["origin_percent"] = content.origin_percent
    if content.has_price:
        value |= {name: _plain(getattr(content, name)) for name in sorted(PRICE_PART)}
    return value


def belongs(
    content: BidContent,
    *,
    envelope: str,
    envelopes: Sequence[str],
    tender_id: UUID,
    lot_id: UUID,
    tenderer_id: UUID,
) -> Refused | None:
    """The content is of this bid, and in this envelope is what the tender asks to be in it, and nothing else.

    A price in the first of two envelopes would be known before admission is decided: such a bid is refused.
    """
    if (content.tender_id, content.lot_id, content.tenderer.organisation_id) != (tender_id, lot_id, tenderer_id):
        return Refused("another-bid", ANOTHER_BID)
    first, only = envelope == envelopes[0], len(envelopes) == 1
    asked = (first, not first or only)
    if content.envelope != envelope or (content.has_qualification, content.has_price) != asked:
        return Refused("wrong-envelope", WRONG_ENVELOPE, {"envelope": envelope})
    return None


def missing_files(content: BidContent, files: Collection[tuple[str, str]]) -> list[str]:
    """The places of evidence that is not among the envelope's ``files``, given as name and SHA-256 in hex."""
    hashes = {sha256 for _, sha256 in files}
    lists: tuple[tuple[str, Sequence[Any]], ...] = (
        ("staff", content.staff),
        ("equipment", content.equipment),
        ("experience", content.experience),
        ("taxes", content.taxes),
    )
    rows = [(f"{name}.{place}", row.evidence) for name, listed in lists for place, row in enumerate(listed)]
    missing = [place for place, evidence in rows if not hashes.issuperset(evidence)]
    named = enumerate(content.evidence)
    return missing + [f"evidence.{place}" for place, row in named if (row.file, row.sha256) not in files]


def _object(data: bytes) -> Any:
    if len(data) > CONTENT_MAX_BYTES:
        raise Invalid("bid-content", NOT_A_BID, fields={"": [_TOO_LARGE]})
    try:
        return json.loads(data.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid("bid-content", NOT_A_BID, fields={"": [_NOT_JSON]}) from error


def _refuse(text: str) -> None:
    raise ValueError(text)


def _part_faults(value: Mapping[str, Any]) -> Faults:
    """Each part is there whole or not at all, and those that the envelope's name asks for are there."""
    envelope = value["envelope"]
    for part, needed, barred in (
        (QUALIFICATION_PART, envelope != "price", envelope == "price"),
        (PRICE_PART, envelope != "qualification", False),
    ):
        there = part & value.keys()
        if barred:
            yield from ((name, UNKNOWN) for name in sorted(there))
        elif needed or there:
            yield from ((name, MISSING) for name in sorted(part - there))
    if envelope == "price" and "origin_percent" in value:
        yield "origin_percent", UNKNOWN


def _date_faults(value: Mapping[str, Any]) -> Faults:
    for place, row in enumerate(value.get("experience", ())):
        if row["ends_on"] < row["starts_on"]:
            yield f"experience.{place}.ends_on", _ENDS_EARLY


def _content(value: Mapping[str, Any]) -> BidContent:
    return BidContent(
        envelope=value["envelope"],
        tender_id=UUID(value["tender_id"]),
        lot_id=UUID(value["lot_id"]),
        tenderer=_made(Tenderer, value["tenderer"]),
        has_qualification="declared" in value,
        has_price="prices" in value,
        declared=tuple(value.get("declared", ())),
        staff=_lines(StaffLine, value, "staff"),
        equipment=_lines(EquipmentLine, value, "equipment"),
        experience=_lines(ExperienceLine, value, "experience"),
        taxes=_lines(TaxLine, value, "taxes"),
        evidence=_lines(EvidenceLine, value, "evidence"),
        menu_note=value.get("menu_note", ""),
        origin_percent=value.get("origin_percent"),
        prices=_lines(PriceLine, value, "prices"),
        currency=value.get("currency", ""),
    )


def _lines(kind: type[Any], value: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return tuple(_made(kind, row) for row in value.get(name, ()))


def _made(kind: type[Any], row: Mapping[str, Any]) -> Any:
    return kind(**{one.name: _typed(one.name, row.get(one.name.rstrip("_"))) for one in fields(kind)})


def _typed(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if value is not None and name.endswith("_id"):
        return UUID(value)
    return date.fromisoformat(value) if value is not None and name in _DAYS else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int):
        return value
    plain = {one.name.rstrip("_"): _plain(getattr(value, one.name)) for one in fields(value)}
    return {name: one for name, one in plain.items() if not (name == "valid_until" and one is None)}


_DAYS: Final = frozenset({"starts_on", "ends_on", "valid_until"})
NOT_A_BID: Final = N_("This is not a bid in the form that the tender asks for.")
ANOTHER_BID: Final = N_("What is in the envelope belongs to another bid.")
WRONG_ENVELOPE: Final = N_("The envelope %(envelope)s does not hold what belongs into it, or holds more.")
_ENDS_EARLY: Final = FieldProblem.of("ends-early", N_("The last day is before the first."))
_TOO_LARGE: Final = FieldProblem.of("too-large", N_("The file is too large."))
_NOT_JSON: Final = FieldProblem.of("not-json", N_("This is not a file of JSON without fractions."))
