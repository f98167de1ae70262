"""Finding and locking top-ups; what actions and queries share."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.wallet.models import Purse, TopUp
from schoolmeals.wallet.rules import TopUpFacts

_FIELDS = tuple(TopUpFacts.__dataclass_fields__)


def top_ups() -> Select[Any]:
    """A statement for top-ups with the pupils whose purses they fill; hand its rows to :func:`as_facts`."""
    return select(*[Purse.pupil_id if name == "pupil_id" else getattr(TopUp, name) for name in _FIELDS]).join_from(
        TopUp, Purse, (Purse.school_id == TopUp.school_id) & (Purse.id == TopUp.purse_id)
    )


def as_facts(rows: Sequence[Any]) -> list[TopUpFacts]:
    """The rows of :func:`top_ups` as facts."""
    return [TopUpFacts(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


def find_top_up(work: Work, school_id: UUID, top_up_id: UUID) -> TopUpFacts | None:
    """A top-up, not locked."""
    wanted = top_ups().where(TopUp.school_id == school_id, TopUp.id == top_up_id)
    return next(iter(as_facts(work.session.execute(wanted).all())), None)


def lock_top_up(work: Work, school_id: UUID, top_up_id: UUID) -> TopUpFacts:
    """A top-up, locked until the end of the deed. Raises NotFound."""
    wanted = top_ups().where(TopUp.school_id == school_id, TopUp.id == top_up_id).with_for_update(of=TopUp)
    found = as_facts(work.session.execute(wanted).all())
    if not found:
        raise NotFound("no-such-top-up")
    return found[0]


def lock_named(work: Work, top_up_id: UUID | None) -> list[TopUpFacts]:
    """The top-ups with an id that a provider names, in any school, locked. Ids are made by callers, so two are possible
    where somebody tries.
    """
    if top_up_id is None:
        return []
    wanted = top_ups().where(TopUp.id == top_up_id).order_by(TopUp.school_id).with_for_update(of=TopUp)
    return as_facts(work.session.execute(wanted).all())
