"""The forms of a supplier's pages, and what was typed into them, as the deeds take it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flask import request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.procurement.rules.drafting import NEEDED
from schoolmeals.procurement.rules.identifiers import (
    BIN,
    IIN,
    number_problem,
    people_key,
    person_key,
    plain_number,
)
from schoolmeals.procurement.rules.registers import BAD_DAY, as_day
from schoolmeals.procurement.rules.sections import EDUCATION, POSTS
from schoolmeals.procurement.rules.suppliers import (
    EVIDENCE_KINDS,
    NewEquipment,
    NewExperience,
    NewLine,
    NewStaff,
    NewSupplier,
    NewTax,
    PersonLine,
    SupplierDetails,
)
from schoolmeals.procurement.words import CHOICE_NAMES, EVIDENCE_NAMES
from schoolmeals.web import settings

Typed = MultiDict[str, str]
Noted = dict[str, list[FieldProblem]]
OTHER: Final = "other"
FOUNDERS: Final = 3
NOT_A_COUNT: Final = FieldProblem.of("not-a-count", N_("Give a whole number."))


@dataclass(frozen=True, slots=True)
class Box:
    """A control of a form: text, textarea, number, date, select or yes-no."""

    name: str
    label: str
    kind: str = "text"
    needed: bool = True
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()


def boxes_of(kind: str) -> list[Box]:
    """The controls for a new line of one kind of the ledger, in the reader's words."""
    return [
        Box(
            box.name,
            gettext(box.label),
            box.kind,
            box.needed,
            gettext(box.hint) if box.hint else "",
            tuple((value, gettext(text)) for value, text in box.options),
        )
        for box in _BOXES[kind]
    ]


def evidence_options() -> list[tuple[str, str]]:
    """The kinds of papers."""
    return [(kind, gettext(EVIDENCE_NAMES[kind])) for kind in EVIDENCE_KINDS]


def typed_line(kind: str) -> NewLine:
    """What was typed for a new line. Raises Invalid where it cannot even be read."""
    typed, problems = request.form, Noted()
    line = _READERS[kind](typed, problems, tuple(dict.fromkeys(typed.getlist("evidence"))))
    if problems or line is None:
        raise Invalid(fields=problems)
    return line


def typed_supplier() -> NewSupplier:
    """What was typed to register a supplier. Raises Invalid."""
    scheme = _text("scheme")
    problems: Noted = {}
    details = _details(problems)
    if problems:
        raise Invalid(fields=problems)
    return NewSupplier(
        name_kk=_text("name_kk"),
        name_ru=_text("name_ru"),
        name_en=_text("name_en"),
        scheme=plain_number(_text("other_scheme")) if scheme == OTHER else scheme,
        number=plain_number(_text("number")),
        details=details,
        position=_text("position"),
        basis=_text("basis"),
    )


def typed_details() -> SupplierDetails:
    """What was typed to describe a supplier. Raises Invalid."""
    problems: Noted = {}
    details = _details(problems)
    if problems:
        raise Invalid(fields=problems)
    return details


def shown_details(row: Any) -> dict[str, str]:
    """A supplier's facts as its form shows them; of the heads' numbers none is known."""
    if row is None:
        return {}
    head: dict[str, str] = next((one for one in row.people if one["part"] == "head"), {})
    founders = [one for one in row.people if one["part"] == "founder"]
    shown = {"addresses": "\n".join(row.addresses), "phones": "\n".join(row.phones), "email": row.email}
    shown |= {f"head_{name}": head.get(name, "") for name in ("surname", "given_name", "patronymic")}
    shown["founders"] = "\n".join(row.founders)
    for place, one in enumerate(founders[:FOUNDERS]):
        shown |= {f"founder{place}_{name}": one[name] for name in ("surname", "given_name", "patronymic")}
    return shown


def day_of(name: str, problems: Noted, *, needed: bool = True) -> date | None:
    """A typed day; what cannot be read is noted in ``problems``."""
    text = _text(name)
    found = as_day(text) if text else None
    if found is None and (needed or text):
        problems[name] = [BAD_DAY if text else NEEDED]
    return found


def _details(problems: Noted) -> SupplierDetails:
    people = [_person("head", "head")]
    people += [_person("founder", f"founder{place}") for place in range(FOUNDERS)]
    return SupplierDetails(
        addresses=_lines("addresses"),
        phones=_lines("phones"),
        email=_text("email"),
        people=tuple(one for one in people if one.surname or one.given_name),
        founders=tuple(plain_number(one) for one in _lines("founders")),
        head_keys=_keys("head_number", problems),
    )


def _person(part: str, prefix: str) -> PersonLine:
    names = {name: _text(f"{prefix}_{name}") for name in ("surname", "given_name", "patronymic")}
    return PersonLine(part=part, **names)


