"""The guardians in a simple table: two in each pupil's row, each with name, relation, phone and e-mail address.

They are listed as those of a OneRoster file are. What is wrong with a guardian never keeps the pupil out.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from schoolmeals.identity.contacts import LONGEST, email_of, phone_of
from schoolmeals.keys import keyed_hash
from schoolmeals.pupils.roster import MADE_ID, GuardianRow, Roster, RosterRow
from schoolmeals.pupils.roster_values import Values
from schoolmeals.pupils.rules import sort_key

GUARDIANS: Final = ("guardian_1", "guardian_2")
PARTS: Final = ("", "_relation", "_phone", "_email")
GUARDIAN_COLUMNS: Final = tuple(one + part for one in GUARDIANS for part in PARTS)
_PATTERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("{}-ата-ана", "{}-ата-ана: туыстығы", "{}-ата-ана: телефоны", "{}-ата-ана: e-mail"),
    "ru": ("Родитель {}", "Родитель {}: кем приходится", "Родитель {}: телефон", "Родитель {}: e-mail"),
    "en": ("Guardian {}", "Guardian {}: relation", "Guardian {}: phone", "Guardian {}: e-mail"),
}
GUARDIAN_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    language: tuple(pattern.format(place) for place in (1, 2) for pattern in patterns)
    for language, patterns in _PATTERNS.items()
}
"""The template's headers for ``GUARDIAN_COLUMNS``, as people read them."""

_ALSO: Final = {
    "guardian_1": "мать, фио матери, анасы, анасының аты жөні, mother, родитель, фио родителя, ата анасы, "
    "ата анасының аты жөні, parent, guardian",
    "guardian_1_relation": "кем приходится, туыстығы, relation",
    "guardian_1_phone": "телефон матери, анасының телефоны, телефон родителя, ата анасының телефоны, mother phone, "
    "parent phone",
    "guardian_1_email": "e mail матери, анасының e mail, e mail родителя, ата анасының e mail, parent e mail",
    "guardian_2": "отец, фио отца, әкесінің аты жөні, father",
    "guardian_2_phone": "телефон отца, әкесінің телефоны, father phone",
    "guardian_2_email": "e mail отца, әкесінің e mail, father e mail",
}
MORE_GUARDIANS: Final = {column: tuple(words.split(", ")) for column, words in _ALSO.items()}
"""What the lists that schools have call the same columns."""

_RELATIONS: Final = {
    "parent": "parent, mother, father, родитель, мать, мама, отец, папа, ата ана, ата анасы, ана, анасы, шешесі, әке, "
    "әкесі",
    "guardian": "guardian, legal guardian, опекун, попечитель, законный представитель, приёмный родитель, "
    "приемный родитель, қамқоршы, қамқоршысы, қорғаншы, қорғаншысы, заңды өкіл, заңды өкілі",
    "relative": "relative, grandmother, grandfather, aunt, uncle, brother, sister, родственник, родственница, бабушка, "
    "дедушка, тётя, тетя, дядя, брат, сестра, туыс, туысы, әже, әжесі, ата, атасы, апа, апасы, аға, ағасы, әпке, "
    "әпкесі, нағашы, нағашысы",
}
_KNOWN: Final = {word: relation for relation, words in _RELATIONS.items() for word in words.split(", ")}


def read_guardians(
    roster: Roster, pupil: RosterRow, cells: dict[str, str], names: dict[str, str], key: bytes
) -> tuple[GuardianRow, ...]:
    """The guardians in the row of ``pupil``; what is wrong goes to ``roster``, under the file's headers ``names``."""
    found: dict[str, GuardianRow] = {}
    for column in (one for one in GUARDIANS if one in names):
        told = len(roster.problems)
        values = Values(roster, pupil.file, pupil.line, cells, names)
        row = _read(values, column, key)
        if row is None and len(roster.problems) > told:
            roster.half_told.add(pupil.sourced_id)
        elif row is not None and row.sourced_id in found:
            values.remark(column, "guardian-twice")
        elif row is not None:
            found[row.sourced_id] = row
    return tuple(found.values())


def _read(values: Values, column: str, key: bytes) -> GuardianRow | None:
    """One guardian; None where there is none or they cannot be listed."""
    name = values.text(column)
    relation, phone, email = (values.text(column + part, most=LONGEST) for part in PARTS[1:])
    if values.is_good and not name and (phone or email):
        values.remark(column, "guardian-without-name")
    if not name or not values.is_good:
        return None
    known = _KNOWN.get(" ".join(re.findall(r"\w+", relation.casefold())))
    if relation and known is None:
        values.remark(f"{column}_relation", "bad-relation")
    number, address = _first(phone, phone_of), _first(email, email_of)
    if phone and not number:
        values.remark(f"{column}_phone", "bad-phone")
    if email and not address:
        values.remark(f"{column}_email", "bad-email")
    made = f"{MADE_ID}{keyed_hash(key, sort_key(name)).hex()[:32]}"
    return GuardianRow(made, name, known or ("relative" if relation else "parent"), address, number)


def _first(text: str, understood: Callable[[str], str | None]) -> str:
    """The first of several numbers or addresses in one cell that is one; empty where none is."""
    return next((one for part in re.split(r"[,;/]", text) if (one := understood(part))), "")
