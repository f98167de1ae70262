"""OneRoster 1.1 and 1.2 as CSV files in a zip (1EdTech). 1.2 moves roles from users.csv to roles.csv; both are taken.

Of guardians it is read who they are and whose (``agentSourcedIds``, from either side): the school sends them a code, by
which alone somebody gets to a child's page. Profiles, resources and results are not read.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.files import LONGEST_CELL, MOST_ROWS, decoded, unpacked, unusable
from schoolmeals.identity.contacts import email_of, phone_of
from schoolmeals.pupils.roster import GuardianRow, Roster, RosterClass, RosterRow
from schoolmeals.pupils.roster_values import Values, day_of, hidden
from schoolmeals.pupils.rules import LISTED_RELATIONS, class_name, cleaned, full_name, sort_key

FILES: Final = frozenset(
    {"manifest.csv", "orgs.csv", "users.csv", "roles.csv", "classes.csv", "enrollments.csv", "demographics.csv"}
)
_PEOPLE: Final[Mapping[str, tuple[str, ...]]] = {
    "users.csv": ("sourcedid", "agentsourcedids"),
    "roles.csv": ("usersourcedid",),
    "enrollments.csv": ("usersourcedid",),
    "demographics.csv": ("sourcedid",),
}
"""Where people's ids stand. Some systems take their IINs for them."""
_NEEDED: Final = ("users.csv", "classes.csv", "enrollments.csv")
_GONE: Final = "tobedeleted"
_GRADES: Final = {"PK": 0, "KG": 0, "PR": 0, "TK": 0, "K": 0}


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return cleaned(self.cells.get(column, ""))

    @property
    def is_gone(self) -> bool:
        return self["status"].lower() == _GONE


def read_oneroster(content: bytes, key: bytes, school_names: Sequence[str] = ()) -> Roster:
    """The roll of one school in the zip ``content``.

    ``key`` hides ids that are IINs. Where the zip holds several schools, ``school_names`` (BIN, names) say which is
    meant. Raises Invalid for archives that cannot be opened and for rolls without the files that are needed.
    """
    files = {name: _table(name, text, key) for name, text in unpacked(content, FILES).items()}
    if missing := [name for name in _NEEDED if name not in files]:
        sentence = N_("This zip file is no OneRoster roll: %(missing)s is not in it.")
        raise unusable("oneroster-files-missing", sentence, missing=missing[0])
    manifest = {row["propertyname"].lower(): row["value"] for row in files.get("manifest.csv", [])}
    version = manifest.get("oneroster.version") or ("1.2" if "roles.csv" in files else "1.1")
    roster = Roster("oneroster-1.2" if version.startswith("1.2") else "oneroster-1.1")
    roster.is_whole = manifest.get("file.users", "bulk").lower() != "delta"
    org = _our_org(files.get("orgs.csv", []), school_names)
    _read_classes(roster, files["classes.csv"], org)
    roles = _roles(files)
    _read_users(roster, files, roles, org)
    if not roster.rows and not roster.problems and not roster.gone:
        raise unusable("no-pupils", N_("There is a header but no pupil in this file."))
    return roster


def _table(name: str, content: bytes, key: bytes) -> list[_Row]:
    reader = csv.reader(io.StringIO(decoded(content), newline=""))
    rows: list[_Row] = []
    before = 0
    try:
        header = [cleaned(cell).lower() for cell in next(reader, [])]
        before = reader.line_num
        for cells in reader:
            number, before = before + 1, reader.line_num
            if any(cells):
                short = (cell[: LONGEST_CELL + 1] for cell in cells)
                rows.append(_Row(number, _hidden(dict(zip(header, short, strict=False)), _PEOPLE.get(name, ()), key)))
            if len(rows) > MOST_ROWS * 6:
                break
    except csv.Error as error:
        sentence = N_("The file %(name)s in the zip cannot be read as a table.")
        raise unusable("file-unreadable", sentence, name=name) from error
    if len(rows) > MOST_ROWS * (6 if name == "enrollments.csv" else 2):
        raise unusable(
            "too-many-rows", N_("The file has more than %(most)s rows. Split it by schools."), most=MOST_ROWS
        )
    return rows


