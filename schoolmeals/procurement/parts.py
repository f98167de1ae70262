"""Sealed rows and pieces of sealed files in the database: written so that each looks like any other, and found again.

Not scoped: whoever calls has looked whether the actor may.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any, Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit
from schoolmeals.actors import SYSTEM
from schoolmeals.asking import Question, array_of, ask_together
from schoolmeals.database import Work, insertion, rows_of
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
_AHEAD: Final = 4
"""How many rows of a chain are asked for at once; few suppliers change their minds more often."""
_CLAIMED: Final = "SELECT tender_id, id, body FROM sealed_row WHERE claim = %(claim)s"
_CHAIN: Final = """
    SELECT id, body FROM sealed_row WHERE tender_id = %(tender_id)s AND id = ANY(CAST(%(ids)s AS uuid[]))"""


def hour_of(at: datetime) -> datetime:
    """The hour of an instant: all that tables and log tell of when something arrived."""
    return at.replace(minute=0, second=0, microsecond=0)


def keep_row(work: Work, tender_id: UUID, row_id: UUID, claim: UUID, body: bytes, at: datetime) -> None:
    """Write a row, and the log's event about it, together with the commit.

    Its place and its claim are free: whoever calls has looked, and keeps others waiting (``arriving.queueing``).
    """
    row = (row_id, claim, body)
    shared = {"tender_id": tender_id, "at": hour_of(at)}
    events = _events("procurement.sealed_row", "sealed-row", tender_id, [row_id])
    questions = insertion([rows_of(SealedRow, ("id", "claim", "body"), [row], shared)])
    work.ask_last((*questions, *audit.recording(_unnamed(work, at), events)))


def claimed(work: Work, keys: ServerKeys, request_id: UUID) -> tuple[UUID, RowFacts] | None:
    """The row that a request has made before, with its id."""
    question = claim_question(keys, request_id)
    ask_together(work.session, question)
    return question.answer


def claim_question(keys: ServerKeys, request_id: UUID) -> Question[tuple[UUID, RowFacts] | None]:
    """``claimed``, to be asked with others."""

    def read(rows: list[Any]) -> tuple[UUID, RowFacts] | None:
        return (rows[0].id, unsealed(keys, rows[0].tender_id, rows[0].id, rows[0].body)) if rows else None

    return Question(_CLAIMED, {"claim": claim_of(keys, request_id)}, read)


def chain_of(
    work: Work,
    keys: ServerKeys,
    tender_id: UUID,
    lot_id: UUID,
    tenderer_id: UUID,
    *,
    begun: Sequence[RowFacts] | None = None,
) -> list[RowFacts]:
    """All rows of a supplier for a lot, in their order. ``begun`` is what a ``chain_question`` has answered."""
    chain = list(begun or ())
    last = begun
    while last is None or len(last) == _AHEAD:
        question = chain_question(keys, tender_id, lot_id, tenderer_id, place=len(chain))
        ask_together(work.session, question)
        last = question.answer
        chain += last
    return chain


def chain_question(
    keys: ServerKeys, tender_id: UUID, lot_id: UUID, tenderer_id: UUID, *, place: int = 0
) -> Question[list[RowFacts]]:
    """A supplier's next rows for a lot from ``place`` on, at most four."""
    wanted = [slot_id(keys, tender_id, lot_id, tenderer_id, place + ahead) for ahead in range(_AHEAD)]

    def read(rows: list[Any]) -> list[RowFacts]:
        bodies = {row.id: row.body for row in rows}
        return [unsealed(keys, tender_id, id, bodies[id]) for id in wanted if id in bodies]

    return Question(_CHAIN, {"tender_id": tender_id, "ids": array_of(wanted)}, read)


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
        events = _events("procurement.ciphertext_part", "ciphertext-part", tender_id, list(bodies))
        audit.record_many(_unnamed(work, at), events)


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


def _events(action: str, kind: str, tender_id: UUID, ids: Sequence[UUID]) -> list[audit.NewEvent]:
    return [audit.NewEvent(action, audit.Subject(kind, id), {"tender": tender_id}) for id in ids]


def _unnamed(work: Work, at: datetime) -> Work:
    # The log must not tell who bids: its event is nobody's, and of the hour, as are those for rows that are nothing.
    return work.acting(SYSTEM, hour_of(at))