def _keys(name: str, problems: Noted) -> tuple[str, ...]:
    number = plain_number(_text(name))
    if not number:
        return ()
    problem = number_problem(IIN, number)
    if problem is not None:
        problems[name] = [problem]
    return (person_key(people_key(settings().secret_key), IIN, number),)


def _staff(typed: Typed, problems: Noted, evidence: tuple[str, ...]) -> NewLine | None:
    scheme = _text("scheme")
    scheme = plain_number(_text("other_scheme")) if scheme == OTHER else scheme
    number = plain_number(_text("number"))
    problem = number_problem(scheme, number)
    if problem is not None:
        problems["other_scheme" if problem.code == "no-scheme" else "number"] = [problem]
    started_on, fte = day_of("started_on", problems), _whole("fte_percent", problems)
    grade = _whole("grade", problems, needed=False)
    if started_on is None or fte is None:
        return None
    return NewStaff(
        person_key=person_key(people_key(settings().secret_key), scheme, number),
        name=_text("name"),
        post=typed.get("post", ""),
        education=typed.get("education", ""),
        grade=grade,
        fte_percent=fte,
        started_on=started_on,
        evidence=evidence,
    )


def _equipment(typed: Typed, problems: Noted, evidence: tuple[str, ...]) -> NewLine | None:
    count = _whole("count", problems)
    owned = typed.get("owned") == "yes"
    return NewEquipment(name=_text("name"), count=count, owned=owned, evidence=evidence) if count is not None else None


def _experience(typed: Typed, problems: Noted, evidence: tuple[str, ...]) -> NewLine | None:
    starts_on, ends_on = day_of("starts_on", problems), day_of("ends_on", problems)
    if starts_on is None or ends_on is None:
        return None
    return NewExperience(
        customer=_text("customer"),
        public=typed.get("public") == "yes",
        subject=_text("subject"),
        starts_on=starts_on,
        ends_on=ends_on,
        evidence=evidence,
    )


def _tax(_typed: Typed, problems: Noted, evidence: tuple[str, ...]) -> NewLine | None:
    year = _whole("year", problems)
    return NewTax(year=year, region=_text("region"), evidence=evidence) if year is not None else None


def _text(name: str) -> str:
    return request.form.get(name, "").strip()


def _lines(name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in request.form.get(name, "").splitlines() if line.strip())


def _whole(name: str, problems: Noted, *, needed: bool = True) -> int | None:
    text = "".join(_text(name).split())
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    if needed or text:
        problems[name] = [NOT_A_COUNT if text else NEEDED]
    return None


_YES_NO: Final = (("yes", N_("yes")), ("no", N_("no")))
EDUCATIONS: Final = (
    ("none", N_("Without special education")),
    *((one, CHOICE_NAMES[one]) for one in EDUCATION if one != "none"),
)
_BOXES: Final[Mapping[str, tuple[Box, ...]]] = {
    "staff": (
        Box("name", N_("Full name")),
        Box(
            "scheme",
            N_("Kind of number"),
            "select",
            options=((IIN, N_("IIN")), (OTHER, N_("A number of another country"))),
        ),
        Box("other_scheme", N_("Which number"), needed=False, hint=N_("Country and register, for example KG-PIN.")),
        Box(
            "number",
            N_("Personal number"),
            hint=N_("It is not kept: only a keyed hash is, by which the same person is known again at any employer."),
        ),
        Box("post", N_("Post"), "select", options=tuple((one, CHOICE_NAMES[one]) for one in POSTS)),
        Box("grade", N_("Grade"), "number", needed=False, hint=N_("From 1 to 6, where the post has one.")),
        Box("education", N_("Education"), "select", options=EDUCATIONS),
        Box(
            "fte_percent",
            N_("Working time, percent"),
            "number",
            hint=N_("100 is the whole time. All employers together can have no more of one person."),
        ),
        Box("started_on", N_("Works here since"), "date"),
    ),
    "equipment": (
        Box("name", N_("Name")),
        Box("count", N_("Count"), "number"),
        Box("owned", N_("Owned"), "select", options=_YES_NO, hint=N_("Say no where it is rented or lent.")),
    ),
    "experience": (
        Box("customer", N_("Customer")),
        Box(
            "public",
            N_("Public customer"),
            "select",
            options=_YES_NO,
            hint=N_("Private customers count as much as public ones."),
        ),
        Box("subject", N_("What was done")),
        Box("starts_on", N_("First day"), "date"),
        Box("ends_on", N_("Last day"), "date"),
    ),
    "taxes": (Box("year", N_("Year"), "number"), Box("region", N_("Region"))),
}
_READERS: Final[Mapping[str, Callable[[Typed, Noted, tuple[str, ...]], NewLine | None]]] = {
    "staff": _staff,
    "equipment": _equipment,
    "experience": _experience,
    "taxes": _tax,
}
SCHEMES: Final = (
    (BIN, N_("BIN of an organisation")),
    (IIN, N_("IIN of a sole trader")),
    (OTHER, N_("A number of another country")),
)
