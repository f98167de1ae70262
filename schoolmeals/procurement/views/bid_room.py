"""The room in which a supplier makes a bid. What is typed there stays in the browser, encrypted, until it is sealed.

The page is made here with everything that can be chosen; ``static/js/bid_room.js`` keeps the draft, seals and sends.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import jsonify, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import reading
from schoolmeals.errors import NotFound
from schoolmeals.identity import OrganisationFacts
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions.bidding import PARTS_AT_ONCE
from schoolmeals.procurement.bid_words import HOW, PARTS, RECEIPT_NAMES, TEXTS
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries import suppliers as supplier_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.suppliers import Ledger, OwnStaff
from schoolmeals.procurement.rules.bid_form import FORM, FORMAT
from schoolmeals.procurement.rules.bids import PART_BYTES, files_until, key_set_of
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import published_keys
from schoolmeals.procurement.sealing.faults import SENTENCES
from schoolmeals.procurement.views.bids import bid_json, bids_of
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.supplier_frame import SUPPLIERS, shown_day
from schoolmeals.procurement.words import CHOICE_NAMES, EVIDENCE_NAMES
from schoolmeals.web import actor, guard, language, now, render
from schoolmeals.web.formats import money

CURRENCY: Final = "KZT"


@pages.get("/tenders/<uuid:tender_id>/bid")
@guard(SUPPLIERS)
def bid_room(tender_id: UUID) -> Any:
    """The task list of a bid for one lot, and what was submitted. ``?for=`` names the supplier, ``?lot=`` the lot."""
    with reading(actor(), now()) as look:
        view = tender_queries.tender(look, tender_id)
        version = tender_queries.version(look, tender_id)
        mine = supplier_queries.my_suppliers(look)
        own = next((one for one in mine if str(one.id) == request.args.get("for", "")), mine[0])
        kept = supplier_queries.ledger(look, own.id)
        ledger = _ledger(kept)
    document = version.document
    lot = _lot_of(document)
    term = view.terms.get("bidding")
    if term is None:
        return redirect(url_for("procurement.tender", tender_id=tender_id), code=303)
    profile = view.profile
    return render(
        "procurement/bid_room.html",
        tender_id=tender_id,
        title=showing.said(view.line.title),
        stage=showing.stage_tag(view.line.stage),
        takes_bids=view.line.stage is TenderStage.BIDDING,
        may_disclose=view.line.stage in (TenderStage.OPENING, TenderStage.EVALUATION),
        until=term.until,
        left=showing.time_left(term.until, now()),
        files_until=files_until(term.until, profile),
        own=own,
        own_name=own.name(language()),
        suppliers=[(one.id, one.name(language())) for one in mine],
        lot={"id": lot["id"], "school": showing.said(lot["school"]["name"]), "position": lot["position"]},
        lots=[(one["id"], showing.said(one["school"]["name"])) for one in document["lots"]],
        posts=_posts(lot),
        domestic=(lot["sections"].get("origin") or {}).get("domestic_percent"),
        items=_items(lot),
        fixed_price=profile.json["price_mode"] == "fixed",
        demands=_demands(profile),
        criteria=_criteria(profile),
        envelopes=profile.json["envelopes"],
        is_catering=profile.purpose == "catering",
        parts=_parts(profile),
        ledger=ledger,
        version=version.version,
    )


@pages.get("/tenders/<uuid:tender_id>/bid/room")
@guard(SUPPLIERS)
def bid_room_json(tender_id: UUID) -> Any:
    """What the browser needs to make and seal a bid: the form, the ledger, the keys, and what was submitted."""
    with reading(actor(), now()) as look:
        view = tender_queries.tender(look, tender_id)
        version = tender_queries.version(look, tender_id)
        mine = supplier_queries.my_suppliers(look)
        own = next((one for one in mine if str(one.id) == request.args.get("for", "")), None)
        if own is None:
            raise NotFound
        kept = supplier_queries.ledger(look, own.id)
        lines = _lines(kept)
    lot = _lot_of(version.document)
    answer = jsonify(
        {
            "format": FORMAT,
            "form": FORM.as_json(),
            "tender_id": str(tender_id),
            "lot_id": lot["id"],
            "version": version.version,
            "notice_sha256": version.sha256,
            "tenderer": _tenderer(own),
            "envelopes": list(view.profile.json["envelopes"]),
            "currency": CURRENCY,
            "items": {item["id"]: item["ceiling_minor"] for item in lot["items"]},
            "ceilings": {item["id"]: money(item["ceiling_minor"], CURRENCY, language()) for item in lot["items"]},
            "fixed_price": view.profile.json["price_mode"] == "fixed",
            **_keys(version.document),
            "part_bytes": PART_BYTES,
            "parts_at_once": PARTS_AT_ONCE,
            "ledger": lines,
            "bids": [bid_json(one) for one in bids_of(tender_id, own.id) if str(one.lot_id) == lot["id"]],
            "texts": _texts(),
        }
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/tenders/<uuid:tender_id>/bid/receipts")
@guard(SUPPLIERS)
def bid_receipts(tender_id: UUID) -> Any:
    """Every receipt of a supplier for a tender, to be printed or kept as files."""
    with reading(actor(), now()) as look:
        view = tender_queries.tender(look, tender_id)
        version = tender_queries.version(look, tender_id)
        mine = supplier_queries.my_suppliers(look)
    own = next((one for one in mine if str(one.id) == request.args.get("for", "")), mine[0])
    schools = {lot["id"]: showing.said(lot["school"]["name"]) for lot in version.document["lots"]}
    receipts = [
        {
            "id": receipt.row_id,
            "kind": gettext(RECEIPT_NAMES[receipt.kind.value]),
            "lot": schools.get(str(bid.lot_id), ""),
            "at": receipt.received_at,
            "bid_id": receipt.bid_id,
            "digest": receipt.digest,
            "signature": receipt.signature.hex(),
        }
        for bid in bids_of(tender_id, own.id)
        for receipt in reversed(bid.receipts)
    ]
    return render(
        "procurement/bid_receipts.html",
        tender_id=tender_id,
        title=showing.said(view.line.title),
        number=version.document["number"],
        own=own,
        own_name=own.name(language()),
        receipts=receipts,
    )


def _tenderer(own: OrganisationFacts) -> dict[str, str]:
    return {
        "organisation_id": str(own.id),
        "name": own.name_kk,
        "scheme": own.identifier_scheme or "OWN-ID",
        "identifier": own.identifier or str(own.id),
    }


def _keys(document: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that the notice publishes, and whose they are."""
    keys = key_set_of(document)
    return {
        "key_set": b64encode(keys.to_bytes()).decode(),
        "key_set_sha256": keys.sha256,
        "published": b64encode(published_keys(keys).to_bytes()).decode(),
        "members": {one["seat_id"]: one["name"] for one in document["commission"]["members"]},
    }


