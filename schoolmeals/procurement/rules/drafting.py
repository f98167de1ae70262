"""Whether what somebody writes into a tender can be kept, and what it still lacks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final, NamedTuple

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.need import AGE_GROUPS, MEALS
from schoolmeals.procurement.rules.sections import Field, FieldKind, Section
from schoolmeals.verdicts import Refused

NEEDED: Final = FieldProblem.of("needed", N_("Fill this in."))
UNKNOWN: Final = FieldProblem.of("unknown", N_("Choose one from the list."))
NOT_A_DATE: Final = FieldProblem.of("not-a-date", N_("Write a date like 2026-09-01."))
NOT_A_TIME: Final = FieldProblem.of("not-a-time", N_("Write a time like 12:30."))
NOT_A_TEXT: Final = FieldProblem.of("not-a-text", N_("Write letters, digits and signs only."))
TWICE: Final = FieldProblem.of("twice", N_("This row is there twice."))
TOO_LONG: Final = N_("Use up to %(most)s characters.")
OUT_OF_RANGE: Final = N_("Write a whole number from %(least)s to %(most)s.")
TOO_FEW_ROWS: Final = N_("Enter at least %(least)s.")
TOO_MANY_ROWS: Final = N_("Enter at most %(most)s.")
NO_SUCH_FIELD: Final = FieldProblem.of("no-such-field", N_("There is no such field here."))
LANGUAGES: Final = ("kk", "ru", "en")
MUST_SPEAK: Final = ("kk", "ru")

Problems = dict[str, list[FieldProblem]]


class Checked(NamedTuple):
    """``faults`` keep a section from being saved, ``gaps`` from being complete; both by dotted path of the field."""

    faults: Problems
    gaps: Problems


def check(section: Section, content: Mapping[str, Any]) -> Checked:
    """What is wrong with a section's content, and what it lacks."""
    checked = Checked({}, {})
    _check_fields(section.fields, content, "", checked)
    return checked


def _check_fields(fields: Sequence[Field], content: Mapping[str, Any], path: str, into: Checked) -> None:
    known = {one.name for one in fields}
    for name in content.keys() - known:
        into.faults[f"{path}{name}"] = [NO_SUCH_FIELD]
    for one in fields:
        value = content.get(one.name)
        here = f"{path}{one.name}"
        if is_empty(value):
            if one.needed:
                into.gaps[here] = [NEEDED]
        else:
            _check_value(one, value, here, into)


