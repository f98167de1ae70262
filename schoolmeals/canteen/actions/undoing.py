"""Taking a sale back: by the till within five minutes, later by the school office with a reason. Once."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import audit, identity, ledger, wallet
from schoolmeals.actors import ActorKind, Role
from schoolmeals.canteen.models import Sale, SaleUndo
from schoolmeals.canteen.orders import SERVED
from schoolmeals.canteen.rules import UNDO_BY_CASHIER
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.ledger import Entry, Movement
from schoolmeals.money import Money

REASON_LENGTH: Final = 200


def undo_sale(work: Work, school_id: UUID, sale_id: UUID, *, undo_id: UUID, reason: str = "") -> SaleUndo:
    """Take a sale back with a reversal in the books, under ``undo_id``, which the caller makes.

    A device takes back its own sales within five minutes; the school office any, with a reason. The same ``undo_id``
    sent again gives the stored undo. Raises NotFound, NotNow ``too-late-to-undo`` and ``not-sold``, Conflict ``already-
    undone`` and ``undo-differs``, Invalid ``reason-needed``.
    """
    sale = _sale_of_actor(work, school_id, sale_id)
    # The purse's lock is what makes the second of two undoings wait and then see the first.
    purses = wallet.lock_purses(work, school_id, [sale.pupil_id] if sale.pupil_id else [])
    if (standing := _standing(work, school_id, sale_id, undo_id)) is not None:
        return standing
    _check(work, sale, reason)
    undo = SaleUndo(
        school_id=school_id,
        id=undo_id,
        sale_id=sale_id,
        undone_by=work.actor.cashier_id or work.actor.id,
        undone_at=work.now,
        reason=reason.strip(),
    )
    if sale.entry_id is not None:
        ledger.reverse(work, school_id, sale.entry_id, reversal_id=undo_id, kind="sale-undone")
        if sale.pupil_id is not None:
            _settle_grace(work, school_id, purses[sale.pupil_id], sale.grace_minor)
    work.session.add(undo)
    payload = {"sale_id": sale_id, "total_minor": sale.total_minor}
    subject = audit.Subject("sale", sale_id)
    audit.record(work, "canteen.undo_sale", subject, payload, school_id=school_id, personal={"reason": undo.reason})
    return undo


def _sale_of_actor(work: Work, school_id: UUID, sale_id: UUID) -> Sale:
    """The sale, where the actor may take it back at all. Raises NotFound."""
    sale = work.session.get(Sale, (school_id, sale_id))
    if work.actor.kind is ActorKind.DEVICE:
        if sale is None or work.actor.school_id != school_id or sale.device_id != work.actor.id:
            raise NotFound
        return sale
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
    if sale is None:
        raise NotFound
    return sale


def _standing(work: Work, school_id: UUID, sale_id: UUID, undo_id: UUID) -> SaleUndo | None:
    """The undo that was stored under this id. Raises Conflict where the id or the sale has another."""
    rows = work.session.scalars(
        select(SaleUndo).where(
            SaleUndo.school_id == school_id, (SaleUndo.sale_id == sale_id) | (SaleUndo.id == undo_id)
        )
    ).all()
    for row in rows:
        if row.id != undo_id:
            raise Conflict("already-undone", N_("This sale has already been taken back."))
        if row.sale_id != sale_id:
            raise Conflict("undo-differs", N_("This number was already used to take back another sale."))
    return rows[0] if rows else None


def _check(work: Work, sale: Sale, reason: str) -> None:
    if sale.verdict != SERVED:
        raise NotNow("not-sold", N_("Nothing was sold here, so there is nothing to take back."))
    if work.actor.kind is ActorKind.DEVICE:
        if work.now - sale.recorded_at > UNDO_BY_CASHIER:
            sentence = N_("More than five minutes have passed. The school office can take this back, with a reason.")
            raise NotNow("too-late-to-undo", sentence)
    elif not 0 < len(reason.strip()) <= REASON_LENGTH:
        problem = FieldProblem.of("reason-needed", N_("Write the reason, in up to 200 characters."))
        raise Invalid("reason-needed", fields={"reason": [problem]})


def _settle_grace(work: Work, school_id: UUID, purse: wallet.PurseState, grace_minor: int) -> None:
    """What a top-up has repaid of this meal's grace in the meantime belongs to the purse again, at once."""
    over = grace_minor - purse.grace.balance_minor
    if over <= 0:
        return
    movement = Movement(purse.grace.id, purse.money.id, Money(over, purse.money.currency))
    ledger.post(work, school_id, [Entry(new_id(work.now), "grace-settled", (movement,))], known_new=True)
