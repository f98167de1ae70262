"""Procedure profiles: every number, term, criterion and quorum of a procedure as data, with the law that it rests on.

The files beside this module are what is shipped. A profile is copied into a tender when it is published, so that a
later change of law, or of a file here, touches no running tender: read the copy back with :meth:`Profile.from_json`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = ("kk", "ru", "en")
TERM_UNITS: Final = frozenset({"working-days", "calendar-days", "hours"})
UNITS: Final = TERM_UNITS | {
    "minutes",
    "months",
    "percent",
    "permille",
    "times",
    "people",
    "commissions",
    "points-milli",
    "bids",
}
PRICE_MODES: Final = frozenset({"fixed", "ceiling", "competitive"})
NUMBERS: Final = frozenset(
    {
        "discussion",
        "bidding_min",
        "questions_stop",
        "amendment_extra",
        "amendment_last_share_percent",
        "ciphertext_grace",
        "opening_window",
        "reveal_window",
        "fix",
        "fixes_per_bid",
        "evaluation",
        "evaluation_extension",
        "standstill",
        "complaint_decision",
        "signing",
        "lease",
        "supplier_published",
        "direct_contract_max",
        "extensions",
        "contract_max",
        "bid_security_permille",
        "contract_security_permille",
        "price_changes_a_year",
        "fte_max_percent",
        "single_bid_needs_reason",
    }
)
"""What every profile must answer."""
OFFICES: Final = ("commission-member", "commission-chair", "school-head")


class ProfileError(Exception):
    """A profile cannot be used. The message names the place and says what is expected there."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the law, or one that still has to be checked there: then ``verified`` is False, and pages say so."""

    value: int
    unit: str
    legal_ref: Mapping[str, str]
    verified: bool


@dataclass(frozen=True, slots=True)
class Length:
    """How long a term is; ``unit`` is ``working-days``, ``calendar-days`` or ``hours``."""

    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """What points are given for. ``kind`` is ``rule`` (computed from evidence) or ``judged`` (by each member alone)."""

    code: str
    kind: str
    rule: str
    rule_version: int
    name: Mapping[str, str]
    most: Number
    evidence: tuple[str, ...]
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a bid must meet to be admitted. ``check``: ``evidence``, ``declared``, ``computed``, ``register:<name>``."""

    code: str
    name: Mapping[str, str]
    fixable: bool
    check: str
    legal_ref: Mapping[str, str]
    verified: bool


@dataclass(frozen=True, slots=True)
class SeatsWanted:
    """How many are to be drawn of one constituency."""

    constituency: str
    count: int


@dataclass(frozen=True, slots=True)
class TenureLimit:
    """At most ``most`` (commissions or months in office) within the last ``within`` months."""

    most: Number
    within: Number


@dataclass(frozen=True, slots=True)
class LowPrice:
    """When a price is abnormally low: so far under the mean of the others, or under the next."""

    under_mean_percent: Number
    under_next_percent: Number
    explanation: Number


@dataclass(frozen=True, slots=True)
class Profile:
    """A procedure. ``json`` is the checked document itself, for the copy that a published tender keeps."""

    code: str
    version: int
    json: Mapping[str, Any]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Profile":
        """A profile from its document. Raises ProfileError."""
        problems = list(problems_of(document))
        if problems:
            raise ProfileError("; ".join(problems))
        return cls(document["code"], document["version"], document)

    @property
    def name(self) -> Mapping[str, str]:
        names: Mapping[str, str] = self.json["name"]
        return names

    @property
    def purpose(self) -> str:
        """``catering`` or ``goods``."""
        return str(self.json["purpose"])

    @property
    def price_mode(self) -> str:
        return str(self.json["price_mode"])

    @property
    def envelopes(self) -> tuple[str, ...]:
        """The envelopes of a bid in the order of their opening."""
        return tuple(self.json["envelopes"])

    @property
    def accelerator(self) -> int:
        """By how much every term is divided; 1 but for demonstrations."""
        return int(self.json.get("accelerator", 1))

    def number(self, name: str) -> Number:
        """One number by its name in :data:`NUMBERS`."""
        return _number(self.json["numbers"][name])

    def term(self, name: str) -> Length:
        """The length of a term by the name of its number."""
        number = self.number(name)
        assert number.unit in TERM_UNITS, f"{name} is no term"
        return Length(number.value, number.unit)

    def commission(self, name: str) -> Number:
        """A number of the commission: ``members_min``, ``quorum_percent``, ..."""
        return _number(self.json["commission"][name])

    @property
    def seats(self) -> tuple[SeatsWanted, ...]:
        """Who is drawn into the commission."""
        return tuple(SeatsWanted(**one) for one in self.json["commission"]["seats"])

    @property
    def alternate_seats(self) -> tuple[SeatsWanted, ...]:
        """Who is drawn to step in."""
        return tuple(SeatsWanted(**one) for one in self.json["commission"]["alternate_seats"])

    @property
    def parents(self) -> frozenset[str]:
        """The constituencies that count as parents."""
        return frozenset(self.json["commission"]["parents"])

    def tenure_limit(self, office: str) -> TenureLimit:
        """How long one may hold an office of :data:`OFFICES`."""
        limit = self.json["tenure"][office]
        return TenureLimit(_number(limit["most"]), _number(limit["within"]))

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        return tuple(_criterion(one) for one in self.json["criteria"])

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return tuple(Requirement(**one) for one in self.json["requirements"])

    @property
    def goods_groups(self) -> tuple[str, ...]:
        """The groups in which goods may be bought together; empty for catering."""
        return tuple(self.json.get("goods_groups", ()))

    @property
    def tie_break(self) -> tuple[str, ...]:
        """Codes of criteria, and ``received-at``, in the order in which they decide between equals."""
        return tuple(self.json["tie_break"])

    @property
    def low_price(self) -> LowPrice | None:
        """None where the price does not compete."""
        rule = self.json["low_price"]
        return LowPrice(**{name: _number(one) for name, one in rule.items()}) if rule is not None else None

    @property
    def unconfirmed_may_bid(self) -> bool:
        """Whether a supplier bids before anybody has confirmed who acts for it; the commission is told at admission."""
        return bool(self.json.get("unconfirmed_may_bid", True))

    @property
    def unverified(self) -> tuple[str, ...]:
        """Where numbers stand that nobody has found in the law yet, as dotted paths."""
        return tuple(path for path, one in numbers_in(self.json) if not one["verified"])

    def accelerated(self, by: int) -> "Profile":
        """The same procedure with every term divided by ``by``, for demonstrations."""
        assert by >= 1, "terms are only shortened"
        return Profile(self.code, self.version, {**self.json, "accelerator": by})


def codes() -> tuple[str, ...]:
    """The codes of the profiles that are shipped."""
    names = (file.name for file in resources.files(__name__).iterdir() if file.name.endswith(".json"))
    return tuple(sorted(name.removesuffix(".json") for name in names))


@lru_cache(maxsize=32)
def load(code: str) -> Profile:
    """A shipped profile by its code. Raises ProfileError."""
    if code not in codes():
        raise ProfileError(f"there is no profile {code}")
    return Profile.from_json(json.loads(resources.files(__name__).joinpath(f"{code}.json").read_text(encoding="utf-8")))


def numbers_in(document: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every number of a document with its dotted path."""
    if isinstance(document, Mapping):
        if "legal_ref" in document and "value" in document:
            yield path, document
            return
        for name, value in document.items():
            yield from numbers_in(value, f"{path}.{name}" if path else str(name))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            label = value.get("code", place) if isinstance(value, Mapping) else place
            yield from numbers_in(value, f"{path}.{label}")


