"""All draws of commissions, for everybody: those of tenders that nobody has published too.

Whoever could make drafts and throw them away unseen until a draw pleases would choose the commission after all. So
each draw stays in this list, with what became of its tender. Of an unpublished tender it says who draws and nothing
else: no title, no number, no school, no id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import aliased

from schoolmeals.database import Work
from schoolmeals.procurement.acting import times_of
from schoolmeals.procurement.models import Tender, TenderAct
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.draw import LEFT_AFTER, Fate, fate_of
from schoolmeals.procurement.rules.stages import TenderStage, tender_stage

PAGE: Final = 20
_Announced: Final = aliased(TenderAct)
_Drawn: Final = aliased(TenderAct)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawLine:
    """A draw and what became of its tender. ``tender_id``, ``number`` and ``stage`` are None until it is published."""

    id: UUID
    """Of the announcement: the draw's page."""
    organiser_id: UUID
    announced_at: datetime
    seed_source: str
    seed_not_before: datetime
    drawn_at: datetime | None
    seed: str | None
    fate: Fate
    tender_id: UUID | None
    number: str | None
    stage: TenderStage | None


@dataclass(frozen=True, slots=True)
class DrawCount:
    """How many draws a buyer has announced and held, and what became of their tenders."""

    organiser_id: UUID
    announced: int
    drawn: int
    published: int
    left: int

    @property
    def prepared(self) -> int:
        return self.announced - self.published - self.left


@dataclass(frozen=True, slots=True)
class DrawPage:
    """One page of the list, the latest first."""

    lines: tuple[DrawLine, ...]
    total: int
    page: int
    pages: int


def draws(work: Work, *, organiser_id: UUID | None = None, page: int = 1) -> DrawPage:
    """The draws of all buyers or of one, for everybody."""
    wanted = [_Announced.kind == ActKind.DRAW_ANNOUNCED.value]
    if organiser_id is not None:
        wanted.append(Tender.organiser_id == organiser_id)
    total = work.session.scalar(_of(wanted, func.count())) or 0
    found = _of(wanted, Tender, _Announced, _Drawn).order_by(_Announced.at.desc(), _Announced.id.desc())
    rows = work.session.execute(found.offset((page - 1) * PAGE).limit(PAGE))
    lines = tuple(_line(tender, announced, drawn, work.now) for tender, announced, drawn in rows)
    return DrawPage(lines, total, page, max(1, -(-total // PAGE)))


def draw_counts(work: Work) -> list[DrawCount]:
    """The draws of each buyer in numbers; whoever left most unpublished comes first."""
    left = func.count().filter(Tender.published_at.is_(None), _Announced.at < work.now - LEFT_AFTER)
    published = func.count().filter(Tender.published_at.is_not(None))
    columns = (Tender.organiser_id, func.count(), func.count(_Drawn.id), published, left)
    wanted = [_Announced.kind == ActKind.DRAW_ANNOUNCED.value]
    found = _of(wanted, *columns).group_by(Tender.organiser_id).order_by(left.desc(), Tender.organiser_id)
    return [DrawCount(*row) for row in work.session.execute(found)]


def _of(wanted: Sequence[ColumnElement[bool]], *columns: Any) -> Select[*tuple[Any, ...]]:
    drawn = and_(_Drawn.subject_id == _Announced.id, _Drawn.kind == ActKind.MEMBERS_DRAWN.value)
    found = select(*columns).select_from(_Announced).join(Tender, Tender.id == _Announced.tender_id)
    return found.outerjoin(_Drawn, drawn).where(*wanted)


def _line(tender: Tender, announced: TenderAct, drawn: TenderAct | None, now: datetime) -> DrawLine:
    is_public = tender.published_at is not None
    return DrawLine(
        id=announced.id,
        organiser_id=tender.organiser_id,
        announced_at=announced.at,
        seed_source=announced.payload["seed_source"],
        seed_not_before=datetime.fromisoformat(announced.payload["seed_not_before"]),
        drawn_at=drawn.at if drawn is not None else None,
        seed=drawn.payload["seed"] if drawn is not None else None,
        fate=fate_of(tender.published_at, announced.at, now),
        tender_id=tender.id if is_public else None,
        number=tender.number if is_public else None,
        stage=tender_stage(times_of(tender), now) if is_public else None,
    )
