"""How a bid comes in: everything that it is judged by in one round trip, and its row with the commit.

The order counts. The tender's row is held first, so that closing waits for whoever is on the way, and they for it. Then
whoever writes a row of the same supplier for the same lot, or one for the same request, queues. Only then is the clock
read, and what is asked after that sees all that those before have committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals.asking import Question, array_of, nothing
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import LegalClock, clock_question
from schoolmeals.procurement.parts import chain_of, chain_question, claim_question
from schoolmeals.procurement.rows import NOBODY, ServerKeys, queues_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import Asked, RowFacts, asked_by, id_of
from schoolmeals.procurement.rules.stages import TIMES, TenderStage, TenderTimes, tender_stage
from schoolmeals.procurement.sealing import Manifest, SealingFault

LOCK: Final = "FOR KEY SHARE"
"""``Lock.SUBMIT`` of acting, in SQL."""
_TENDER: Final = f"SELECT version, {', '.join(TIMES)} FROM tender WHERE id = %(id)s"  # noqa: S608 (names of ours)
_QUEUE: Final = "SELECT pg_advisory_xact_lock(CAST(%(number)s AS bigint))"
_VERSION: Final = """
    SELECT v.sha256, CASE WHEN v.sha256 = %(remembered)s THEN NULL ELSE v.text END AS text
      FROM tender t JOIN tender_version v ON v.tender_id = t.id AND v.version = t.version
     WHERE t.id = %(id)s"""
_LOT_ENDED: Final = """
    SELECT EXISTS (SELECT FROM tender_act WHERE tender_id = %(id)s AND lot_id = %(lot_id)s
                      AND kind = ANY(CAST(%(kinds)s AS text[]))) AS ended"""
_ENDED: Final = (ActKind.LOT_CANCELLED.value, ActKind.LOT_UNSUCCESSFUL.value)
_asked: Final[dict[UUID, tuple[bytes, Asked]]] = {}
"""What tenders ask of bids, by the digest of the text that says so: it is long, and never changes."""
MOST_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class Coming:
    """A manifest as it arrives. ``manifest`` is None, and the ids are nobody's, where it cannot be read."""

    tender_id: UUID
    tenderer_id: UUID
    data: bytes
    manifest: Manifest | None
    lot_id: UUID
    bid_id: UUID

    @classmethod
    def of(cls, tender_id: UUID, tenderer_id: UUID, data: bytes) -> "Coming":
        """Read ``data``, before anything is locked for it."""
        try:
            manifest = Manifest.from_bytes(data)
        except SealingFault:
            return cls(tender_id, tenderer_id, data, None, NOBODY, NOBODY)
        lot_id = id_of(manifest.bid.lot_ids[0]) or NOBODY
        return cls(tender_id, tenderer_id, data, manifest, lot_id, id_of(manifest.bid.bid_id) or NOBODY)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A tender as a bid finds it, locked. ``at`` is the bid's legal time."""

    at: datetime
    stage: TenderStage
    version: int
    asked: Asked | None
    """None where nothing is published yet."""
    lot_has_ended: bool
    known: tuple[UUID, RowFacts] | None
    """The row that the same request has made before, with its id."""
    chain: Sequence[RowFacts]
    """The supplier's rows for the lot, in their order."""


def arrive(work: Work, coming: Coming, keys: ServerKeys, clock: LegalClock) -> Arrival:
    """Bring a bid before its tender. Raises NotFound where there is no such tender."""
    id, place = coming.tender_id, (coming.tender_id, coming.lot_id, coming.tenderer_id)
    tender: Question[list[Any]] = Question(f"{_TENDER} {LOCK}", {"id": id}, list)
    instant = clock_question()
    remembered = _asked.get(id)
    version: Question[list[Any]] = Question(_VERSION, {"id": id, "remembered": remembered and remembered[0]}, list)
    about = {"id": id, "lot_id": coming.lot_id, "kinds": array_of(_ENDED)}
    ended: Question[bool] = Question(_LOT_ENDED, about, lambda rows: bool(rows[0].ended))
    known, chain = claim_question(keys, coming.bid_id), chain_question(keys, *place)
    work.ask(tender, *queueing(keys, *place, coming.bid_id), instant, version, ended, known, chain)
    if not tender.answer:
        raise NotFound
    row = tender.answer[0]
    at = clock(work, instant.answer)
    return Arrival(
        at=at,
        stage=tender_stage(TenderTimes(**{name: getattr(row, name) for name in TIMES}), at),
        version=row.version,
        asked=_heard(id, version.answer, remembered),
        lot_has_ended=ended.answer,
        known=known.answer,
        chain=chain_of(work, keys, *place, begun=chain.answer),
    )


def queueing(
    keys: ServerKeys, tender_id: UUID, lot_id: UUID, tenderer_id: UUID, request_id: UUID
) -> list[Question[None]]:
    """What makes whoever writes these rows come one by one. Everybody asks both, in this order, so that nobody who
    waits for the second holds what another one waits for.
    """
    numbers = queues_of(keys, tender_id, lot_id, tenderer_id, request_id)
    return [Question(_QUEUE, {"number": number}, nothing) for number in numbers]


def _heard(tender_id: UUID, rows: list[Any], remembered: tuple[bytes, Asked] | None) -> Asked | None:
    if not rows:
        return None
    found = rows[0]
    if found.text is None:
        assert remembered is not None, "the text is left out only where its digest was sent"
        return remembered[1]
    if len(_asked) >= MOST_REMEMBERED:
        _asked.clear()
    asked = asked_by(found.text)
    _asked[tender_id] = (found.sha256, asked)
    return asked
