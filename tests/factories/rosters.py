"""Rolls as files: simple tables and OneRoster zips, right ones and hostile ones."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook

KEY = b"k" * 32
HEADER = ("Number", "Surname", "Given name", "Patronymic", "Date of birth", "Class")
ABAI = ("101", "Абай", "Әли", "Серікұлы", "2015-05-31", "5Ә")
BEK = ("102", "Бек", "Мария", "", "01.09.2016", "4 «Б»")


def csv_of(
    *rows: Sequence[str], header: Sequence[str] = HEADER, delimiter: str = ";", encoding: str = "utf-8"
) -> bytes:
    """A table as a CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([header, *rows])
    return buffer.getvalue().encode(encoding)


def many(number: int, first: int = 0) -> list[tuple[str, ...]]:
    """Rows of as many pupils in twenty classes."""
    return [
        (str(n + 1000), f"Тегі{n:05}", "Аты", "Әкесі", "2014-01-15", f"{n % 10 + 1} «{'АӘ'[n % 2]}»")
        for n in range(first, first + number)
    ]


def xlsx_of(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> bytes:
    """A table as a workbook."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (header, *rows):
        sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Files in a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def oneroster_files(version: str = "1.1") -> dict[str, str]:
    """A school with a homeroom and a subject class, two pupils, a guardian, and a teacher."""
    files = {
        "manifest.csv": f"propertyName,value\nmanifest.version,1.0\noneroster.version,{version}\nfile.users,bulk\n",
        "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier\nS1,active,,School 1,school,\n",
        "academicSessions.csv": "sourcedId,title\nY1,2026\n",
        "classes.csv": (
            "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId\n"
            'C5,active,,5 «Ә»,05,,,homeroom,,S1\nCM,active,,Maths,"05",,,scheduled,,S1\n'
        ),
        "enrollments.csv": (
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role\n"
            "E0,active,,CM,S1,U1,student\nE1,active,,C5,S1,U1,student\n"
            "E2,active,,C5,S1,U2,student\nE3,active,,C5,S1,T1,teacher\n"
        ),
        "demographics.csv": "sourcedId,status,dateLastModified,birthDate\nU1,active,,2015-05-31\n",
    }
    people = [
        ("U1", "student", "Әли", "Абай", "G1"),
        ("U2", "student", "Мария", "Бек", ""),
        ("G1", "guardian", "Сәуле", "Абай", ""),
    ]
    people.append(("T1", "teacher", "Гүл", "Ахметова", ""))
    if version == "1.1":
        users = (
            "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,"
            "username,givenName,familyName,middleName,agentSourcedIds\n"
        )
        for user, role, given, family, agent in people:
            users += f"{user},active,,true,S1,{role},{user},{given},{family},,{agent}\n"
    else:
        users = (
            "sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,middleName,agentSourcedIds\n"
        )
        roles = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
        for user, role, given, family, agent in people:
            users += f"{user},active,,true,{user},{given},{family},,{agent}\n"
            roles += f"R{user},active,,{user},primary,{role},,,S1\n"
        files["roles.csv"] = roles
        files["userProfiles.csv"] = "sourcedId,userSourcedId,profileType\nP1,U1,app\n"
    return {**files, "users.csv": users}


def oneroster(version: str = "1.1", **changes: str) -> bytes:
    """The school as a zip; ``changes`` replace files (``users="..."``). Exporters write a byte order mark, so do we."""
    files = {**oneroster_files(version), **{f"{name}.csv": text for name, text in changes.items()}}
    return zip_of({name: text.encode("utf-8-sig") for name, text in files.items()})
