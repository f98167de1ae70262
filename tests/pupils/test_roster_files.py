"""What is read of a roll's file: without a database."""

import io
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolmeals.errors import Invalid
from schoolmeals.files import archives, sheets
from schoolmeals.pupils.roster import Roster, RosterRow
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.simple_roster import HEADERS
from tests.factories.rosters import ABAI, BEK, HEADER, KEY, csv_of, many, oneroster, oneroster_files, xlsx_of, zip_of

IIN = "150531500014"


def read(content: bytes, name: str = "roll.csv", **more: Any) -> Roster:
    return read_roster(name, content, key=KEY, **more)


def codes(roster: Roster) -> list[tuple[str, int, str, str]]:
    return [(one.file, one.line, one.column, one.code) for one in roster.problems]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "kz1048"])
@pytest.mark.parametrize("header", HEADERS.values())
def test_a_table_is_read_with_every_delimiter_encoding_and_language(
    delimiter: str, encoding: str, header: tuple[str, ...]
) -> None:
    roster = read(csv_of(ABAI, BEK, header=header, delimiter=delimiter, encoding=encoding))
    assert roster.problems == []
    assert roster.rows == [
        RosterRow("roll.csv", 2, "101", "Абай", "Әли", "Серікұлы", date(2015, 5, 31), "class-5-ә"),
        RosterRow("roll.csv", 3, "102", "Бек", "Мария", "", date(2016, 9, 1), "class-4-б"),
    ]
    assert [(one.name, one.grade) for one in roster.classes.values()] == [("5 «Ә»", 5), ("4 «Б»", 4)]


def test_russian_text_in_windows_1251_is_read() -> None:
    header = HEADERS["ru"]
    roster = read(csv_of(("7", "Щёкина", "Юлия", "", "2015-05-31", "5А"), header=header, encoding="cp1251"))
    assert roster.rows[0].surname == "Щёкина"


def test_a_workbook_is_read_with_its_dates_and_numbers() -> None:
    roster = read(xlsx_of((101, "Абай", "Әли", None, date(2015, 5, 31), "5Ә"), (), BEK), "roll.xlsx")
    assert roster.source == "xlsx"
    assert [(one.line, one.sourced_id, one.birth_date) for one in roster.rows] == [
        (2, "101", date(2015, 5, 31)),
        (4, "102", date(2016, 9, 1)),
    ]


def test_a_full_name_in_one_column_is_taken_apart() -> None:
    roster = read(csv_of(("Абай Әли Серік ұлы", "5Ә", "31.05.2015"), header=("ФИО", "Класс", "Дата рождения")))
    row = roster.rows[0]
    assert (row.surname, row.given_name, row.patronymic) == ("Абай", "Әли", "Серік ұлы")
    assert row.sourced_id.startswith("name-")


def test_an_iin_is_never_kept_as_it_is() -> None:
    roster = read(csv_of((IIN, *ABAI[1:])))
    assert roster.rows[0].sourced_id.startswith("iin-")
    assert IIN not in repr(roster)
    assert read(csv_of((IIN, *ABAI[1:]))).rows == roster.rows
    assert read_roster("roll.csv", csv_of((IIN, *ABAI[1:])), key=b"x" * 32).rows != roster.rows


def test_every_bad_row_is_told_with_file_line_column_and_reason_and_good_rows_go_in() -> None:
    roster = read(
        csv_of(
            ABAI,
            ("", "", "Әли", "", "2015-05-31", "5Ә"),
            ("103", "Бек", "Мария", "", "31.02.2015", "5Ә"),
            ("104", "Бек", "Мария", "", "", "сынып"),
            ("105", "Б" * 101, "Мария", "", "", "5Ә"),
            ("", "Бек", "Мария", "", "", "5Ә"),
            ("101", "Басқа", "Бала", "", "", "5Ә"),
            BEK,
        )
    )
    assert [row.sourced_id for row in roster.rows] == ["101", "102"]
    assert codes(roster) == [
        ("roll.csv", 3, "Surname", "missing-value"),
        ("roll.csv", 4, "Date of birth", "bad-date"),
        ("roll.csv", 5, "Class", "bad-class"),
        ("roll.csv", 6, "Surname", "too-long"),
        ("roll.csv", 7, "Number", "no-way-to-know-again"),
        ("roll.csv", 8, "Number", "twice-in-file"),
    ]


