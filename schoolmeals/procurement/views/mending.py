"""A supplier answers the commission: mending a bid, and explaining an abnormally low price."""

from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import admission, low_prices
from schoolmeals.procurement.actions.admission import MendingFile
from schoolmeals.procurement.queries.admission import fix_task
from schoolmeals.procurement.queries.evaluation import low_price_task
from schoolmeals.procurement.showing import said
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.table_frame import uuid_of
from schoolmeals.web import actor, guard, now, render, roles

SUPPLIERS: Final = roles(Role.SUPPLIER)
MEND: Final = "procurement/mend.html"
PRICE: Final = "procurement/low_price.html"


@pages.get("/tenders/<uuid:tender_id>/bids/<uuid:bid_id>/mend")
@guard(SUPPLIERS)
def mend(tender_id: UUID, bid_id: UUID) -> Any:
    """What the commission asks to be mended, and the answer."""
    return render(MEND, **_mend(tender_id, bid_id))


@pages.post("/tenders/<uuid:tender_id>/bids/<uuid:bid_id>/mend")
@guard(SUPPLIERS)
def send_mended(tender_id: UUID, bid_id: UUID) -> Any:
    """Answer, once."""
    try:
        with transaction(actor(), now()) as work:
            _answer(work, tender_id, bid_id)
    except Refusal as refusal:
        return again(refusal, MEND, **(_mend(tender_id, bid_id) | {"typed": request.form}))
    flash(gettext("Your answer has reached the commission."), "good")
    return redirect(url_for("procurement.mend", tender_id=tender_id, bid_id=bid_id), code=303)


@pages.get("/tenders/<uuid:tender_id>/bids/<uuid:bid_id>/low-price")
@guard(SUPPLIERS)
def low_price(tender_id: UUID, bid_id: UUID) -> Any:
    """Why the price must be explained, and the explanation."""
    return render(PRICE, **_price(tender_id, bid_id))


@pages.post("/tenders/<uuid:tender_id>/bids/<uuid:bid_id>/low-price")
@guard(SUPPLIERS)
def explain_price(tender_id: UUID, bid_id: UUID) -> Any:
    """Explain, once."""
    try:
        with transaction(actor(), now()) as work:
            low_prices.explain_low_price(work, tender_id, bid_id, request.form.get("text", ""))
    except Refusal as refusal:
        return again(refusal, PRICE, **(_price(tender_id, bid_id) | {"typed": request.form}))
    flash(gettext("Your explanation has reached the commission."), "good")
    return redirect(url_for("procurement.low_price", tender_id=tender_id, bid_id=bid_id), code=303)


def _answer(work: Work, tender_id: UUID, bid_id: UUID) -> None:
    task = fix_task(work, tender_id, bid_id)
    files = [
        MendingFile(one.code, file.filename or one.code, file.mimetype, file.read())
        for one in task.requirements
        for file in request.files.getlist(f"file-{one.code}")
        if file.filename
    ]
    answer_id = uuid_of(request.form.get("answer_id", ""))
    admission.give_fix(work, tender_id, bid_id, request.form.get("text", ""), files, answer_id=answer_id)


def _mend(tender_id: UUID, bid_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        task = fix_task(look, tender_id, bid_id)
    return {
        "task": task,
        "tender_id": tender_id,
        "bid_id": bid_id,
        "title": said(task.title),
        "requirements": [(one.code, said(one.name)) for one in task.requirements],
        "answer_id": request.form.get("answer_id") or new_id(now()),
        "typed": {},
        "errors": {},
    }


def _price(tender_id: UUID, bid_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        task = low_price_task(look, tender_id, bid_id)
    return {
        "task": task,
        "tender_id": tender_id,
        "bid_id": bid_id,
        "title": said(task.title),
        "typed": {},
        "errors": {},
    }
