"""What the windows watch at the tills: whose a sale was, what was recorded lately, and counts that change with a tap.

The pieces for the pulse are parts of a statement, not answers: the room that asks several times a second puts them
together with those of other rooms and sends them as one.
"""

from collections.abc import Collection
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ScalarSelect, func, or_, select, text

from schoolmeals import identity
from schoolmeals.actors import ActorKind, Role
from schoolmeals.canteen.models import Sale, SaleUndo, Sitting
from schoolmeals.database import Work
from schoolmeals.ids import number_in_sql


class Tap(NamedTuple):
    """A tap by name or card, and the codes about which the cashier was warned and decided by name."""

    school_id: UUID
    pupil_id: UUID
    sale_id: UUID
    decided: frozenset[str]


def whose_sale(work: Work, school_id: UUID, sale_id: UUID) -> tuple[UUID, date] | None:
    """The pupil and the day of a sale; None where there is none, or nobody was recognised. The caller asks whether
    the pupil is the actor's.
    """
    wanted = select(Sale.pupil_id, Sale.service_day).where(Sale.school_id == school_id, Sale.id == sale_id)
    row = work.session.execute(wanted).one_or_none()
    return None if row is None or row.pupil_id is None else (row.pupil_id, row.service_day)


def sales_numbered(work: Work, school_id: UUID, number: int) -> list[UUID]:
    """The ids of a school's sales whose receipts bear ``number``, the newest first; for its office. Raises NotFound."""
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
    bears_it = text(f"{number_in_sql('sale.id')} = :number").bindparams(number=number)
    found = select(Sale.id).where(Sale.school_id == school_id, Sale.pupil_id.is_not(None), bears_it)
    return list(work.session.scalars(found.order_by(Sale.tapped_at.desc(), Sale.id)))


def taps_recorded(work: Work, school_ids: Collection[UUID], *, since: datetime, first_day: date) -> list[Tap]:
    """The taps of pupils that were recorded at ``since`` or later, for days from ``first_day`` on; for the worker."""
    assert work.actor.kind is ActorKind.SYSTEM, "it looks over schools"
    wanted = select(Sale.school_id, Sale.pupil_id, Sale.id, Sale.decisions).where(
        Sale.school_id.in_(school_ids),
        Sale.service_day >= first_day,
        Sale.recorded_at >= since,
        Sale.pupil_id.is_not(None),
    )
    return [
        Tap(school_id, pupil_id, sale_id, frozenset(one["code"] for one in decisions))
        for school_id, pupil_id, sale_id, decisions in work.session.execute(wanted)
    ]


def pulse_of_taps(ties: CTE, *, first: date, last: date) -> ScalarSelect[int]:
    """A number that changes with every tap of the pupils of ``ties`` (school_id, pupil_id), and with every undo."""
    is_theirs = (Sale.school_id == ties.c.school_id) & (Sale.pupil_id == ties.c.pupil_id)
    is_undone = (SaleUndo.school_id == Sale.school_id) & (SaleUndo.sale_id == Sale.id)
    return (
        select(func.count(Sale.id) * 1000 + func.count(SaleUndo.id))
        .select_from(ties)
        .join(Sale, is_theirs)
        .outerjoin(SaleUndo, is_undone)
        .where(Sale.service_day.between(first, last))
        .scalar_subquery()
    )


def sittings_over(ties: CTE, *, local_time: time) -> ScalarSelect[int]:
    """How many sittings of the schools of ``ties`` are over at ``local_time``."""
    return _sittings(ties, Sitting.closes_at <= local_time)


def sittings_now(ties: CTE, *, today: date, lately: time, soon: time) -> ScalarSelect[int]:
    """How many sittings of the schools of ``ties`` have begun by ``soon`` and were not over ``lately``."""
    is_held = or_(Sitting.ended_on.is_(None), Sitting.ended_on > today)
    return _sittings(ties, is_held, Sitting.opens_at <= soon, Sitting.closes_at >= lately)


def _sittings(ties: CTE, *conditions: object) -> ScalarSelect[int]:
    theirs = Sitting.school_id.in_(select(ties.c.school_id))
    return select(func.count()).select_from(Sitting).where(theirs, *conditions).scalar_subquery()  # type: ignore[arg-type]
