"""Tenders in the words of the Open Contracting Data Standard 1.1, with its lots, enquiries and bids extensions. Pure.

One release for each public act, never changed; a record puts a tender's releases and their sum together. A release says
the whole tender as it stood then, so that whoever reads only the last one misses nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schoolmeals.money import MINOR_DIGITS
from schoolmeals.procurement.documents import written
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.acts import PREPARATION, Act, ActKind, LotStage, TenderFacts, is_public
from schoolmeals.procurement.rules.stages import TenderStage, tender_stage

VERSION: Final = "1.1"
EXTENSIONS: Final = tuple(
    f"https://raw.githubusercontent.com/open-contracting-extensions/ocds_{name}_extension/v1.1.5/extension.json"
    for name in ("lots", "enquiry", "bid")
)
PUBLISHER: Final = "School meals"
TAGS: Final[Mapping[ActKind, str]] = {
    ActKind.PUBLISHED: "tender",
    ActKind.AMENDED: "tenderAmendment",
    ActKind.CANCELLED: "tenderCancellation",
    ActKind.AWARD_MADE: "award",
    ActKind.AWARDED: "awardUpdate",
    ActKind.AWARD_ENDED: "awardCancellation",
    ActKind.CONTRACT_MADE: "contract",
    ActKind.CONTRACT_SIGNED: "contractUpdate",
    ActKind.CONTRACT_ACTIVE: "contractUpdate",
    ActKind.CONTRACT_CHANGED: "contractAmendment",
    ActKind.CONTRACT_EXTENDED: "contractAmendment",
    ActKind.CONTRACT_TERMINATED: "contractTermination",
    ActKind.CONTRACT_COMPLETE: "contractUpdate",
}
"""Of all other public acts the tag is ``tenderUpdate``."""
_LOT_STATUS: Final = {
    LotStage.ACTIVE: "active",
    LotStage.AWARDED: "active",
    LotStage.CONTRACTED: "complete",
    LotStage.UNSUCCESSFUL: "unsuccessful",
    LotStage.CANCELLED: "cancelled",
}
_STATUS: Final = {
    TenderStage.CONTRACTING: "complete",
    TenderStage.COMPLETE: "complete",
    TenderStage.CANCELLED: "cancelled",
    TenderStage.UNSUCCESSFUL: "unsuccessful",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a release may tell beside the text: all of it is public when its act is. ``base`` is the site's address."""

    ocid: str
    base: str
    enquiries: Sequence[Mapping[str, Any]] = ()
    documents: Sequence[Mapping[str, Any]] = ()
    awards: Sequence[Mapping[str, Any]] = ()
    contracts: Sequence[Mapping[str, Any]] = ()
    suppliers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tenderers: Mapping[str, Mapping[str, Any]] | None = None
    """Who bids, by id; None until the bids are opened."""
    bids: Mapping[str, Any] | None = None
    amendments: Sequence[Mapping[str, Any]] = ()


def is_released(act: Act) -> bool:
    """Whether an act has a release: those of the public timeline since the publication."""
    return is_public(act.kind) and act.kind not in PREPARATION