def test_names_lose_what_is_invisible_and_keep_joiners() -> None:
    row = read(csv_of(("1", "Аба\u202eй\x00\u200b", "Ә\u200dли", "", "2015-05-31", "5Ә"))).rows[0]
    assert (row.surname, row.given_name) == ("Абай", "Ә\u200dли")
    assert read(csv_of(("1", "Йод", "А", "", "", "5Ә"))).rows[0].surname == "Йод"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_oneroster_is_read(version: str) -> None:
    roster = read(oneroster(version), "roll.zip")
    assert roster.source == f"oneroster-{version}"
    assert roster.problems == []
    assert roster.guardian_links == 1
    assert roster.rows == [
        RosterRow("users.csv", 2, "U1", "Абай", "Әли", "", date(2015, 5, 31), "C5"),
        RosterRow("users.csv", 3, "U2", "Бек", "Мария", "", None, "C5"),
    ]
    assert {key: (one.name, one.grade) for key, one in roster.classes.items()} == {"C5": ("5 «Ә»", 5)}


def test_oneroster_in_a_folder_of_the_zip_is_read() -> None:
    files = {f"export/{name}": text.encode() for name, text in oneroster_files().items()}
    assert len(read(zip_of(files)).rows) == 2


def test_broken_links_of_oneroster_are_told_with_their_place() -> None:
    files = oneroster_files()
    enrollments = files["enrollments.csv"] + "E8,active,,C5,S1,U9,student\nE9,active,,C9,S1,U1,student\n"
    users = files["users.csv"] + "U3,active,,true,S1,student,U3,Дана,Жан,,G9\nU4,active,,true,S1,student,U4,,Тек,,\n"
    roster = read(oneroster(enrollments=enrollments, users=users))
    assert [row.sourced_id for row in roster.rows] == ["U1", "U2", "U3"]
    assert codes(roster) == [
        ("enrollments.csv", 6, "userSourcedId", "unknown-user"),
        ("enrollments.csv", 7, "classSourcedId", "unknown-class"),
        ("users.csv", 6, "sourcedId", "no-class"),
        ("users.csv", 6, "agentSourcedIds", "unknown-guardian"),
        ("users.csv", 7, "givenName", "missing-value"),
    ]
    assert roster.spoiled == {"U4"}


def test_a_delta_says_nothing_of_those_it_does_not_name() -> None:
    files = oneroster_files()
    manifest = files["manifest.csv"].replace("file.users,bulk", "file.users,delta")
    users = files["users.csv"].replace("U2,active", "U2,tobedeleted")
    roster = read(oneroster(manifest=manifest, users=users))
    assert (roster.is_whole, roster.gone, len(roster.rows)) == (False, frozenset({"U2"}), 1)


def test_of_several_schools_the_one_with_our_name_or_bin_is_taken() -> None:
    files = oneroster_files()
    orgs = files["orgs.csv"] + "S2,active,,School 2,school,980540000019\n"
    users = files["users.csv"] + "U3,active,,true,S2,student,U3,Дана,Жан,,\n"
    content = oneroster(orgs=orgs, users=users)
    assert [row.sourced_id for row in read(content, school_names=["School 1"]).rows] == ["U1", "U2"]
    assert [row.sourced_id for row in read(content, school_names=["980540000019"]).rows] == ["U3"]
    with pytest.raises(Invalid) as refused:
        read(content, school_names=["School 3"])
    assert refused.value.code == "which-school"


def lying_zip() -> bytes:
    """An archive whose list of contents says that a large file is short."""
    content = bytearray(zip_of({"users.csv": b"a" * 5_000_000, "classes.csv": b"", "enrollments.csv": b""}))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = content.find(signature)
        content[place + offset : place + offset + 4] = struct.pack("<I", 10)
    return bytes(content)


def zip_with_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("users.csv")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def workbook_of_many_rows(rows: int) -> bytes:
    head = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    row = b'<row r="%d"><c t="inlineStr"><is><t>a</t></is></c></row>'
    body = b"".join(row % (n + 1) for n in range(rows))
    with zipfile.ZipFile(io.BytesIO(xlsx_of(ABAI))) as before:
        files = {name: before.read(name) for name in before.namelist()}
    return zip_of({**files, "xl/worksheets/sheet1.xml": head + body + b"</sheetData></worksheet>"})


