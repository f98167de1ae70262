"""Looking at awards: what the protocol decided for each lot, who was passed over, and what fell later. Public."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement.acting import acts_of
from schoolmeals.procurement.models import Award, Recheck
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.ranked import awards_of, ranking_of
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.awards import Candidate, objections_term, signing_of, standstill_of
from schoolmeals.procurement.rules.stages import TenderStage


@dataclass(frozen=True, slots=True)
class AwardFacts:
    """An award, standing or fallen."""

    id: UUID
    bid_id: UUID
    supplier_id: UUID
    rank: int
    points_milli: int
    value_minor: int
    currency: str
    decided_at: datetime
    ended_at: datetime | None
    end_code: str | None
    end_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotAward:
    """What has become of a lot: its ranking, its awards, and what the last looks found."""

    lot_id: UUID
    stage: LotStage
    ranking: tuple[Candidate, ...]
    awards: tuple[AwardFacts, ...]
    standstill_until: datetime | None
    signing_until: datetime | None
    objections_until: datetime | None
    """Until when those who were turned away can complain, where nobody was admitted."""
    findings: Mapping[UUID, tuple[Mapping[str, Any], ...]]
    """By supplier, of the last look at each."""
    end_code: str
    end_reason: str

    @property
    def standing(self) -> AwardFacts | None:
        return next((one for one in self.awards if one.ended_at is None), None)


@dataclass(frozen=True, slots=True)
class AwardView:
    """The awards of a tender. ``protocol_sha256`` is the protocol's address; empty before it."""

    stage: TenderStage
    lots: tuple[LotAward, ...]
    protocol_sha256: str
    causes: tuple[str, ...]
    """What holds the tender now."""


def award_view(work: Work, tender_id: UUID) -> AwardView:
    """What the public may know of a tender's awards. Raises NotFound."""
    hand = visible(work, tender_id)
    acts = acts_of(work, tender_id)
    # What a decision on a complaint has set aside is in the history and its protocols, and is no ranking any more.
    ranking = ranking_of(work, tender_id) if hand.tender.evaluated_at is not None else {}
    awards = awards_of(work, tender_id)
    ends = {act.lot_id: act.payload for act in acts if act.kind in {ActKind.LOT_UNSUCCESSFUL, ActKind.LOT_CANCELLED}}
    looked = list(work.session.scalars(select(Recheck).where(Recheck.tender_id == tender_id).order_by(Recheck.at)))
    lots = []
    for lot_id, facts in hand.facts.lots.items():
        standstill, signing = standstill_of(hand.facts.terms, lot_id), signing_of(hand.facts.terms, lot_id)
        objections = hand.facts.terms.get(objections_term(lot_id))
        said = ends.get(lot_id, {}) if facts.stage in {LotStage.UNSUCCESSFUL, LotStage.CANCELLED} else {}
        lots.append(
            LotAward(
                lot_id=lot_id,
                stage=facts.stage,
                ranking=ranking.get(lot_id, ()),
                awards=tuple(_award(row) for row in awards if row.lot_id == lot_id),
                standstill_until=standstill.until if standstill is not None else None,
                signing_until=signing.until if signing is not None else None,
                objections_until=objections.until if objections is not None else None,
                findings={row.supplier_id: tuple(row.findings) for row in looked if row.lot_id == lot_id},
                end_code=said.get("code", said.get("reason_code", "")),
                end_reason=said.get("reason", ""),
            )
        )
    signed = [act.payload["protocol_sha256"] for act in acts if act.kind is ActKind.AWARDED]
    protocols = signed if hand.tender.awarded_at is not None else []
    return AwardView(hand.stage, tuple(lots), protocols[-1] if protocols else "", tuple(hand.facts.suspensions))


def _award(row: Award) -> AwardFacts:
    return AwardFacts(
        row.id,
        row.bid_id,
        row.supplier_id,
        row.rank,
        row.points_milli,
        row.value_minor,
        row.currency,
        row.decided_at,
        row.ended_at,
        row.end_code,
        row.end_reason,
    )