def problems_of(document: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a document from being a profile, in sentences for whoever wrote it."""
    needed = {"code", "version", "name", "purpose", "legal_ref", "price_mode", "envelopes", "numbers", "commission"}
    missing = (needed | {"tenure", "criteria", "requirements", "tie_break", "low_price"}) - set(document)
    if missing:
        yield f"missing: {', '.join(sorted(missing))}"
        return
    yield from _text_problems(document)
    for path, number in numbers_in(document):
        yield from _number_problems(path, number)
    missing_numbers = NUMBERS - set(document["numbers"])
    if missing_numbers:
        yield f"numbers: missing {', '.join(sorted(missing_numbers))}"
    if not isinstance(document.get("unconfirmed_may_bid", True), bool):
        yield "unconfirmed_may_bid: true or false"
    if document["price_mode"] not in PRICE_MODES:
        yield f"price_mode: one of {', '.join(sorted(PRICE_MODES))}"
    if (document["price_mode"] == "competitive") != (document["low_price"] is not None):
        yield "low_price: there where the price competes, and only there"
    yield from _commission_problems(document["commission"])
    known = {one["code"] for one in document["criteria"]} | {"received-at"}
    if not set(document["tie_break"]) <= known or document["tie_break"][-1:] != ["received-at"]:
        yield "tie_break: codes of criteria, and received-at last, so that no tie is left to anybody"


def _number(value: Mapping[str, Any]) -> Number:
    return Number(value["value"], value["unit"], value["legal_ref"], value["verified"])


def _criterion(value: Mapping[str, Any]) -> Criterion:
    return Criterion(
        value["code"],
        value["kind"],
        value["rule"],
        value["rule_version"],
        value["name"],
        _number(value["max_points_milli"]),
        tuple(value["evidence"]),
        value["params"],
    )


def _text_problems(document: Mapping[str, Any]) -> Iterator[str]:
    places = [("name", document["name"]), ("legal_ref", document["legal_ref"])]
    places += [(f"criteria.{one['code']}.name", one["name"]) for one in document["criteria"]]
    places += [(f"requirements.{one['code']}.name", one["name"]) for one in document["requirements"]]
    places += [(f"requirements.{one['code']}.legal_ref", one["legal_ref"]) for one in document["requirements"]]
    for path, texts in places:
        if not all(texts.get(language) for language in LANGUAGES):
            yield f"{path}: a text in each of {', '.join(LANGUAGES)}"


def _number_problems(path: str, number: Mapping[str, Any]) -> Iterator[str]:
    value = number["value"]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        yield f"{path}: a whole number, not negative"
    if number.get("unit") not in UNITS:
        yield f"{path}: a unit, one of {', '.join(sorted(UNITS))}"
    if not isinstance(number.get("verified"), bool):
        yield f"{path}: verified, true or false"
    if not all(number["legal_ref"].get(language) for language in LANGUAGES):
        yield f"{path}: the law in each of {', '.join(LANGUAGES)}"


def _commission_problems(commission: Mapping[str, Any]) -> Iterator[str]:
    members = commission["members"]["value"]
    seats = sum(one["count"] for one in commission["seats"])
    parents = sum(one["count"] for one in commission["seats"] if one["constituency"] in commission["parents"])
    if members != seats:
        yield f"commission.seats: {members} in all"
    if members % 2 == 0 or members < commission["members_min"]["value"]:
        yield f"commission.members: odd, and at least {commission['members_min']['value']}"
    if parents * 100 < members * commission["parents_share_percent"]["value"]:
        yield "commission.seats: too few parents"
    if not 1 < commission["shares_needed"]["value"] <= members:
        yield "commission.shares_needed: more than one, and no more than there are members"