def _parts(profile: Profile) -> list[tuple[str, str]]:
    """The tasks of a bid, in their order."""
    of_meals = () if profile.purpose == "catering" else ("staff", "menu")
    found = [(code, gettext(name)) for code, name in PARTS.items() if code not in of_meals]
    return [one for one in found if one[0] != "criteria" or _criteria(profile)]


def _lot_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The lot that the address names, or the first. Raises NotFound."""
    lots: list[Mapping[str, Any]] = document["lots"]
    wanted = request.args.get("lot")
    found = next((one for one in lots if wanted in (None, "", one["id"])), None)
    if found is None:
        raise NotFound
    return found


def _items(lot: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": item["id"],
            "name": showing.item_name(item),
            "quantity": item["quantity"],
            "ceiling_minor": item["ceiling_minor"],
        }
        for item in lot["items"]
    ]


def _posts(lot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The staff that the lot asks for."""
    return [
        {
            "post": one["post"],
            "name": _choice(one["post"]),
            "count": one["count"],
            "fte_percent": one["fte_percent"],
            "grade": one.get("grade"),
            "education": _choice(one.get("education")),
        }
        for one in (lot["sections"].get("staff") or {}).get("posts", [])
    ]


def _choice(code: str | None) -> str:
    return str(gettext(CHOICE_NAMES[code])) if code else ""


def _demands(profile: Profile) -> list[dict[str, Any]]:
    """What is asked of whoever bids, with the law, and how it is judged."""
    return [
        {
            "code": one.code,
            "name": showing.said(one.name),
            "how": gettext(HOW[one.check.split(":", 1)[0]]),
            "is_declared": one.check == "declared",
            "takes_papers": one.check == "evidence",
            "law": showing.said(one.legal_ref),
            "verified": one.verified,
        }
        for one in profile.requirements
    ]


