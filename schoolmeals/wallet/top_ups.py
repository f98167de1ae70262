"""Finding and locking top-ups; what actions and queries share."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Select, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import psycopg

from schoolmeals.asking import ask
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
    found = ask(work.session, _by_id(is_locked=False), {"school_id": school_id, "id": top_up_id})
    return as_facts(found)[0] if found else None


def lock_top_up(work: Work, school_id: UUID, top_up_id: UUID) -> TopUpFacts:
    """A top-up, locked until the end of the deed. Raises NotFound."""
    found = ask(work.session, _by_id(is_locked=True), {"school_id": school_id, "id": top_up_id})
    if not found:
        raise NotFound("no-such-top-up")
    return as_facts(found)[0]


def lock_named(work: Work, top_up_id: UUID | None) -> list[TopUpFacts]:
    """The top-ups with an id that a provider names, in any school, locked. Ids are made by callers, so two are possible
    where somebody tries.
    """
    if top_up_id is None:
        return []
    wanted = top_ups().where(TopUp.id == top_up_id).order_by(TopUp.school_id).with_for_update(of=TopUp)
    return as_facts(work.session.execute(wanted).all())


@cache
def _by_id(*, is_locked: bool) -> str:
    """The statement for one top-up as a text that is sent as it is: every deed with a top-up looks, some twice."""
    wanted = top_ups().where(
        TopUp.school_id == bindparam("school_id", type_=Uuid()), TopUp.id == bindparam("id", type_=Uuid())
    )
    dialect: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    return str((wanted.with_for_update(of=TopUp) if is_locked else wanted).compile(dialect=dialect))
