"""What a bidder's browser sends: manifests, pieces of sealed files, the word that a bid is withdrawn or still holds.

Everything here speaks JSON to ``static/js/bid_room.js``. Nothing of it can be read before the opening, here or in logs.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import jsonify, request

from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import bidding
from schoolmeals.procurement.queries.bids import OwnBid, own_bids
from schoolmeals.procurement.rows import Receipt, ServerKeys
from schoolmeals.procurement.showing import when
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.members import told_refusal
from schoolmeals.procurement.views.openings import legal
from schoolmeals.procurement.views.supplier_frame import SUPPLIERS
from schoolmeals.web import actor, guard, now, settings
from schoolmeals.web.formats import machine_time

MANIFEST_MOST: Final = 65_536


@pages.post("/tenders/<uuid:tender_id>/bid/manifest")
@guard(SUPPLIERS)
def send_manifest(tender_id: UUID) -> Any:
    """Submit a bid, or replace the one that stands: the legal act. Answers with the receipt."""
    try:
        told = _told()
        manifest = b64decode(str(told.get("manifest", ""))[:MANIFEST_MOST], validate=True)
        deed = bidding.replace_bid if told.get("replaces") is True else bidding.submit_bid
        with transaction(actor(), now()) as work:
            receipt = deed(work, tender_id, _id(told, "organisation_id"), manifest, **legal())
    except ValueError:
        return told_refusal(Invalid("not-a-request", NOT_A_REQUEST))
    except Refusal as refusal:
        return told_refusal(refusal)
    return jsonify(receipt_json(receipt))


@pages.post("/tenders/<uuid:tender_id>/bid/<bid_step>")
@guard(SUPPLIERS)
def say_of_bid(tender_id: UUID, bid_step: str) -> Any:
    """Withdraw the bid that stands, or confirm it for the tender as amended. Answers with the receipt."""
    if bid_step not in _SAYS:
        raise NotFound
    try:
        told = _told()
        about = (tender_id, _id(told, "organisation_id"), _id(told, "bid_id"))
        with transaction(actor(), now()) as work:
            receipt = _SAYS[bid_step](work, *about, request_id=_id(told, "request_id"), **legal())
    except Refusal as refusal:
        return told_refusal(refusal)
    return jsonify(receipt_json(receipt))


@pages.post("/tenders/<uuid:tender_id>/bid/part")
@guard(SUPPLIERS)
def send_part(tender_id: UUID) -> Any:
    """Take pieces of a sealed file; the query says which. Answers with the numbers of those that are missing."""
    asked = dict(request.args.items())
    try:
        first = asked.get("first", "")
        if not first.isascii() or not first.isdigit() or len(first) > 6:
            raise Invalid("not-a-request", NOT_A_REQUEST)
        about = (tender_id, _id(asked, "organisation_id"), _id(asked, "bid_id"), asked.get("envelope", ""), int(first))
        content = request.get_data(cache=False)
        with transaction(actor(), now()) as work:
            progress = bidding.receive_part(work, *about, content, **legal())
    except Refusal as refusal:
        return told_refusal(refusal)
    return jsonify({"missing": list(progress.missing), "fault": progress.fault})


@pages.get("/tenders/<uuid:tender_id>/bid/own")
@guard(SUPPLIERS)
def own_bids_json(tender_id: UUID) -> Any:
    """What a supplier has submitted, with what has not arrived yet."""
    try:
        found = bids_of(tender_id, _id(dict(request.args.items()), "organisation_id"))
    except Invalid as refusal:
        return told_refusal(refusal)
    return jsonify({"bids": [bid_json(one) for one in found]})


@pages.get("/tenders/<uuid:tender_id>/bid/receipt/<uuid:receipt_id>")
@guard(SUPPLIERS)
def receipt_file(tender_id: UUID, receipt_id: UUID) -> Any:
    """A receipt as a file: the signed text, the signature, and the key that anybody checks it with."""
    asked = dict(request.args.items())
    try:
        found = bids_of(tender_id, _id(asked, "organisation_id"))
    except Invalid as error:
        raise NotFound from error
    receipt = next((one for bid in found for one in bid.receipts if one.row_id == receipt_id), None)
    if receipt is None:
        raise NotFound
    answer = jsonify(receipt_json(receipt))
    answer.headers["Content-Disposition"] = f'attachment; filename="receipt-{receipt.bid_id}.json"'
    return answer


def bids_of(tender_id: UUID, organisation_id: UUID) -> list[OwnBid]:
    """One's own bids. Raises NotFound."""
    with reading(actor(), now()) as look:
        return own_bids(look, tender_id, organisation_id, keys=ServerKeys.of(settings().secret_key))


def receipt_json(receipt: Receipt) -> dict[str, str]:
    """A receipt; ``text`` is what was signed (Ed25519), byte for byte."""
    return {
        "row_id": str(receipt.row_id),
        "kind": receipt.kind.value,
        "bid_id": str(receipt.bid_id),
        "digest": receipt.digest,
        "received_at": receipt.received_at.isoformat().replace("+00:00", "Z"),
        "text": b64encode(receipt.text).decode(),
        "signature": receipt.signature.hex(),
        "public_key": ServerKeys.of(settings().secret_key).receipt_public.hex(),
    }


def bid_json(bid: OwnBid) -> dict[str, Any]:
    """A bid of one's own."""
    return {
        "lot_id": str(bid.lot_id),
        "bid_id": str(bid.bid_id) if bid.bid_id is not None else None,
        "manifest_sha256": bid.manifest_sha256,
        "needs_confirmation": bid.needs_confirmation,
        "missing": {name: list(numbers) for name, numbers in bid.missing.items()},
        "receipts": [receipt_json(one) | {"shown_at": shown_time(one)} for one in bid.receipts],
    }


def shown_time(receipt: Receipt) -> str:
    """The legal time as people write it, and to the second in UTC."""
    return f"{when(receipt.received_at)} ({machine_time(receipt.received_at)})"


def _told() -> dict[str, Any]:
    told = request.get_json(silent=True)
    if not isinstance(told, dict):
        raise Invalid("not-a-request", NOT_A_REQUEST)
    return told


def _id(told: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(str(told.get(name)))
    except ValueError as error:
        raise Invalid("not-a-request", NOT_A_REQUEST) from error


_SAYS: Final[dict[str, Callable[..., Receipt]]] = {
    "withdraw": bidding.withdraw_bid,
    "confirm": bidding.confirm_bid,
}
NOT_A_REQUEST: Final = N_("This cannot be read. Load the page again.")
