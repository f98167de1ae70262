"""The till's doors. Whatever changes something is signed with the device's own key over the body's very bytes."""

import hashlib
import json
from functools import lru_cache, partial
from typing import Any, Final

from flask import Response, request
from flask.views import MethodView
from flask_babel import force_locale, gettext
from sqlalchemy.exc import IntegrityError

from schoolmeals import identity
from schoolmeals.actors import Actor
from schoolmeals.canteen import till_json, till_queries
from schoolmeals.canteen.actions.taps import ring_up
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.api.blueprint import api, photo_url
from schoolmeals.canteen.orders import Answer, Order
from schoolmeals.canteen.till_schemas import (
    AnswersSchema,
    TapsSchema,
    TillPupilsSchema,
    TillStateSchema,
    UndoneSchema,
    UndoSchema,
)
from schoolmeals.canteen.words import allergen_words
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Conflict, Invalid, NotAllowed
from schoolmeals.keys import derive_key
from schoolmeals.web import DEVICE, actor, frame, guard, language, now, settings
from schoolmeals.web.security import exempt_from_csrf

LARGEST_BODY: Final = 1_000_000
CARD_NUMBERS: Final = "pupils card numbers"
"""What the key under which the roll keeps card numbers is derived for."""
SIGNATURE: Final = {
    "in": "header",
    "name": "X-Device-Signature",
    "required": True,
    "schema": {"type": "string", "maxLength": 200},
    "description": "ECDSA P-256 over the body, r and s as WebCrypto makes them, base64url",
}


@api.route("/till/taps")
class Taps(MethodView):
    """Taps of a till."""

    @exempt_from_csrf
    @identity.remembers_till
    @guard(DEVICE)
    @api.doc(
        parameters=[SIGNATURE],
        requestBody={"required": True, "content": {"application/json": {"schema": TapsSchema}}},
    )
    @api.response(200, AnswersSchema)
    @api.alt_response(403, description="no shift is open, or the signature is not the till's")
    @api.alt_response(409, description="another till is sending the same taps at this moment; send them again")
    @api.alt_response(413, description="more than 1 MB")
    @api.alt_response(422, description="not 1 to 200 taps")
    def post(self) -> Any:
        """Ring up 1 to 200 taps, each by itself: one answer for each, in their order.

        Send the same taps again after a broken connection: what is known is answered as before (``replayed``). A tap
        that cannot be read gets ``E01``, other content under a known id ``E04``; neither is kept, and neither stops the
        others.
        """
        try:
            device, told = _answered()
        except identity.TillChanged:
            identity.look_again()
            DEVICE.check(actor())
            device, told = _answered()
        photo = partial(photo_url, device.school_id)
        return _as_json(till_json.answers_json(told, now(), photo, _speak))


@api.route("/till/undo")
class Undo(MethodView):
    """Taking a sale back."""

    @exempt_from_csrf
    @guard(DEVICE)
    @api.doc(parameters=[SIGNATURE])
    @api.arguments(UndoSchema)
    @api.response(200, UndoneSchema)
    @api.alt_response(403, description="no shift is open, or the signature is not the till's")
    @api.alt_response(404, description="no sale of this till")
    @api.alt_response(409, description="more than five minutes ago, refused in the first place, or taken back already")
    def post(self, wish: dict[str, Any]) -> Any:
        """Take a sale of this till back within five minutes. The same ``undo_id`` again is the same undo."""
        device = _signed_by_open_till()
        with transaction(actor(), now()) as work:
            return undo_sale(work, device.school_id, wish["sale_id"], undo_id=wish["undo_id"], reason=wish["reason"])


@api.route("/till/state")
class State(MethodView):
    """What the till's page shows besides answers."""

    @guard(DEVICE)
    @api.response(200, TillStateSchema)
    @api.alt_response(304, description="nothing has changed since the ETag of If-None-Match")
    @api.alt_response(403, description="no shift is open")
    def get(self) -> Any:
        """Sittings and menus of today, counts, and the till's last five sales."""
        device = _open_till(actor())
        with reading(actor(), now()) as look:
            state = till_queries.till_state(look, device, frame().zone)
        told: dict[str, Any] = TillStateSchema().dump(state)
        return _conditional(told, without="as_of")


