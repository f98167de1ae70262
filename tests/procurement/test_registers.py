"""The state's registers: tables that are read whole or not at all, and who is in them on a day."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import func, select

from schoolmeals.actors import PUBLIC, Actor
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotAllowed, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement import registers as port
from schoolmeals.procurement.actions.registers import import_register
from schoolmeals.procurement.models import RegisterEntry, RegisterImport, Supplier
from schoolmeals.procurement.queries import registers as register_queries
from schoolmeals.procurement.registers import RegisterSnapshot, TableSource, check
from schoolmeals.procurement.rules.identifiers import Identifier, number_problem, people_key, person_key
from schoolmeals.procurement.rules.registers import REGISTERS, RegisterTable, as_day
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import ALMATY, Procurement

KEY: Final = people_key("only-for-tests-only-for-tests-only-for-tests")
BIN: Final = "090840003425"
OTHER_BIN: Final = "050540004455"
IIN: Final = "950217400083"
HEAD: Final = "identifier;name;from;until;reason;reference\r\n"
ONE: Final = f"{HEAD}{BIN};B;2026-01-01;;;\r\n"


def table(text: str, register: str = "bad-faith") -> RegisterTable:
    return TableSource(text.encode(), "portal").read(register, key=KEY)


def bring(world: Procurement, text: str, register: str = "bad-faith", *, as_of: datetime | None = None) -> UUID:
    about: dict[str, Any] = {
        "source": "portal",
        "as_of": as_of or world.clock(),
        "file_name": "register.csv",
        "content": text.encode(),
    }
    # Two people want it: how many it clears is not what is tested here.
    about |= {"wanted_by": world.city_admin.id}
    made: UUID = world.do(import_register, world.city_id, register, table(text, register), **about)
    return made


def asked(world: Procurement, who: UUID | Identifier, on: datetime | None = None, **how: Any) -> RegisterSnapshot:
    found: RegisterSnapshot = world.look(check, who, on or world.clock(), **how)
    return found


def rows(work: Work) -> tuple[int, int, int]:
    tables = (RegisterImport, RegisterEntry, AuditEvent)
    found = [work.session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]
    return found[0], found[1], found[2]


@pytest.fixture
def firm(world: Procurement) -> UUID:
    made: UUID = OrganisationFactory.create(kind="supplier", identifier_scheme="KZ-BIN", identifier=BIN).id
    return made


def told(found: RegisterTable) -> list[tuple[int, str, str]]:
    return [(bad.line, bad.column, bad.problem.code) for bad in found.bad]


def test_a_table_is_read_in_each_language_and_either_way_of_writing_days() -> None:
    for header in ("Number;Name;From;Until;Reason;Decision", "БИН/ИИН;Наименование;Начало;Окончание;Причина;Основание"):
        found = table(f"{header}\r\n{BIN};«Дәм»;01.02.2026;2028-01-31;уклонение;№ 7\r\n")
        (line,) = found.lines
        assert (line.scheme, line.identifier, line.from_on, line.until_on) == (
            "KZ-BIN",
            BIN,
            date(2026, 2, 1),
            date(2028, 1, 31),
        )
        assert (line.line, line.name, line.reason, line.reference) == (2, "«Дәм»", "уклонение", "№ 7")
        assert found.bad == ()


def test_bad_rows_are_told_by_line_column_and_reason() -> None:
    text = (
        HEAD
        + "090840003424;A;2026-01-01;;;\r\n"
        + f"{BIN};B;31.02.2026;;;\r\n"
        + f"{BIN};C;2026-02-01;2026-01-31;;\r\n"
        + f"{BIN};{'D' * 501};2026-03-01;soon;;\r\n"
        + f"{OTHER_BIN};E;2026-03-01;;;\r\n"
        + f"{OTHER_BIN};F;2026-03-01;;;\r\n"
    )
    assert told(table(text)) == [
        (2, "identifier", "not-a-bin"),
        (3, "from", "bad-day"),
        (4, "until", "ends-early"),
        (5, "until", "bad-day"),
        (5, "name", "too-long"),
        (7, "identifier", "twice-in-file"),
    ]


def test_a_table_without_its_columns_is_told_so() -> None:
    assert told(table("name;reason\r\nA;B\r\n")) == [(1, "from", "no-column"), (1, "identifier", "no-column")]


def test_numbers_of_other_countries_name_their_scheme() -> None:
    text = "identifier;from;scheme\r\n7707083893;2026-01-01;RU-INN\r\n7707083893;2026-01-02;inn\r\n"
    found = table(text)
    assert [(one.scheme, one.identifier) for one in found.lines] == [("RU-INN", "7707083893")]
    assert told(found) == [(3, "scheme", "no-scheme")]
    assert number_problem("DE-HRB", "a b") is not None


def test_of_people_only_a_keyed_hash_is_kept() -> None:
    found = table(f"{HEAD}{IIN};;2026-01-01;;;\r\n", "conviction")
    assert (found.lines[0].scheme, found.lines[0].identifier) == ("person-key", person_key(KEY, "KZ-IIN", IIN))
    assert IIN not in str(found)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-05-31", date(2026, 5, 31)), ("31.05.2026", date(2026, 5, 31)), ("2026-W22-7", None), ("31.5.26", None)],
)
def test_days(text: str, day: date | None) -> None:
    assert as_day(text) == day


def test_who_is_in_a_register_on_a_day(world: Procurement, firm: UUID) -> None:
    import_id = bring(world, f"{HEAD}{BIN};«Дәм»;2026-11-10;2026-11-30;уклонение;№ 7\r\n")
    at = world.clock()
    found = asked(world, firm)
    assert [(hit.register, hit.name, hit.reason, hit.reference) for hit in found.hits] == [
        ("bad-faith", "«Дәм»", "уклонение", "№ 7")
    ]
    assert found.import_ids == (import_id,)
    assert found.missing == tuple(code for code in REGISTERS if code != "bad-faith")
    assert found.hits_in("tax-debt") == ()
    assert asked(world, Identifier("KZ-BIN", BIN)).hits == found.hits
    assert asked(world, Identifier("KZ-BIN", OTHER_BIN)).hits == ()
    # Before the import stood nothing is known; after the last day of the entry nothing holds.
    assert asked(world, firm, at - timedelta(seconds=1)).missing == tuple(REGISTERS)
    assert asked(world, firm, datetime(2026, 11, 30, 23, 59, tzinfo=ALMATY)).hits != ()
    assert asked(world, firm, datetime(2026, 12, 1, 0, 0, tzinfo=ALMATY)).hits == ()
    assert asked(world, firm, registers=("tax-debt",)).hits == ()


def test_the_register_that_stood_last_counts(world: Procurement, firm: UUID) -> None:
    """F2: whoever comes into the register after the bid is found at the next check, and whoever left is not."""
    bring(world, f"{HEAD}{OTHER_BIN};Other;2026-01-01;;;\r\n")
    before = world.clock()
    assert asked(world, firm).hits == ()
    world.clock.move(timedelta(days=7))
    bring(world, f"{HEAD}{BIN};«Дәм»;2026-11-25;;;\r\n")
    assert [hit.name for hit in asked(world, firm).hits] == ["«Дәм»"]
    assert asked(world, firm, before).hits == (), "what was decided then can be repeated"
    world.clock.move(timedelta(days=1))
    bring(world, HEAD + f"{OTHER_BIN};Other;2026-01-01;;;\r\n")
    assert asked(world, firm).hits == ()


def test_heads_are_looked_for_in_registers_of_people(world: Procurement, firm: UUID) -> None:
    bring(world, f"{HEAD}{IIN};;2026-01-01;;;үкім\r\n", "conviction")
    assert asked(world, firm).hits == ()
    world.do(_with_head, firm, person_key(KEY, "KZ-IIN", IIN))
    (hit,) = asked(world, firm).hits
    assert (hit.register, hit.identifier, hit.reference) == ("conviction", "", "үкім")


def _with_head(work: Work, organisation_id: UUID, key: str) -> None:
    nothing: dict[str, Any] = {"addresses": [], "phones": [], "email": "", "people": [], "founders": []}
    times = {"registered_at": work.now, "changed_at": work.now}
    work.session.add(Supplier(organisation_id=organisation_id, person_keys=[key], **nothing, **times))


def test_a_snapshot_says_what_a_decision_rests_on(world: Procurement, firm: UUID) -> None:
    import_id = bring(world, f"{HEAD}{BIN};«Дәм»;2026-11-10;;;№ 7\r\n")
    said = asked(world, firm, registers=("bad-faith", "tax-debt")).as_json()
    assert said["imports"]["bad-faith"]["id"] == str(import_id)
    assert said["missing"] == ["tax-debt"]
    assert said["hits"] == [
        {
            "register": "bad-faith",
            "import_id": str(import_id),
            "name": "«Дәм»",
            "from": "2026-11-10",
            "until": None,
            "reason": "",
            "reference": "№ 7",
        }
    ]


def test_a_register_is_taken_whole_or_not_at_all(world: Procurement) -> None:
    before = world.look(rows)
    for change, field, code in (
        ({"register": "friends"}, "register", "unknown"),
        ({"source": " "}, "source", "needed"),
        ({"as_of": world.clock() + timedelta(minutes=1)}, "as_of", "to-come"),
        ({"text": f"{HEAD}12;A;2026-01-01;;;\r\n{BIN};B;2026-01-01;;;\r\n"}, "file", "bad-rows"),
    ):
        given = {"register": "bad-faith", "source": "portal", "as_of": world.clock(), "text": HEAD} | change
        with pytest.raises(Invalid) as refused:
            world.do(
                import_register,
                world.city_id,
                given["register"],
                table(str(given["text"])),
                source=given["source"],
                as_of=given["as_of"],
                file_name="r.csv",
                content=b"",
            )
        assert [one.code for one in refused.value.fields[field]] == [code]
    assert world.look(rows) == before


def test_only_the_city_imports_registers(world: Procurement) -> None:
    before = world.look(rows)
    about: dict[str, Any] = {"source": "x", "as_of": world.clock(), "file_name": "r.csv", "content": b""}
    for actor in (world.supplier, world.auditor, world.buyer, world.stranger, PUBLIC):
        with pytest.raises(NotAllowed) as refused:
            world.do(import_register, world.city_id, "bad-faith", table(ONE), actor=actor, **about)
        assert refused.value.code == "not-your-part"
    assert world.look(rows) == before
    world.do(import_register, world.city_id, "bad-faith", table(ONE), actor=world.city_admin, **about)
    assert world.look(rows) == (before[0] + 1, before[1] + 1, before[2] + 1)


def test_looking_at_imports_and_entries(world: Procurement) -> None:
    import_id = bring(world, f"{HEAD}{BIN};«Дәм»;2026-01-01;;;\r\n{OTHER_BIN};100%_Ас;2026-01-01;;;\r\n")
    readers: tuple[Actor, ...] = (world.editor, world.city_admin, world.auditor)
    for reader in readers:
        assert [one.id for one in world.look(register_queries.imports, actor=reader)] == [import_id]
    assert world.look(register_queries.register_import, import_id).entries == 2
    for text, names in (("", 2), ("дәм", 1), (BIN, 1), ("%", 1), ("nobody", 0)):
        assert len(world.look(register_queries.entries, import_id, text)) == names
    for actor in (world.supplier, world.stranger, PUBLIC):
        with pytest.raises(NotFound):
            world.look(register_queries.imports, actor=actor)
    with pytest.raises(NotFound):
        world.look(register_queries.register_import, new_id())


def test_a_check_that_forgets_the_interval_is_found(
    world: Procurement, firm: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: an entry whose time is over still counts."""
    bring(world, f"{HEAD}{BIN};«Дәм»;2025-01-01;2025-12-31;;\r\n")
    assert asked(world, firm).hits == ()
    monkeypatch.setattr(port, "counts_on", lambda *_: True)
    assert len(asked(world, firm).hits) == 1