def _hidden(cells: dict[str, str], columns: Sequence[str], key: bytes) -> dict[str, str]:
    """The row with every IIN among these ids as it is kept."""
    for column in columns:
        if len(text := cells.get(column, "")) > 1:
            cells[column] = ",".join(hidden(key, cleaned(one)) for one in text.split(","))
    return cells


def _our_org(orgs: list[_Row], school_names: Sequence[str]) -> str | None:
    """The id of the school that is meant; None where the zip names none, so that all of it is one school's."""
    schools = [row for row in orgs if row["type"].lower() == "school" and not row.is_gone]
    if len(schools) <= 1:
        return schools[0]["sourcedid"] if schools else None
    wanted = {sort_key(name) for name in school_names if name}
    meant = [row for row in schools if sort_key(row["identifier"]) in wanted or sort_key(row["name"]) in wanted]
    if len(meant) != 1:
        sentence = N_("The file holds several schools, and none of them has your school's BIN or name.")
        raise unusable("which-school", sentence)
    return meant[0]["sourcedid"]


def _read_classes(roster: Roster, rows: list[_Row], org: str | None) -> None:
    # A homeroom says where a child belongs; only where a school has none, do other classes have to.
    ours = [row for row in rows if not row.is_gone and (org is None or row["schoolsourcedid"] in ("", org))]
    homerooms = [row for row in ours if row["classtype"].lower() == "homeroom"]
    for row in homerooms or ours:
        values = Values(roster, "classes.csv", row.line, dict(row.cells), {})
        key = values.text("sourcedid", needed=True)
        title = values.text("title", needed=True)
        understood = class_name(title)
        grade = _grade(row["grades"], understood.grade if understood else None)
        if grade is None and values.is_good:
            values.complain("grades", "unknown-grade")
        if values.is_good and grade is not None:
            roster.classes[key] = RosterClass(key, understood.name if understood else title, grade)


def _grade(grades: str, in_title: int | None) -> int | None:
    first = grades.split(",")[0].strip().upper()
    if first in _GRADES:
        return _GRADES[first]
    if first.isascii() and first.isdigit() and int(first[:4]) <= 12:
        return int(first)
    return in_title


def _roles(files: Mapping[str, list[_Row]]) -> dict[str, set[tuple[str, str]]]:
    """Each user's roles with the organisation in which they hold them, from both versions' places."""
    roles: dict[str, set[tuple[str, str]]] = {}
    for row in files.get("roles.csv", []):
        if not row.is_gone:
            roles.setdefault(row["usersourcedid"], set()).add((row["role"].lower(), row["orgsourcedid"]))
    for row in files["users.csv"]:
        if row["role"]:
            orgs = row["orgsourcedids"].split(",") or [""]
            roles.setdefault(row["sourcedid"], set()).update((row["role"].lower(), org.strip()) for org in orgs)
    return roles


def _read_users(
    roster: Roster, files: Mapping[str, list[_Row]], roles: Mapping[str, set[tuple[str, str]]], org: str | None
) -> None:
    users = files["users.csv"]
    pupils = {
        user for user, held in roles.items() if any(role == "student" and org in (None, "", one) for role, one in held)
    }
    known = {row["sourcedid"] for row in users}
    enrolled = _enrolled(roster, files, known)
    born = {row["sourcedid"]: day_of(row["birthdate"]) for row in files.get("demographics.csv", [])}
    first_lines: dict[str, int] = {}
    gone = set()
    for row in users:
        user = row["sourcedid"]
        if user not in pupils and user:
            continue
        if row.is_gone or row["enableduser"].lower() == "false":
            gone.add(user)
            continue
        _read_pupil(roster, row, enrolled.get(user), born.get(user), first_lines)
    roster.gone = frozenset(gone)
    _read_guardians(roster, users, roles)


def _enrolled(roster: Roster, files: Mapping[str, list[_Row]], known: set[str]) -> dict[str, str]:
    """Each pupil's class. An enrollment in a class that is no homeroom says nothing and is no mistake."""
    classes = {row["sourcedid"] for row in files["classes.csv"]}
    enrolled: dict[str, str] = {}
    for row in files["enrollments.csv"]:
        if row.is_gone or row["role"].lower() != "student":
            continue
        if row["usersourcedid"] not in known:
            roster.complain("enrollments.csv", row.line, "userSourcedId", "unknown-user")
        elif row["classsourcedid"] not in classes:
            roster.complain("enrollments.csv", row.line, "classSourcedId", "unknown-class")
        elif row["classsourcedid"] in roster.classes:
            enrolled.setdefault(row["usersourcedid"], row["classsourcedid"])
    return enrolled