@api.route("/till/pupils")
class Pupils(MethodView):
    """Whom the till may look for by class and name."""

    @guard(DEVICE)
    @api.response(200, TillPupilsSchema)
    @api.alt_response(304, description="nothing has changed since the ETag of If-None-Match")
    @api.alt_response(403, description="no shift is open")
    def get(self) -> Any:
        """The school's classes with their pupils: name, photo and what they must not eat."""
        device = _open_till(actor())
        with reading(actor(), now()) as look:
            classes = till_queries.till_classes(look, device.school_id, partial(photo_url, device.school_id))
        return _conditional({"classes": classes})


def _answered() -> tuple[identity.DeviceFacts, list[Answer | till_json.Unreadable]]:
    """The till, and the answers to what it sends. Raises TillChanged, where it was remembered otherwise than it is."""
    device = _signed_by_open_till()
    read = till_json.read_taps(_json_body(), derive_key(settings().secret_key, CARD_NUMBERS))
    orders = [one for one in read if isinstance(one, Order)]
    if not orders and identity.standing_question() is not None:
        # No deed will ask whether the till still stands.
        raise identity.TillChanged
    answers = iter(_ring_up(orders, device) if orders else ())
    return device, [next(answers) if isinstance(one, Order) else one for one in read]


def _ring_up(orders: list[Order], device: identity.DeviceFacts) -> list[Answer]:
    try:
        with transaction(actor(), now()) as work:
            return ring_up(work, orders, device=device, zone=frame().zone, standing=identity.standing_question())
    except IntegrityError as error:
        # A till's own requests wait for each other. What meets here is one id from two tills at the same instant.
        raise Conflict("taps-collide", N_("Another till is sending the same. Try again.")) from error


def _open_till(who: Actor) -> identity.DeviceFacts:
    """The till that asks, where a cashier has opened it. Raises NotAllowed."""
    device = identity.present_device()
    if device is None or who.cashier_id is None:
        raise NotAllowed("no-shift", N_("Open the till with your PIN first."))
    return device


def _signed_by_open_till() -> identity.DeviceFacts:
    device = _open_till(actor())
    if (request.content_length or 0) > LARGEST_BODY:
        raise Invalid("too-large", N_("Send fewer taps at once."))
    try:
        signature = identity.signature_bytes(request.headers.get("X-Device-Signature", ""))
    except ValueError:
        signature = b""
    if device.public_key is None or not identity.verify_signature(device.public_key, request.get_data(), signature):
        if identity.standing_question() is not None:
            raise identity.TillChanged
        raise NotAllowed("signature-wrong", N_("This till's signature is not right. Enrol the till again."))
    return device


def _json_body() -> Any:
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None


def _speak(sentence: str, facts: Any) -> str:
    """A sentence in the till's language, with allergens by their names."""
    spoken = _in_words(language(), sentence)
    if not facts:
        return spoken
    told = {name: allergen_words(one) if isinstance(one, list) else one for name, one in facts.items()}
    return spoken % told


@lru_cache(maxsize=256)
def _in_words(spoken: str, sentence: str) -> str:
    """One of the till's few sentences in a language; looked up once."""
    with force_locale(spoken):
        return str(gettext(sentence))


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _as_json(body: dict[str, Any]) -> Response:
    return Response(_ENCODER.encode(body), mimetype="application/json")


def _conditional(body: dict[str, Any], without: str = "") -> Response:
    """``body`` with an ETag over all of it but ``without``; 304 where the till has it already."""
    steady = {name: value for name, value in body.items() if name != without}
    answer = _as_json(body)
    answer.set_etag(hashlib.sha256(json.dumps(steady, sort_keys=True).encode()).hexdigest()[:32], weak=True)
    # The page may keep it, but asks each time whether it still holds.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    return answer
