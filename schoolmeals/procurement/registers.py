"""The registers of the state, as the room asks them: who is in which on a day, by whatever way they came here.

What is known here was imported; a table is one source (:class:`TableSource`). Another, like the interface of a state's
portal, is a :class:`RegisterSource` too: its worker asks outside of any deed and hands over what it was told to
``import_register``, so that every decision can name the very entries that it rests on, and repeat itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from schoolmeals import identity
from schoolmeals.database import Work, local_zone
from schoolmeals.files import read_table
from schoolmeals.procurement.models import RegisterEntry, RegisterImport, Supplier
from schoolmeals.procurement.rules.identifiers import PERSON, Identifier
from schoolmeals.procurement.rules.registers import (
    REGISTERS,
    ImportWord,
    RegisterHit,
    RegisterTable,
    compared,
    counts_on,
    needs_second_person,
    read_register,
)

ALL: Final = tuple(REGISTERS)


class RegisterSource(Protocol):
    """Where a register can be had from. ``describe`` is what the import says of it."""

    def describe(self) -> str:
        """Where this comes from, for people."""

    def read(self, register: str, *, key: bytes) -> RegisterTable:
        """The whole register as it stands there; ``key`` hashes people's numbers. Raises Invalid."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """A register in a file: CSV or XLSX."""

    content: bytes
    said: str

    def describe(self) -> str:
        """As whoever sent the file says."""
        return self.said

    def read(self, register: str, *, key: bytes) -> RegisterTable:
        """What the file says. Raises Invalid where it is no table."""
        rows = [(line.number, line.cells) for line in read_table(self.content)]
        return read_register(REGISTERS[register], rows, key=key)


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """An import: which register, as it stood when, and from where."""

    id: UUID
    register: str
    as_of: datetime
    source: str
    entries: int
    at: datetime
    file_name: str
    sha256: str
    by: UUID | None = None
    wanted_by: UUID | None = None
    """Who put the file before ``by``."""


@dataclass(frozen=True, slots=True)
class RegisterSnapshot:
    """What the registers said of somebody. A register in ``missing`` was never imported: its silence says nothing."""

    on: datetime
    imports: tuple[ImportFacts, ...]
    hits: tuple[RegisterHit, ...]
    missing: tuple[str, ...]

    @property
    def import_ids(self) -> tuple[UUID, ...]:
        return tuple(one.id for one in self.imports)

    def hits_in(self, register: str) -> tuple[RegisterHit, ...]:
        """What was found in one register."""
        return tuple(hit for hit in self.hits if hit.register == register)

    def as_json(self) -> dict[str, Any]:
        """For the record of a decision: what was asked, of which imports, and what they said."""
        return {
            "on": self.on.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "imports": {one.register: {"id": str(one.id), "as_of": _written(one.as_of)} for one in self.imports},
            "missing": list(self.missing),
            "hits": [
                {
                    "register": hit.register,
                    "import_id": hit.import_id,
                    "name": hit.name,
                    "from": hit.from_on.isoformat(),
                    "until": hit.until_on.isoformat() if hit.until_on is not None else None,
                    "reason": hit.reason,
                    "reference": hit.reference,
                }
                for hit in self.hits
            ],
        }


def check(
    work: Work, who: UUID | Identifier, on: datetime, *, registers: Sequence[str] = ALL, zone: tzinfo | None = None
) -> RegisterSnapshot:
    """What the registers say of an organisation (its id, or its number) on the day of ``on`` in ``zone``, the
    installation's own where none is given.

    Of each register the import counts that stood last at ``on``. An organisation's heads are looked for in the
    registers of people. Not scoped: whoever asks has looked whether the actor may know. Raises NotFound without such
    an organisation.
    """
    numbers = _numbers(work, who)
    latest = _latest(work, registers, on)
    hits: list[RegisterHit] = []
    if numbers and latest:
        hits = _hits(work, numbers, {one.id: one for one in latest}, on.astimezone(zone or local_zone()).date())
    missing = tuple(code for code in registers if code not in {one.register for one in latest})
    return RegisterSnapshot(on, tuple(latest), tuple(hits), missing)


@dataclass(frozen=True, slots=True)
class RegisterChange:
    """What an import would change: how many entries hold in the one before it, and which of them it has no more.

    ``lost`` of ``held`` are gone since the import from which one person's files are added up.
    """

    in_force: int
    dropped: tuple[RegisterEntry, ...]
    held: int
    lost: int
    needs_second: bool