def _read_pupil(
    roster: Roster, row: _Row, class_key: str | None, birth_date: date | None, first_lines: dict[str, int]
) -> None:
    values = Values(roster, "users.csv", row.line, dict(row.cells), _NAMES)
    user = values.text("sourcedid", needed=True)
    surname = values.text("familyname", needed=True)
    given_name = values.text("givenname", needed=True)
    patronymic = values.text("middlename")
    if user in first_lines and values.is_good:
        values.complain("sourcedid", "twice-in-file", first=first_lines[user])
    if not values.is_good:
        roster.spoiled.add(user)
        return
    first_lines[user] = row.line
    if class_key is None:
        values.remark("sourcedid", "no-class")
    roster.rows.append(RosterRow("users.csv", row.line, user, surname, given_name, patronymic, birth_date, class_key))


def _read_guardians(roster: Roster, users: list[_Row], roles: Mapping[str, set[tuple[str, str]]]) -> None:
    """Whose guardians are whose. Only the pupils of this roll count, and only who has a name."""
    guardians: dict[str, GuardianRow | None] = {}
    gone = set()
    for row in users:
        held = {role for role, _ in roles.get(row["sourcedid"], ())}
        # Who has several of these roles is called by the first.
        relation = next((one for one in LISTED_RELATIONS if one in held), None)
        if relation is not None and row.is_gone:
            gone.add(row["sourcedid"])
        elif relation is not None:
            guardians[row["sourcedid"]] = _guardian(roster, row, relation)
    tied: dict[str, dict[str, None]] = {row.sourced_id: {} for row in roster.rows}
    for row in users:
        _read_ties(roster, row, tied, guardians, gone)
    roster.gone_guardians = frozenset(gone)
    roster.guardians = {pupil: tuple(one for who in named if (one := guardians[who])) for pupil, named in tied.items()}
    roster.half_told = {pupil for pupil, named in tied.items() if any(guardians[who] is None for who in named)}
    # What is wrong is told in the order of the lines.
    roster.problems.sort(key=lambda problem: (problem.file, problem.line))


def _read_ties(
    roster: Roster,
    row: _Row,
    tied: Mapping[str, dict[str, None]],
    guardians: Mapping[str, GuardianRow | None],
    gone: set[str],
) -> None:
    """What one row says of ties: a pupil names their guardians, and a guardian may name their pupils."""
    user = row["sourcedid"]
    agents = [agent for one in row["agentsourcedids"].split(",") if (agent := one.strip())]
    if user in tied:
        tied[user].update(dict.fromkeys(agent for agent in agents if agent in guardians))
        if any(agent not in guardians and agent not in gone for agent in agents):
            roster.complain("users.csv", row.line, "agentSourcedIds", "unknown-guardian")
    elif user in guardians:
        for agent in agents:
            if agent in tied:
                tied[agent][user] = None


def _guardian(roster: Roster, row: _Row, relation: str) -> GuardianRow | None:
    """A guardian's row, or None where it has no name. Their account in the other system need not be open."""
    values = Values(roster, "users.csv", row.line, dict(row.cells), _NAMES)
    names = [values.text(column) for column in ("familyname", "givenname", "middlename")]
    if not any(names):
        values.remark("familyname", "guardian-without-name")
        return None
    email, phone = values.text("email", most=254), values.text("phone") or values.text("sms")
    if email and email_of(email) is None:
        values.remark("email", "bad-email")
    if phone and phone_of(phone) is None:
        values.remark("phone", "bad-phone")
    return GuardianRow(row["sourcedid"], full_name(*names), relation, email_of(email) or "", phone_of(phone) or "")


_NAMES: Final = {
    "sourcedid": "sourcedId",
    "familyname": "familyName",
    "givenname": "givenName",
    "middlename": "middleName",
}
