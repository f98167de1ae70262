"""Importing the registers of the state."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import N_, FieldProblem, Invalid, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.access import permitted_in
from schoolmeals.procurement.models import RegisterEntry, RegisterImport
from schoolmeals.procurement.registers import change_of
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.registers import REGISTERS, RegisterTable

LONGEST_SOURCE: Final = 300
_ROWS_AT_ONCE: Final = 2_000


def import_register(
    work: Work,
    organisation_id: UUID,
    register: str,
    table: RegisterTable,
    *,
    source: str,
    as_of: datetime,
    file_name: str,
    content: bytes,
    wanted_by: UUID | None = None,
) -> UUID:
    """Keep a register whole, as it stood at ``as_of``; gives the import's id. It replaces nothing: of each register the
    import counts that stood last at the moment that is asked about.

    ``wanted_by`` is who put the file before the actor. Raises Invalid, also ``bad-rows`` where lines of the table could
    not be read: a register with holes would clear whoever is in them. Raises NotNow ``second-person-needed`` where the
    file clears too many for one person's word.
    """
    permitted_in(work, "import_register", organisation_id)
    _check(work, register, table, source, as_of)
    change = change_of(work, register, table, as_of)
    if change.needs_second and wanted_by in (None, work.actor.id):
        raise NotNow("second-person-needed", SECOND_PERSON, dropped=change.lost, count=change.held)
    row = RegisterImport(
        id=new_id(work.now),
        register=register,
        source=source.strip(),
        as_of=as_of,
        file_name=file_name[:200],
        sha256=hashlib.sha256(content).digest(),
        entries=len(table.lines),
        by=work.actor.id,
        wanted_by=wanted_by,
        at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    _keep_lines(work, row.id, table)
    payload = {"register": register, "source": row.source, "as_of": as_of, "entries": row.entries}
    more = {"sha256": row.sha256.hex(), "organisation": organisation_id, "dropped": len(change.dropped)}
    people = {"wanted_by": wanted_by} if wanted_by is not None else {}
    audit.record(work, "procurement.import-register", Subject("register-import", row.id), payload | more | people)
    return row.id


def _check(work: Work, register: str, table: RegisterTable, source: str, as_of: datetime) -> None:
    problems = {
        "register": [] if register in REGISTERS else [UNKNOWN],
        "source": [] if 0 < len(source.strip()) <= LONGEST_SOURCE else [NEEDED],
        "as_of": [] if as_of <= work.now else [_TO_COME],
        "file": [FieldProblem.of("bad-rows", BAD_ROWS, count=len(table.bad))] if table.bad else [],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})


def _keep_lines(work: Work, import_id: UUID, table: RegisterTable) -> None:
    for start in range(0, len(table.lines), _ROWS_AT_ONCE):
        rows = [
            {
                "id": new_id(work.now),
                "import_id": import_id,
                "line": one.line,
                "scheme": one.scheme,
                "identifier": one.identifier,
                "name": one.name,
                "from_on": one.from_on,
                "until_on": one.until_on,
                "reason": one.reason,
                "reference": one.reference,
            }
            for one in table.lines[start : start + _ROWS_AT_ONCE]
        ]
        insert_rows(work.session, RegisterEntry, rows)


BAD_ROWS: Final = N_("%(count)s values of the file cannot be read. Mend them: a register is taken whole or not at all.")
SECOND_PERSON: Final = N_(
    "The file is empty, or drops too many of the entries that hold (%(dropped)s of %(count)s). "
    "A second person must confirm it."
)
_TO_COME: Final = FieldProblem.of("to-come", N_("This moment is still to come."))