def change_of(work: Work, register: str, table: RegisterTable, as_of: datetime) -> RegisterChange:
    """What an import as of ``as_of`` would change, compared with the one that stood last before it. Not scoped.

    An entry is dropped where it holds on that day and the table has nobody of its number who does: an entry that the
    table ends counts too. Many small steps of one person are added up (``rules/registers.py``).
    """
    day = as_of.astimezone(local_zone()).date()
    still = {(one.scheme, one.identifier) for one in table.lines if counts_on(one.from_on, one.until_on, day)}
    looked = [_fallen(work, one.id, still, day) for one in compared(_words(work, register, as_of), work.now)]
    if not looked:
        none = needs_second_person(REGISTERS[register], lines=len(table.lines), in_force=0, dropped=0)
        return RegisterChange(0, (), 0, 0, none)
    (in_force, dropped), (held, lost) = looked[0], looked[-1]
    second = any(
        needs_second_person(REGISTERS[register], lines=len(table.lines), in_force=count, dropped=len(gone))
        for count, gone in looked
    )
    return RegisterChange(in_force, dropped, held, len(lost), second)


def _fallen(
    work: Work, import_id: UUID, still: Collection[tuple[str, str]], day: date
) -> tuple[int, tuple[RegisterEntry, ...]]:
    """How many entries of an import hold on ``day``, and those of them that are not among ``still``."""
    rows = work.session.scalars(select(RegisterEntry).where(RegisterEntry.import_id == import_id))
    holding = [row for row in rows.all() if counts_on(row.from_on, row.until_on, day)]
    gone = (row for row in holding if (row.scheme, row.identifier) not in still)
    return len(holding), tuple(sorted(gone, key=lambda row: row.line))


def _words(work: Work, register: str, as_of: datetime) -> list[ImportWord]:
    """A register's imports up to an instant, the one that stood then first."""
    found = (
        select(RegisterImport.id, RegisterImport.at, RegisterImport.by, RegisterImport.wanted_by)
        .where(RegisterImport.register == register, RegisterImport.as_of <= as_of)
        .order_by(RegisterImport.as_of.desc(), RegisterImport.id.desc())
    )
    return [ImportWord(*row) for row in work.session.execute(found)]


def import_facts(row: RegisterImport) -> ImportFacts:
    """The facts of a row."""
    return ImportFacts(
        row.id,
        row.register,
        row.as_of,
        row.source,
        row.entries,
        row.at,
        row.file_name,
        row.sha256.hex(),
        row.by,
        row.wanted_by,
    )


def _numbers(work: Work, who: UUID | Identifier) -> list[tuple[str, str]]:
    if isinstance(who, Identifier):
        return [(who.scheme, who.number)]
    facts = identity.organisation(work, who)
    row = work.session.get(Supplier, who)
    numbers = [(PERSON, str(key)) for key in (row.person_keys if row is not None else ())]
    if facts.identifier_scheme and facts.identifier:
        numbers.append((facts.identifier_scheme, facts.identifier))
    return numbers


def _latest(work: Work, registers: Sequence[str], on: datetime) -> list[ImportFacts]:
    """The last import of each register that stood at an instant, in the order of ``registers``."""
    found = (
        select(RegisterImport)
        .where(RegisterImport.register.in_(registers), RegisterImport.as_of <= on)
        .order_by(RegisterImport.register, RegisterImport.as_of.desc(), RegisterImport.id.desc())
        .ext(distinct_on(RegisterImport.register))
    )
    rows = sorted(work.session.scalars(found), key=lambda row: registers.index(row.register))
    return [import_facts(row) for row in rows]


def _hits(
    work: Work, numbers: Sequence[tuple[str, str]], imports: dict[UUID, ImportFacts], day: date
) -> list[RegisterHit]:
    wanted = (
        select(RegisterEntry)
        .where(
            RegisterEntry.import_id.in_(imports),
            tuple_(RegisterEntry.scheme, RegisterEntry.identifier).in_(numbers),
        )
        .order_by(RegisterEntry.import_id, RegisterEntry.line)
    )
    rows = [row for row in work.session.scalars(wanted) if counts_on(row.from_on, row.until_on, day)]
    order = list(imports)
    return [_hit(row, imports[row.import_id]) for row in sorted(rows, key=lambda row: order.index(row.import_id))]


def _hit(row: RegisterEntry, of: ImportFacts) -> RegisterHit:
    return RegisterHit(
        register=of.register,
        import_id=str(of.id),
        as_of=of.as_of,
        identifier="" if row.scheme == PERSON else row.identifier,
        name=row.name,
        from_on=row.from_on,
        until_on=row.until_on,
        reason=row.reason,
        reference=row.reference,
    )


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
