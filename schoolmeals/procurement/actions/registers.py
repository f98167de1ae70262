"""Importing the registers of the state."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.ids import new_id
from schoolmeals.procurement.access import permitted_in
from schoolmeals.procurement.models import RegisterEntry, RegisterImport
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
) -> UUID:
    """Keep a register whole, as it stood at ``as_of``; gives the import's id. It replaces nothing: of each register the
    import counts that stood last at the moment that is asked about.

    Raises Invalid, also ``bad-rows`` where lines of the table could not be read: a register with holes would clear
    whoever is in them.
    """
    permitted_in(work, "import_register", organisation_id)
    problems = {
        "register": [] if register in REGISTERS else [UNKNOWN],
        "source": [] if 0 < len(source.strip()) <= LONGEST_SOURCE else [NEEDED],
        "as_of": [] if as_of <= work.now else [_TO_COME],
        "file": [FieldProblem.of("bad-rows", BAD_ROWS, count=len(table.bad))] if table.bad else [],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    row = RegisterImport(
        id=new_id(work.now),
        register=register,
        source=source.strip(),
        as_of=as_of,
        file_name=file_name[:200],
        sha256=hashlib.sha256(content).digest(),
        entries=len(table.lines),
        by=work.actor.id,
        at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    _keep_lines(work, row.id, table)
    payload = {"register": register, "source": row.source, "as_of": as_of, "entries": row.entries}
    more = {"sha256": row.sha256.hex(), "organisation": organisation_id}
    audit.record(work, "procurement.import-register", Subject("register-import", row.id), payload | more)
    return row.id


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
_TO_COME: Final = FieldProblem.of("to-come", N_("This moment is still to come."))
