"""What a supplier says of itself, and when it can be taken: people, equipment, experience, taxes, papers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.identifiers import number_problem
from schoolmeals.procurement.rules.media import type_by_start
from schoolmeals.procurement.rules.sections import EDUCATION, POSTS

EVIDENCE_BYTES: Final = 10_000_000
EVIDENCE_MOST: Final = 300
LINES_MOST: Final = 300
"""Of each kind in a supplier's ledger; a bid can hold as many."""
EVIDENCE_KINDS: Final = (
    "registration",
    "contract",
    "acceptance-act",
    "tax-certificate",
    "diploma",
    "grade-certificate",
    "employment-contract",
    "title",
    "certificate",
    "equipment-passport",
    "origin-certificate",
    "purchase-plan",
    "menu",
    "conviction-certificate",
    "power-of-attorney",
    "other",
)
PARTS: Final = ("head", "founder", "signatory")
WHOLE_TIME_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """Somebody behind a supplier."""

    part: str
    surname: str
    given_name: str
    patronymic: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierDetails:
    """What a supplier says of itself besides its name and number. ``head_keys`` stand for its heads' numbers."""

    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    email: str = ""
    people: tuple[PersonLine, ...] = ()
    founders: tuple[str, ...] = ()
    head_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSupplier:
    """An organisation that registers. ``position`` and ``basis`` say by which right the person acts who does it."""

    name_kk: str
    name_ru: str
    name_en: str
    scheme: str
    number: str
    details: SupplierDetails
    position: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """Somebody to be put into the ledger. ``person_key`` stands for their number."""

    person_key: str
    name: str
    post: str
    education: str
    fte_percent: int
    started_on: date
    grade: int | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEquipment:
    """Equipment to be put into the ledger."""

    name: str
    count: int
    owned: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExperience:
    """Work done for a customer, to be put into the ledger."""

    customer: str
    public: bool
    subject: str
    starts_on: date
    ends_on: date
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTax:
    """A year of taxes in a region, to be put into the ledger."""

    year: int
    region: str
    evidence: tuple[str, ...] = ()


NewLine = NewStaff | NewEquipment | NewExperience | NewTax
Problems = dict[str, list[FieldProblem]]


def supplier_problems(new: NewSupplier) -> Problems:
    """What keeps an organisation from being registered."""
    number = number_problem(new.scheme, new.number)
    found = details_problems(new.details) | {
        **{name: _text(getattr(new, name), 300) for name in ("name_kk", "name_ru", "position", "basis")},
        "scheme": [number] if number is not None and number.code == "no-scheme" else [],
        "number": [number] if number is not None and number.code != "no-scheme" else [],
    }
    return {name: problems for name, problems in found.items() if problems}


def details_problems(details: SupplierDetails) -> Problems:
    """What is wrong with what a supplier says of itself. Conflicts of interest are found by address, phone and names:
    all three must be there.
    """
    heads = [one for one in details.people if one.part == "head"]
    found: Problems = {
        "addresses": _list(details.addresses, 300),
        "phones": _list(details.phones, 40),
        "email": [] if len(details.email) <= 120 and (not details.email or "@" in details.email) else [NOT_AN_EMAIL],
        "head_surname": _text(heads[0].surname, 100) if heads else [NEEDED],
        "head_given_name": _text(heads[0].given_name, 100) if heads else [NEEDED],
        "founders": [TOO_LONG] if len(details.founders) > 50 or any(len(one) > 40 for one in details.founders) else [],
        "people": [TOO_LONG] if len(details.people) > 50 or any(_is_long(one) for one in details.people) else [],
    }
    return {name: problems for name, problems in found.items() if problems}


def line_problems(new: NewLine, today: date) -> Problems:
    """What keeps a line from being put into the ledger."""
    found: Problems
    match new:
        case NewStaff():
            found = {
                "name": _text(new.name, 200),
                "post": [] if new.post in POSTS else [UNKNOWN],
                "education": [] if new.education in EDUCATION else [UNKNOWN],
                "grade": [] if new.grade is None or 1 <= new.grade <= 6 else [WRONG_GRADE],
                "fte_percent": [] if 1 <= new.fte_percent <= WHOLE_TIME_PERCENT else [WRONG_TIME],
            }
        case NewEquipment():
            found = {"name": _text(new.name, 200), "count": [] if 1 <= new.count <= 10_000 else [WRONG_COUNT]}
        case NewExperience():
            found = {
                "customer": _text(new.customer, 300),
                "subject": _text(new.subject, 500),
                "ends_on": [] if new.starts_on <= new.ends_on else [ENDS_EARLY],
                "starts_on": [] if new.starts_on <= today else [TO_COME],
            }
        case _:
            found = {
                "region": _text(new.region, 100),
                "year": [] if 1991 <= new.year <= today.year else [WRONG_YEAR],
            }
    return {name: problems for name, problems in found.items() if problems}


def evidence_problems(kind: str, title: str, content: bytes) -> Problems:
    """What keeps a paper from being kept."""
    file: list[FieldProblem] = []
    if not content:
        file = [NO_FILE]
    elif len(content) > EVIDENCE_BYTES:
        file = [FILE_TOO_LARGE]
    elif type_by_start(content) is None:
        file = [WRONG_TYPE]
    found = {"kind": [] if kind in EVIDENCE_KINDS else [UNKNOWN], "title": _text(title, 200), "file": file}
    return {name: problems for name, problems in found.items() if problems}


def overloaded(fte_by_person: Mapping[str, int]) -> frozenset[str]:
    """Whoever works more than their whole time, over all employers."""
    return frozenset(key for key, percent in fte_by_person.items() if percent > WHOLE_TIME_PERCENT)


def _text(text: str, most: int) -> list[FieldProblem]:
    if not text.strip():
        return [NEEDED]
    return [TOO_LONG] if len(text) > most or "\0" in text else []


def _list(texts: tuple[str, ...], most: int) -> list[FieldProblem]:
    if not texts:
        return [NEEDED]
    return [TOO_LONG] if len(texts) > 20 or any(len(text) > most or "\0" in text for text in texts) else []


def _is_long(person: PersonLine) -> bool:
    texts = (person.surname, person.given_name, person.patronymic, person.phone, person.address)
    return any(len(text) > 300 or "\0" in text for text in texts)


TOO_LONG: Final = FieldProblem.of("too-long", N_("This is too long."))
NOT_AN_EMAIL: Final = FieldProblem.of("not-an-email", N_("This is not an e-mail address."))
WRONG_GRADE: Final = FieldProblem.of("wrong-grade", N_("A grade is a number from 1 to 6."))
WRONG_TIME: Final = FieldProblem.of("wrong-time", N_("Working time is from 1 to 100 percent."))
WRONG_COUNT: Final = FieldProblem.of("wrong-count", N_("Give a whole number from 1 to 10 000."))
WRONG_YEAR: Final = FieldProblem.of("wrong-year", N_("Give a year that has begun."))
ENDS_EARLY: Final = FieldProblem.of("ends-early", N_("The last day is before the first."))
TO_COME: Final = FieldProblem.of("to-come", N_("This day is still to come."))
NO_FILE: Final = FieldProblem.of("no-file", N_("Choose a file."))
FILE_TOO_LARGE: Final = FieldProblem.of(
    "file-too-large", N_("The file is larger than 10 MB. Scan it with a lower quality.")
)
WRONG_TYPE: Final = FieldProblem.of(
    "wrong-type", N_("Only PDF, JPEG and PNG are taken. Save or scan the paper as one of them.")
)
