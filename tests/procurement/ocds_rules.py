"""What the Open Contracting Data Standard 1.1 asks of releases, as far as this product's releases go, written anew.

Required fields, closed codelists, dates with a zone, ids that are unique within their list, and references that lead
somewhere. It knows nothing of how releases are made here.
"""

import re
from collections.abc import Iterator
from typing import Any

TAGS = {
    "planning",
    "planningUpdate",
    "tender",
    "tenderAmendment",
    "tenderUpdate",
    "tenderCancellation",
    "award",
    "awardUpdate",
    "awardCancellation",
    "contract",
    "contractUpdate",
    "contractAmendment",
    "implementation",
    "implementationUpdate",
    "contractTermination",
    "compiled",
}
CODES = {
    "tender.status": {"planning", "planned", "active", "cancelled", "unsuccessful", "complete", "withdrawn"},
    "lot.status": {"planning", "planned", "active", "cancelled", "unsuccessful", "complete", "withdrawn"},
    "award.status": {"pending", "active", "cancelled", "unsuccessful"},
    "contract.status": {"pending", "active", "cancelled", "terminated"},
    "bid.status": {"invited", "pending", "valid", "disqualified", "withdrawn"},
    "tender.procurementMethod": {"open", "selective", "limited", "direct"},
    "tender.mainProcurementCategory": {"goods", "works", "services"},
    "tender.awardCriteria": {"priceOnly", "costOnly", "qualityOnly", "ratedCriteria"},
    "party.roles": {
        "buyer",
        "procuringEntity",
        "supplier",
        "tenderer",
        "funder",
        "enquirer",
        "payer",
        "payee",
        "reviewBody",
        "interestedParty",
    },
}
REQUIRED = {
    "package": {"uri", "publisher", "publishedDate", "version"},
    "release": {"ocid", "id", "date", "tag", "initiationType"},
    "tender": {"id"},
    "item": {"id"},
    "lot": {"id"},
    "document": {"id"},
    "award": {"id"},
    "bid": {"id"},
    "statistic": {"id", "measure"},
    "contract": {"id", "awardID"},
    "record": {"ocid", "releases"},
}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DATES = {"date", "startDate", "endDate", "publishedDate", "datePublished", "dateSigned", "dateAnswered"}


def wrong_in_package(package: dict[str, Any]) -> list[str]:
    """What is wrong in a release or record package."""
    found = list(_lacks(package, "package")) + list(_dates(package, "package"))
    if "name" not in package.get("publisher", {}):
        found.append("publisher has no name")
    for record in package.get("records", []):
        found += _lacks(record, "record")
        releases = [*record.get("releases", []), *([record["compiledRelease"]] if "compiledRelease" in record else [])]
        found += [f"{one['id']}: {wrong}" for one in releases for wrong in wrong_in_release(one)]
        found += [f"{one['id']}: another ocid" for one in releases if one["ocid"] != record["ocid"]]
    found += [f"{one['id']}: {wrong}" for one in package.get("releases", []) for wrong in wrong_in_release(one)]
    return found


def wrong_in_release(release: dict[str, Any]) -> list[str]:
    """What is wrong in one release."""
    found = list(_lacks(release, "release"))
    if not release.get("tag") or set(release["tag"]) - TAGS:
        found.append(f"tag {release.get('tag')}")
    if release.get("initiationType") != "tender":
        found.append("initiationType")
    tender = release.get("tender", {})
    lists = {
        "item": tender.get("items", []),
        "lot": tender.get("lots", []),
        "document": tender.get("documents", []),
        "award": release.get("awards", []),
        "bid": release.get("bids", {}).get("details", []),
        "statistic": release.get("bids", {}).get("statistics", []),
        "contract": release.get("contracts", []),
        "tender": [tender],
    }
    for name, rows in lists.items():
        found += [wrong for row in rows for wrong in (*_lacks(row, name), *_codes(row, name), *_empties(row, name))]
        ids = [row.get("id") for row in rows]
        found += [f"two {name}s {id}" for id in ids if ids.count(id) > 1]
    found += [wrong for party in release.get("parties", []) for wrong in _codes(party, "party")]
    return found + list(_references(release, lists)) + list(_values(release, "release")) + list(_dates(release, ""))


def _lacks(row: dict[str, Any], name: str) -> Iterator[str]:
    yield from (f"{name} has no {one}" for one in sorted(REQUIRED.get(name, set()) - {k for k, v in row.items() if v}))


def _codes(row: dict[str, Any], name: str) -> Iterator[str]:
    for place, codes in CODES.items():
        of, key = place.split(".")
        if of == name and key in row:
            said = set(row[key]) if isinstance(row[key], list) else {row[key]}
            yield from (f"{place} {one}" for one in said - codes)


def _empties(row: dict[str, Any], name: str) -> Iterator[str]:
    yield from (f"{name}.{key} is empty" for key, value in row.items() if value in ("", [], {}, None))


def _references(release: dict[str, Any], lists: dict[str, Any]) -> Iterator[str]:
    parties = {one["id"] for one in release.get("parties", [])}
    referring = [release.get("buyer", {}), release.get("tender", {}).get("procuringEntity", {})]
    referring += [one for award in lists["award"] for one in award.get("suppliers", [])]
    referring += [one for bid in lists["bid"] for one in bid.get("tenderers", [])]
    referring += release.get("tender", {}).get("tenderers", [])
    yield from (f"no party {one['id']}" for one in referring if one and one["id"] not in parties)
    lots = {one["id"] for one in lists["lot"]}
    yield from (f"no lot {one['relatedLot']}" for one in lists["item"] if one.get("relatedLot") not in lots)
    yield from (f"no lot {id}" for one in lists["award"] for id in one.get("relatedLots", []) if id not in lots)
    yield from (f"no lot {id}" for one in lists["bid"] for id in one.get("relatedLots", []) if id not in lots)
    bids = {one["id"] for one in lists["bid"]}
    yield from (f"no bid {one['relatedBid']}" for one in lists["award"] if one.get("relatedBid", "") not in {"", *bids})
    awards = {one["id"] for one in lists["award"]}
    yield from (f"no award {one['awardID']}" for one in lists["contract"] if one.get("awardID") not in awards)


def _values(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        if "amount" in node and not (isinstance(node["amount"], int | float) and len(node.get("currency", "")) == 3):
            yield f"{path}: {node}"
        for key, value in node.items():
            yield from _values(value, f"{path}.{key}")
    elif isinstance(node, list):
        for one in node:
            yield from _values(one, path)


def _dates(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in DATES and not (isinstance(value, str) and DATE.fullmatch(value)):
                yield f"{path}.{key}: {value}"
            yield from _dates(value, f"{path}.{key}")
    elif isinstance(node, list):
        for one in node:
            yield from _dates(one, path)