def release(act: Act, facts: TenderFacts, document: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """The release of an act, after which the tender was ``facts`` and its text ``document``."""
    tag = TAGS.get(act.kind, "tenderUpdate")
    tags = ["planning", tag] if act.kind is ActKind.PUBLISHED else [tag]
    return _release(f"{told.ocid}-{act.number:06}", tags, act.at, facts, document, told)


def compiled(at: datetime, facts: TenderFacts, document: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """The sum of all releases: how the tender stands."""
    return _release(f"{told.ocid}-{written(at)}", ["compiled"], at, facts, document, told)


def release_package(releases: Sequence[Mapping[str, Any]], uri: str, at: datetime, base: str) -> dict[str, Any]:
    """Releases to be published together."""
    return {**_package(uri, at, base), "releases": list(releases)}


def record_package(
    ocid: str, releases: Sequence[Mapping[str, Any]], sum_of_all: Mapping[str, Any], uri: str, at: datetime, base: str
) -> dict[str, Any]:
    """One tender's record."""
    record = {"ocid": ocid, "releases": list(releases), "compiledRelease": dict(sum_of_all)}
    return {**_package(uri, at, base), "records": [record]}


def amount(minor: int, currency: str) -> dict[str, Any]:
    """A value. JSON numbers are written as decimals, never reckoned with."""
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(minor, 10**digits)
    return {"amount": json.loads(f"{whole}.{rest:0{digits}}") if rest else whole, "currency": currency}


def _package(uri: str, at: datetime, base: str) -> dict[str, Any]:
    return {
        "uri": uri,
        "publisher": {"name": PUBLISHER, "uri": base},
        "publishedDate": written(at),
        "version": VERSION,
        "extensions": list(EXTENSIONS),
    }


def _release(
    id: str, tags: list[str], at: datetime, facts: TenderFacts, document: Mapping[str, Any], told: Told
) -> dict[str, Any]:
    organiser = document["organiser"]
    found = {
        "ocid": told.ocid,
        "id": id,
        "date": written(at),
        "tag": tags,
        "initiationType": "tender",
        "language": "kk",
        "parties": _parties(document, told),
        "buyer": _reference(organiser),
        "planning": {"rationale": _said(document["sections"]["notice"].get("description"))},
        "tender": _tender(at, facts, document, told),
    }
    if told.bids is not None:
        found["bids"] = dict(told.bids)
    if told.awards:
        found["awards"] = list(told.awards)
    if told.contracts:
        found["contracts"] = list(told.contracts)
    return found


def _tender(at: datetime, facts: TenderFacts, document: Mapping[str, Any], told: Told) -> dict[str, Any]:
    profile, notice = Profile.from_json(document["profile"]), document["sections"]["notice"]
    totals = [_lot_total(lot) for lot in document["lots"]]
    found: dict[str, Any] = {
        "id": document["number"],
        **_texts("title", notice["title"]),
        **_texts("description", notice.get("description")),
        "status": _STATUS.get(tender_stage(facts.times, at), "active"),
        "procuringEntity": _reference(document["organiser"]),
        "value": amount(sum(totals), _currency(document)),
        "procurementMethod": "open",
        "procurementMethodDetails": _said(profile.name),
        "mainProcurementCategory": profile.json["main_category"],
        "awardCriteria": profile.json["award_criteria"],
        "submissionMethod": ["electronicSubmission"],
        "hasEnquiries": bool(told.enquiries),
        **_periods(facts, document),
        "lots": [_lot(lot, facts, total) for lot, total in zip(document["lots"], totals, strict=True)],
        "items": [_item(item, lot) for lot in document["lots"] for item in lot["items"]],
        "documents": [_notice_document(document, told), *told.documents],
    }
    if told.tenderers is not None:
        found["numberOfTenderers"] = len(told.tenderers)
        if told.tenderers:
            found["tenderers"] = [_reference(one) for one in told.tenderers.values()]
    for name, rows in (("enquiries", told.enquiries), ("amendments", told.amendments)):
        if rows:
            found[name] = list(rows)
    return found


def _periods(facts: TenderFacts, document: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, term in (("tenderPeriod", "bidding"), ("enquiryPeriod", "questions")):
        if term in facts.terms:
            one = facts.terms[term]
            found[name] = {"startDate": written(one.start), "endDate": written(one.until)}
    period = document["sections"].get("period") or {}
    if period.get("starts_on") and period.get("ends_on"):
        dates = {"startDate": period["starts_on"], "endDate": period["ends_on"]}
        found["contractPeriod"] = {name: f"{day}T00:00:00Z" for name, day in dates.items()}
    return found


def _lot(lot: Mapping[str, Any], facts: TenderFacts, total: int) -> dict[str, Any]:
    stage = next((one.stage for id, one in facts.lots.items() if str(id) == lot["id"]), LotStage.ACTIVE)
    return {
        "id": lot["id"],
        **_texts("title", lot["school"]["name"]),
        "status": _LOT_STATUS[stage],
        "value": amount(total, _currency({"lots": [lot]})),
    }


def _item(item: Mapping[str, Any], lot: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{item['meal']}, {item['age_group']}" if item["meal"] is not None else _said(item["goods"]["name"])
    unit = "meal" if item["meal"] is not None else str(item["goods"]["unit"])
    return {
        "id": item["id"],
        "description": name,
        "quantity": item["quantity"],
        "unit": {"name": unit, "value": amount(item["ceiling_minor"], item["currency"])},
        "relatedLot": lot["id"],
    }


def _notice_document(document: Mapping[str, Any], told: Told) -> dict[str, Any]:
    address = f"{told.base}/tenders/{document['tender_id']}/notice.json?version={document['version']}"
    return {
        "id": f"notice-v{document['version']}",
        "documentType": "tenderNotice",
        "title": f"{document['number']} v{document['version']}",
        "url": address,
        "datePublished": document["published_at"],
        "format": "application/json",
    }


def _parties(document: Mapping[str, Any], told: Told) -> list[dict[str, Any]]:
    found = [_party(document["organiser"], ["buyer", "procuringEntity"])]
    if document["review_body"] is not None:
        found.append(_party(document["review_body"], ["reviewBody"]))
    bidding = {**(told.tenderers or {}), **told.suppliers}
    return found + [
        _party(one, ["supplier", "tenderer"] if id in told.suppliers else ["tenderer"]) for id, one in bidding.items()
    ]


def _party(organisation: Mapping[str, Any], roles: list[str]) -> dict[str, Any]:
    found = {"id": organisation["id"], **_texts("name", organisation["name"]), "roles": roles}
    identifier = organisation.get("identifier")
    if identifier:
        found["identifier"] = {"scheme": identifier["scheme"], "id": identifier["id"]}
    if organisation.get("address"):
        found["address"] = {"streetAddress": organisation["address"], "countryName": "Kazakhstan"}
    return found


def _reference(organisation: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": organisation["id"], "name": _said(organisation["name"])}


def _texts(name: str, texts: Mapping[str, str] | None) -> dict[str, str]:
    """A text in Kazakh, the release's language, and beside it in the others, as the standard has it."""
    texts = texts or {}
    others = {f"{name}_{language}": texts[language] for language in ("ru", "en") if texts.get(language)}
    return {name: _said(texts), **others} if _said(texts) else {}


def _said(texts: Mapping[str, str] | None) -> str:
    return next((texts[one] for one in ("kk", "ru", "en") if texts.get(one)), "") if texts else ""


def _lot_total(lot: Mapping[str, Any]) -> int:
    return sum(item["quantity"] * item["ceiling_minor"] for item in lot["items"])


def _currency(document: Mapping[str, Any]) -> str:
    return next((item["currency"] for lot in document["lots"] for item in lot["items"]), "KZT")