def is_empty(value: Any) -> bool:
    """Whether nothing was written. Zero and no are something."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or value == {}


def _check_value(field: Field, value: Any, path: str, into: Checked) -> None:
    match field.kind:
        case FieldKind.ROWS:
            _check_rows(field, value, path, into)
        case FieldKind.TEXTS:
            _check_texts(field, value, path, into)
        case _:
            problem = _value_problem(field, value)
            if problem is not None:
                into.faults[path] = [problem]


def _value_problem(field: Field, value: Any) -> FieldProblem | None:
    match field.kind:
        case FieldKind.TEXT:
            return _text_problem(field, value)
        case FieldKind.WHOLE | FieldKind.MONEY:
            fits = isinstance(value, int) and not isinstance(value, bool) and field.least <= value <= field.most
            problem = FieldProblem.of("out-of-range", OUT_OF_RANGE, least=field.least, most=field.most)
            return None if fits else problem
        case FieldKind.CHOICE:
            return None if value in field.choices else UNKNOWN
        case FieldKind.DATE:
            return None if _reads(date.fromisoformat, value) else NOT_A_DATE
        case FieldKind.TIME:
            return None if _reads(time.fromisoformat, value) else NOT_A_TIME
        case _:
            return None if isinstance(value, bool) else UNKNOWN


def _text_problem(field: Field, value: Any) -> FieldProblem | None:
    if not isinstance(value, str) or not all(one.isprintable() or one in "\n\r\t" for one in value):
        return NOT_A_TEXT
    return FieldProblem.of("too-long", TOO_LONG, most=field.most) if len(value) > field.most else None


def _reads(read: Any, value: Any) -> bool:
    try:
        read(value)
    except (TypeError, ValueError):
        return False
    return True


def _check_texts(field: Field, value: Any, path: str, into: Checked) -> None:
    if not isinstance(value, Mapping) or value.keys() - set(LANGUAGES):
        into.faults[path] = [NOT_A_TEXT]
        return
    for language in LANGUAGES:
        text = value.get(language)
        if is_empty(text):
            if language in MUST_SPEAK and field.needed:
                into.gaps[f"{path}.{language}"] = [NEEDED]
        elif (problem := _text_problem(field, text)) is not None:
            into.faults[f"{path}.{language}"] = [problem]


def _check_rows(field: Field, value: Any, path: str, into: Checked) -> None:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        into.faults[path] = [UNKNOWN]
        return
    if len(value) > field.most:
        into.faults[path] = [FieldProblem.of("too-many", TOO_MANY_ROWS, most=field.most)]
        return
    if len(value) < field.least:
        into.gaps[path] = [FieldProblem.of("too-few", TOO_FEW_ROWS, least=field.least)]
    for place, row in enumerate(value):
        _check_fields(field.fields, row, f"{path}.{place}.", into)
    for place in _repeated(value, field.unique):
        into.faults[f"{path}.{place}"] = [TWICE]


def _repeated(rows: Sequence[Mapping[str, Any]], unique: Sequence[str]) -> Iterator[int]:
    seen: set[str] = set()
    for place, row in enumerate(rows):
        key = repr([row.get(name) for name in unique])
        if unique and key in seen:
            yield place
        seen.add(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """What is to be bought in a lot: a meal of an age group, or goods. ``quantity`` of a meal is computed."""

    ceiling_minor: int
    age_group: str | None = None
    meal: str | None = None
    goods: Mapping[str, Any] | None = None
    quantity: int = 0
    currency: str = "KZT"


HIGHEST_CEILING_MINOR: Final = 1_000_000_00
MOST_ITEMS: Final = 100


def item_problems(items: Sequence[NewItem], purpose: str, groups: Iterable[str] = ()) -> Problems:
    """What is wrong with the items of a lot. ``groups`` are the groups in which the profile allows goods."""
    problems: Problems = {}
    if not items or len(items) > MOST_ITEMS:
        problems["items"] = [FieldProblem.of("too-many", TOO_MANY_ROWS, most=MOST_ITEMS) if items else NEEDED]
    for place, one in enumerate(items):
        known = _is_meal(one) if purpose == "catering" else _is_goods(one, frozenset(groups))
        if not known:
            problems[f"items.{place}"] = [UNKNOWN]
        if not 0 < one.ceiling_minor <= HIGHEST_CEILING_MINOR:
            problem = FieldProblem.of("out-of-range", OUT_OF_RANGE, least=1, most=HIGHEST_CEILING_MINOR)
            problems[f"items.{place}.ceiling_minor"] = [problem]
    meals = [{"age_group": one.age_group, "meal": one.meal} for one in items if one.meal is not None]
    problems |= {f"items.{place}": [TWICE] for place in _repeated(meals, ("age_group", "meal"))}
    return problems


def _is_meal(item: NewItem) -> bool:
    return item.age_group in AGE_GROUPS and item.meal in MEALS and item.goods is None


def _is_goods(item: NewItem, groups: frozenset[str]) -> bool:
    goods = item.goods
    if goods is None or item.meal is not None or item.age_group is not None or item.quantity < 1:
        return False
    name = goods.get("name")
    return (
        isinstance(name, Mapping) and bool(name.get("kk")) and goods.get("group") in groups and bool(goods.get("unit"))
    )


def items_match_meals(wanted: Iterable[tuple[str, str]], items: Iterable[tuple[str, str]]) -> Refused | None:
    """There is an item with a ceiling price for every meal of every age group, and none besides."""
    missing = sorted(set(wanted) ^ set(items))
    if not missing:
        return None
    named = ", ".join(f"{meal} {group}" for group, meal in missing)
    return Refused("items-differ-from-meals", ITEMS_DIFFER, {"items": named})


def seen_by_another(editors: frozenset[Any], reviewer: Any) -> Refused | None:
    """A second person reviews: somebody who has written nothing in it."""
    return Refused("own-work", OWN_WORK) if reviewer in editors else None


ITEMS_DIFFER: Final = N_("The prices do not fit the meals: %(items)s.")
OWN_WORK: Final = N_("You have written in this tender yourself. Somebody else must review it.")
