"""Finding and locking top-ups; what actions and queries share."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, select

from schoolmeals.asking import Question, nothing
from schoolmeals.database import Work, text_of
from schoolmeals.errors import NotFound
from schoolmeals.wallet.models import Purse, TopUp
from schoolmeals.wallet.rules import TopUpFacts

_FIELDS: Final = tuple(TopUpFacts.__dataclass_fields__)

_ID: Final = bindparam("id", type_=Uuid())

_WRITTEN_ONCE: Final = """
    INSERT INTO top_up (school_id, id, purse_id, amount_minor, currency, method, intended_by, intended_at, language,
                        receipt_no, settled_at)
    VALUES (%(school_id)s, %(id)s, %(purse_id)s, %(amount_minor)s, %(currency)s, %(method)s, %(intended_by)s,
            %(intended_at)s, %(language)s, %(receipt_no)s, %(settled_at)s)
        ON CONFLICT (school_id, id) DO NOTHING
    RETURNING id
"""


def top_ups() -> Select[Any]:
    """A statement for top-ups with the pupils whose purses they fill; hand its rows to :func:`as_facts`."""
    return select(*[Purse.pupil_id if name == "pupil_id" else getattr(TopUp, name) for name in _FIELDS]).join_from(
        TopUp, Purse, (Purse.school_id == TopUp.school_id) & (Purse.id == TopUp.purse_id)
    )


def as_facts(rows: Sequence[Any]) -> list[TopUpFacts]:
    """The rows of :func:`top_ups` as facts."""
    return [TopUpFacts(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


def finding(school_id: UUID, top_up_id: UUID, *, is_locked: bool = False) -> Question[TopUpFacts | None]:
    """What asks for a top-up."""
    statement = _by_id(is_locked=is_locked)
    return Question(
        statement, {"school_id": school_id, "id": top_up_id}, lambda rows: as_facts(rows)[0] if rows else None
    )


def lock_top_up(work: Work, school_id: UUID, top_up_id: UUID) -> TopUpFacts:
    """A top-up, locked until the end of the deed. Raises NotFound."""
    locking = finding(school_id, top_up_id, is_locked=True)
    work.ask(locking)
    if locking.answer is None:
        raise NotFound("no-such-top-up")
    return locking.answer


def write_once(
    work: Work,
    school_id: UUID,
    top_up_id: UUID,
    *,
    purse_id: UUID,
    amount_minor: int,
    currency: str,
    method: str,
    language: str | None = None,
    receipt_no: int | None = None,
    settled_at: datetime | None = None,
) -> tuple[bool, TopUpFacts]:
    """Write a top-up where its id is new, and give whether it was and what is stored. Waits for somebody who is just
    writing the same id.
    """
    values = {
        "school_id": school_id,
        "id": top_up_id,
        "purse_id": purse_id,
        "amount_minor": amount_minor,
        "currency": currency,
        "method": method,
        "intended_by": work.actor.id,
        "intended_at": work.now,
        "language": language,
        "receipt_no": receipt_no,
        "settled_at": settled_at,
    }
    writing, stored = Question(_WRITTEN_ONCE, values, bool), finding(school_id, top_up_id)
    work.ask(writing, stored)
    assert stored.answer is not None, "it was just written, by us or by somebody else"
    return writing.answer, stored.answer


def change(work: Work, top_up: TopUpFacts, **values: object) -> None:
    """Write other values of a locked top-up."""
    where = {"school_id": top_up.school_id, "id": top_up.id}
    work.ask_last([Question(_changed(tuple(values)), {**values, **where}, nothing)])


def lock_named(work: Work, top_up_id: UUID | None) -> list[TopUpFacts]:
    """The top-ups with an id that a provider names, in any school, locked. Ids are made by callers, so two are possible
    where somebody tries.
    """
    if top_up_id is None:
        return []
    named = Question(_by_id_alone(), {"id": top_up_id}, as_facts)
    work.ask(named)
    return named.answer


@cache
def _by_id(*, is_locked: bool) -> str:
    """The statement for one top-up as a text that is sent as it is: every deed with a top-up looks, some twice."""
    wanted = top_ups().where(TopUp.school_id == bindparam("school_id", type_=Uuid()), TopUp.id == _ID)
    return text_of(wanted.with_for_update(of=TopUp) if is_locked else wanted)


@cache
def _by_id_alone() -> str:
    return text_of(top_ups().where(TopUp.id == _ID).order_by(TopUp.school_id).with_for_update(of=TopUp))


@lru_cache(maxsize=32)
def _changed(names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{name} = %({name})s" for name in names)
    return f"UPDATE top_up SET {columns} WHERE school_id = %(school_id)s AND id = %(id)s"  # noqa: S608 (our own words)
