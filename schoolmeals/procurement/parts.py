"""Sealed rows and pieces of sealed files in the database: written so that each looks like any other, and found again.

Not scoped: whoever calls has looked whether the actor may.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit
from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.procurement.models import CiphertextPart, SealedRow
from schoolmeals.procurement.rows import (
    ServerKeys,
    claim_of,
    part_id,
    sealed_part,
    slot_id,
    unsealed,
    unsealed_part,
)
from schoolmeals.procurement.rules.bids import PART_BYTES, RowFacts
from schoolmeals.procurement.sealing import SealedEnvelope, SealingFault, require_ciphertext

_SPOOL_BYTES = 1 << 20


def hour_of(at: datetime) -> datetime:
    """The hour of an instant: all that tables and log tell of when something arrived."""
    return at.replace(minute=0, second=0, microsecond=0)


def keep_row(work: Work, tender_id: UUID, row_id: UUID, claim: UUID, body: bytes, at: datetime) -> bool:
    """Write a row, and the log's event about it; False, and nothing, where its place or its claim is taken."""
    values = {"tender_id": tender_id, "id": row_id, "claim": claim, "at": hour_of(at), "body": body}
    written = insert(SealedRow).values(values).on_conflict_do_nothing().returning(SealedRow.id)
    if work.session.scalar(written) is None:
        return False
    _record(work, "procurement.sealed_row", "sealed-row", tender_id, [row_id], at)
    return True


def claimed(work: Work, keys: ServerKeys, request_id: UUID) -> tuple[UUID, RowFacts] | None:
    """The row that a request has made before, with its id."""
    row = work.session.scalar(select(SealedRow).where(SealedRow.claim == claim_of(keys, request_id)))
    return (row.id, unsealed(keys, row.tender_id, row.id, row.body)) if row is not None else None


def chain_of(work: Work, keys: ServerKeys, tender_id: UUID, lot_id: UUID, tenderer_id: UUID) -> list[RowFacts]:
    """All rows of a supplier for a lot, in their order."""
    chain: list[RowFacts] = []
    while True:
        wanted = [slot_id(keys, tender_id, lot_id, tenderer_id, len(chain) + ahead) for ahead in range(4)]
        found = select(SealedRow).where(SealedRow.tender_id == tender_id, SealedRow.id.in_(wanted))
        rows = {row.id: row for row in work.session.scalars(found)}
        chain += [unsealed(keys, tender_id, id, rows[id].body) for id in wanted if id in rows]
        if len(rows) < len(wanted):
            return chain


def all_rows(work: Work, keys: ServerKeys, tender_id: UUID) -> Iterator[RowFacts]:
    """The inside of every row of a tender. Raises Conflict where one was changed."""
    found = select(SealedRow.id, SealedRow.body).where(SealedRow.tender_id == tender_id)
    with work.session.execute(found.execution_options(yield_per=100)) as rows:
        for id, body in rows:
            yield unsealed(keys, tender_id, id, body)


def missing_parts(work: Work, keys: ServerKeys, tender_id: UUID, envelope: SealedEnvelope) -> list[int]:
    """The numbers, from 0, of the pieces that have not arrived."""
    ids = _part_ids(keys, tender_id, envelope)
    found = select(CiphertextPart.id).where(CiphertextPart.tender_id == tender_id, CiphertextPart.id.in_(ids))
    there = set(work.session.scalars(found))
    return [number for number, id in enumerate(ids) if id not in there]


def keep_parts(
    work: Work, keys: ServerKeys, tender_id: UUID, envelope: SealedEnvelope, first: int, content: bytes, at: datetime
) -> None:
    """Keep the pieces of ``content``, of which the first has the number ``first``. Those that are there stay."""
    ids = _part_ids(keys, tender_id, envelope)[first : first + len(content) // PART_BYTES]
    pieces = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    keep_bodies(work, tender_id, {id: sealed_part(keys, id, one) for id, one in zip(ids, pieces, strict=True)}, at)


def keep_bodies(work: Work, tender_id: UUID, bodies: dict[UUID, bytes], at: datetime) -> None:
    """Keep pieces as they are, by their ids."""
    rows = [{"tender_id": tender_id, "id": id, "at": hour_of(at), "body": body} for id, body in bodies.items()]
    if rows:
        work.session.execute(insert(CiphertextPart).values(rows).on_conflict_do_nothing())
        _record(work, "procurement.ciphertext_part", "ciphertext-part", tender_id, list(bodies), at)


def forget_parts(
    work: Work, keys: ServerKeys, tender_id: UUID, envelope: SealedEnvelope, numbers: Iterable[int] | None = None
) -> None:
    """Delete pieces by their numbers, or all of them: together they are not what the manifest names."""
    ids = _part_ids(keys, tender_id, envelope)
    gone = ids if numbers is None else [ids[number] for number in numbers]
    work.session.execute(
        delete(CiphertextPart).where(CiphertextPart.tender_id == tender_id, CiphertextPart.id.in_(gone))
    )


def stored_file(work: Work, keys: ServerKeys, tender_id: UUID, envelope: SealedEnvelope) -> IO[bytes]:
    """The sealed file as it is stored, from its beginning; what is missing or damaged makes it shorter. Close it."""
    # Whoever asked closes it.
    copy = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115
    for id in _part_ids(keys, tender_id, envelope):
        found = select(CiphertextPart.body).where(CiphertextPart.tender_id == tender_id, CiphertextPart.id == id)
        body = work.session.scalar(found)
        copy.write((unsealed_part(keys, id, body) if body is not None else None) or b"")
    copy.seek(0)
    return copy


def is_whole(work: Work, keys: ServerKeys, tender_id: UUID, envelope: SealedEnvelope) -> bool:
    """Whether the sealed file is here, and is the one that the manifest names."""
    with stored_file(work, keys, tender_id, envelope) as copy:
        try:
            require_ciphertext(envelope, copy)
        except SealingFault:
            return False
        return True


def _part_ids(keys: ServerKeys, tender_id: UUID, envelope: SealedEnvelope) -> list[UUID]:
    count = envelope.ciphertext_bytes // PART_BYTES
    return [part_id(keys, tender_id, envelope.ciphertext_sha256, number) for number in range(count)]


def _record(work: Work, action: str, kind: str, tender_id: UUID, ids: Sequence[UUID], at: datetime) -> None:
    # The log must not tell who bids: its event is nobody's, and of the hour, as are those for rows that are nothing.
    unnamed: Any = replace(work, actor=SYSTEM, now=hour_of(at))
    events = [audit.NewEvent(action, audit.Subject(kind, id), {"tender": tender_id}) for id in ids]
    audit.record_many(unnamed, events)