HOSTILE = {
    "nothing": (b"", "file-empty"),
    "only spaces": (b" \r\n;;\r\n", "file-empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "file-encoding"),
    "a header alone": (csv_of(), "no-pupils"),
    "another header": (csv_of(("a", "b"), header=("x", "y")), "header-unknown"),
    "an open quote": (b'Surname;Given name;Class\r\n"' + b"a" * 200_000, "file-unreadable"),
    "too large": (b"a" * 20_000_001, "file-too-large"),
    "no zip": (b"PK\x03\x04garbage", "zip-unreadable"),
    "another zip": (zip_of({"a.txt": b"a"}), "oneroster-files-missing"),
    "a zip bomb": (zip_of({"users.csv": b"0" * 50_000_000}), "zip-too-large"),
    "a zip in a zip": (zip_of({"users.zip": zip_of({"users.csv": b"0" * 1_000_000})}), "oneroster-files-missing"),
    "many files": (zip_of({f"{n}.csv": b"a" for n in range(201)}), "zip-too-large"),
    "a path outside": (zip_of({"../users.csv": b"a"}), "zip-unsafe"),
    "an absolute path": (zip_of({"/etc/users.csv": b"a"}), "zip-unsafe"),
    "a drive": (zip_of({"C:\\users.csv": b"a"}), "zip-unsafe"),
    "a link": (zip_with_link(), "zip-unsafe"),
    "a zip that lies": (lying_zip(), "zip-unreadable"),
    "a workbook that is none": (zip_of({"xl/workbook.xml": b"<a/>"}), "file-unreadable"),
    "entities": (
        zip_of({"xl/workbook.xml": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'}),
        "file-unreadable",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_code(name: str) -> None:
    content, code = HOSTILE[name]
    with pytest.raises(Invalid) as refused:
        read(content)
    assert refused.value.code == code
    assert list(refused.value.fields) == ["file"]


@pytest.mark.parametrize(("rows", "code"), [(400_000, "too-many-rows"), (900_000, "zip-too-large")])
def test_a_workbook_of_a_million_rows_costs_us_little_memory(rows: int, code: str) -> None:
    content = workbook_of_many_rows(rows)
    tracemalloc.start()
    with pytest.raises(Invalid) as refused:
        read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # On a busy machine the child's time may be over before its rows are.
    assert refused.value.code in (code, "file-unreadable")
    assert peak < 60_000_000


def test_a_planted_archive_without_limits_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "check", lambda *_: None)
    with pytest.raises(Invalid) as refused:
        read(HOSTILE["a zip bomb"][0])
    assert refused.value.code != "zip-too-large"


def test_more_rows_than_any_school_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schoolmeals.pupils.simple_roster.MOST_ROWS", 10)
    assert len(read(csv_of(*many(10))).rows) == 10
    with pytest.raises(Invalid) as refused:
        read(csv_of(*many(11)))
    assert refused.value.code == "too-many-rows"


@pytest.mark.parametrize("text", ["=1+1", "+7", "-1", "@a", "\tx", "\rx"])
def test_nothing_that_we_export_acts_as_a_formula(text: str) -> None:
    assert sheets.guarded(text) == f"'{text}"
    assert sheets.guarded("Абай") == "Абай"


def only_refusals(content: bytes) -> None:
    """Reading ends in a roster or in a refusal with a code, never in anything else."""
    with suppress(Invalid):
        assert all(row.surname and row.given_name and "\x00" not in row.surname for row in read(content).rows)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(content: bytes) -> None:
    only_refusals(content)
    only_refusals(b"\xef\xbb\xbf" + content)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text(max_size=30), max_size=8), max_size=6), st.sampled_from([";", ",", "\t"]))
def test_no_cells_break_a_table(rows: list[list[str]], delimiter: str) -> None:
    cells = [[cell.encode("utf-8", "ignore").decode() for cell in row] for row in rows]
    only_refusals(csv_of(*cells, header=HEADER, delimiter=delimiter))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["users.csv", "classes.csv", "enrollments.csv", "orgs.csv", "manifest.csv"]),
    st.integers(0, 400),
    st.binary(max_size=20),
)
def test_no_damage_breaks_a_oneroster_zip(name: str, place: int, damage: bytes) -> None:
    files = {one: text.encode() for one, text in oneroster_files().items()}
    files[name] = files[name][:place] + damage + files[name][place + len(damage) :]
    only_refusals(zip_of(files))