def _criteria(profile: Profile) -> list[dict[str, Any]]:
    """What points are given for, and by which papers they are proved; what the price alone decides is left out."""
    return [
        {
            "code": one.code,
            "name": showing.said(one.name),
            "most": showing.shown_number(one.most),
            "papers": ", ".join(gettext(EVIDENCE_NAMES[kind]) for kind in one.evidence if kind in EVIDENCE_NAMES),
            "verified": one.most.verified,
            "law": showing.said(one.most.legal_ref),
        }
        for one in profile.criteria
        if one.evidence and one.code not in FROM_LEDGER
    ]


def _ledger(kept: Ledger) -> dict[str, list[dict[str, Any]]]:
    """What can be chosen, in words."""
    papers = [{"id": one.sha256, "name": one.title, "text": gettext(EVIDENCE_NAMES[one.kind])} for one in kept.evidence]
    return {
        "staff": [_staff_choice(one) for one in kept.staff],
        "equipment": [_choice_of(one, one.name, gettext("%(count)s pcs", count=one.count)) for one in kept.equipment],
        "experience": [
            _choice_of(one, one.customer, f"{one.subject}, {shown_day(one.starts_on)} - {shown_day(one.ends_on)}")
            for one in kept.experience
        ],
        "taxes": [_choice_of(one, str(one.year), one.region) for one in kept.taxes],
        "papers": papers,
    }


def _staff_choice(own: OwnStaff) -> dict[str, Any]:
    one = own.facts
    grade = gettext("grade %(grade)s", grade=one.grade) if one.grade is not None else ""
    words = (_choice(one.post), grade, gettext("%(percent)s %% of the time", percent=one.fte_percent))
    return _choice_of(one, one.name, ", ".join(word for word in words if word)) | {"overloaded": own.overloaded}


def _choice_of(row: Any, name: str, text: str) -> dict[str, Any]:
    return {"id": row.id, "name": name, "text": text, "proofs": len(row.evidence)}


def _lines(kept: Ledger) -> dict[str, dict[str, Any]]:
    """The ledger's lines by id, as a bid has them; of papers that were removed nothing is left."""
    there = {one.sha256 for one in kept.evidence}
    staff = {"staff_id": "id", **{name: name for name in STAFF_FIELDS}}
    people = [one.facts for one in kept.staff]
    return {
        "staff": {str(one.id): _line(one, staff, there) for one in people},
        "equipment": {str(one.id): _line(one, EQUIPMENT_FIELDS, there) for one in kept.equipment},
        "experience": {str(one.id): _line(one, EXPERIENCE_FIELDS, there) for one in kept.experience},
        "taxes": {str(one.id): _line(one, TAX_FIELDS, there) for one in kept.taxes},
        "papers": {one.sha256: _line(one, PAPER_FIELDS, None) for one in kept.evidence},
    }


def _line(row: Any, names: Mapping[str, str], there: set[str] | None) -> dict[str, Any]:
    """A row as JSON, by the names that a bid gives its columns, with those of its papers that are ``there``."""
    line = {name: _plain(getattr(row, column)) for name, column in names.items()}
    return line if there is None else line | {"evidence": [one for one in row.evidence if one in there]}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _texts() -> dict[str, str]:
    """What the script says, in the reader's language."""
    faults = {f"fault-{code.value}": gettext(sentence) for code, sentence in SENTENCES.items()}
    return faults | {code: gettext(text) for code, text in TEXTS.items()}


FROM_LEDGER: Final = frozenset({"experience", "regional-tax", "cooks-grade", "technologist", "dietitian"})
"""Criteria that are judged by the lists of people, experience and taxes; their papers are those of the lines."""


STAFF_FIELDS: Final = ("person_key", "name", "post", "grade", "education", "fte_percent")
EQUIPMENT_FIELDS: Final = {"equipment_id": "id", "name": "name", "count": "count", "owned": "owned"}
EXPERIENCE_FIELDS: Final = {name: name for name in ("customer", "public", "subject", "starts_on", "ends_on")}
TAX_FIELDS: Final = {"year": "year", "region": "region"}
PAPER_FIELDS: Final = {"file": "file_name", "media_type": "media_type", "valid_until": "valid_until"}
