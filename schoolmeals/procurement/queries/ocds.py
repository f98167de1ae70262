"""Gathering what the open data of a tender says, act by act. For everybody: nothing is read that is not public.

A release tells what was known at its act and is the same whenever it is asked for: it is made from acts, from versions
that never change, and from rows that are only ever added to.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, tuple_

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import act_of, acts_of
from schoolmeals.procurement.documents import written
from schoolmeals.procurement.models import Award, Contract, Enquiry, EnquiryAnswer, Tender, TenderAct
from schoolmeals.procurement.ocds import Told, amount, compiled, is_released, release
from schoolmeals.procurement.queries.drafts import shown_organisation
from schoolmeals.procurement.queries.ocds_bids import BidRows, bid_rows, tenderers_of, told_bids
from schoolmeals.procurement.queries.tenders import VersionFacts, versions
from schoolmeals.procurement.rules.acts import NOTHING_YET, PREPARATION, Act, ActKind, TenderFacts, after, is_public

PAGE: Final = 50
SETTLES_AFTER: Final = timedelta(seconds=30)
"""No deed lasts longer. What is younger is not paged yet, so that no act slips in behind a reader."""


@dataclass(frozen=True, slots=True)
class TenderData:
    """A tender's releases by their acts, in their order, and their sum."""

    ocid: str
    releases: list[tuple[Act, dict[str, Any]]]
    compiled: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that acts of a tender speak of."""

    enquiries: Mapping[UUID, Enquiry]
    answers: Mapping[UUID, EnquiryAnswer]
    awards: Mapping[UUID, Award]
    contracts: Mapping[UUID, Contract]
    suppliers: Mapping[UUID, Mapping[str, Any]]
    bids: BidRows


def tender_data(work: Work, tender_id: UUID, *, prefix: str, base: str) -> TenderData:
    """The open data of a published tender. ``prefix`` is the publisher's, ``base`` the site's address. Raises
    NotFound.
    """
    texts = {one.version: one for one in versions(work, tender_id)}
    rows, ocid = _rows(work, tender_id), f"{prefix}-{tender_id}"
    facts, so_far = NOTHING_YET, list[Act]()
    found: list[tuple[Act, dict[str, Any]]] = []
    for act in acts_of(work, tender_id):
        facts = after(facts, act)
        so_far.append(act)
        if facts.version and is_released(act):
            told = _told(ocid, base, facts, so_far, rows, texts)
            found.append((act, release(act, facts, texts[facts.version].document, told)))
    told = _told(ocid, base, facts, so_far, rows, texts)
    sum_of_all = compiled(found[-1][0].at, facts, texts[facts.version].document, told)
    return TenderData(ocid, found, sum_of_all)


def public_acts(work: Work, after_id: UUID | None, limit: int = PAGE) -> list[Act]:
    """Released acts of all tenders from the oldest on, those that follow ``after_id``. Raises NotFound for no act."""
    kinds = [kind.value for kind in ActKind if is_public(kind) and kind not in PREPARATION]
    found = (
        select(TenderAct)
        .join(Tender, Tender.id == TenderAct.tender_id)
        .where(Tender.published_at.is_not(None), TenderAct.at >= Tender.published_at, TenderAct.kind.in_(kinds))
        .where(TenderAct.at < work.now - SETTLES_AFTER)
    )
    if after_id is not None:
        last = work.session.get(TenderAct, after_id)
        if last is None:
            raise NotFound
        found = found.where(tuple_(TenderAct.at, TenderAct.id) > tuple_(last.at, last.id))
    rows = work.session.scalars(found.order_by(TenderAct.at, TenderAct.id).limit(limit))
    return [act_of(row) for row in rows]


def tenders_of(work: Work, acts: Iterable[Act]) -> dict[UUID, UUID]:
    """The tender of each act."""
    found = select(TenderAct.id, TenderAct.tender_id).where(TenderAct.id.in_([one.id for one in acts]))
    return {row.id: row.tender_id for row in work.session.execute(found)}


def _rows(work: Work, tender_id: UUID) -> Rows:
    def all_of(model: Any, key: Callable[[Any], UUID] = lambda row: row.id) -> dict[UUID, Any]:
        return {key(row): row for row in work.session.scalars(select(model).where(model.tender_id == tender_id))}

    enquiries, awards = all_of(Enquiry), all_of(Award)
    answered = select(EnquiryAnswer).where(EnquiryAnswer.enquiry_id.in_(list(enquiries)))
    bids = bid_rows(work, tender_id)
    suppliers = dict.fromkeys([*tenderers_of(bids), *(row.supplier_id for row in awards.values())])
    return Rows(
        enquiries,
        {row.enquiry_id: row for row in work.session.scalars(answered)},
        awards,
        all_of(Contract),
        {one: shown_organisation(identity.organisation(work, one)) for one in suppliers},
        bids,
    )


def _told(
    ocid: str, base: str, facts: TenderFacts, so_far: list[Act], rows: Rows, texts: Mapping[int, VersionFacts]
) -> Told:
    """What was known when ``so_far`` had happened."""
    happened: dict[ActKind, dict[UUID, Act]] = {}
    for act in so_far:
        if act.subject_id is not None:
            happened.setdefault(act.kind, {})[act.subject_id] = act
    made = happened.get(ActKind.AWARD_MADE, {})
    awards = [_award(rows.awards[one], facts, happened) for one in made if one in rows.awards]
    contracts = [_contract(row, rows, happened) for row in _contracts(rows, happened)]
    suppliers = {str(rows.awards[one].supplier_id) for one in made if one in rows.awards}
    is_opened = facts.times.opened_at is not None and bool(facts.version)
    return Told(
        ocid=ocid,
        base=base,
        enquiries=[_enquiry(rows, one, happened) for one in happened.get(ActKind.ENQUIRY_ASKED, {})],
        documents=_documents(base, texts[facts.version].document) if facts.version else (),
        awards=awards,
        contracts=contracts,
        suppliers={str(one): facts_ for one, facts_ in rows.suppliers.items() if str(one) in suppliers},
        tenderers={str(one): rows.suppliers[one] for one in tenderers_of(rows.bids)} if is_opened else None,
        bids=told_bids(rows.bids, texts[facts.version].document, so_far) if is_opened else None,
        amendments=[_amendment(ocid, one, so_far) for one in so_far if one.kind is ActKind.AMENDED],
    )


def _enquiry(rows: Rows, id: UUID, happened: Mapping[ActKind, Mapping[UUID, Act]]) -> dict[str, Any]:
    """A question and its answer. Never who asked."""
    row, is_answered = rows.enquiries[id], id in happened.get(ActKind.ENQUIRY_ANSWERED, {})
    found = {"id": str(id), "date": written(row.at), "title": row.kind, "description": row.text}
    if row.lot_id is not None:
        found["relatedLot"] = str(row.lot_id)
    if is_answered:
        answer = rows.answers[id]
        found |= {"answer": answer.text.get("kk") or answer.text["ru"], "dateAnswered": written(answer.at)}
        found |= {f"answer_{one}": answer.text[one] for one in ("ru", "en") if answer.text.get(one)}
    return found


def _amendment(ocid: str, act: Act, so_far: list[Act]) -> dict[str, Any]:
    before = next(one for one in reversed(so_far[: act.number - 1]) if one.kind in (ActKind.PUBLISHED, ActKind.AMENDED))
    rationale = act.payload.get("rationale", {})
    return {
        "id": str(act.id),
        "date": written(act.at),
        "rationale": rationale.get("kk") or rationale.get("ru", ""),
        "amendsReleaseID": f"{ocid}-{before.number:06}",
        "releaseID": f"{ocid}-{act.number:06}",
    }


def _documents(base: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": one["id"],
            "documentType": one["document_type"],
            "title": one["title"].get("kk") or one["file_name"],
            "url": f"{base}/tenders/{document['tender_id']}/documents/{one['id']}",
            "datePublished": document["published_at"],
            "format": one["media_type"],
            **({"language": one["language"]} if one["language"] else {}),
        }
        for one in document["documents"]
    ]


def _award(row: Award, facts: TenderFacts, happened: Mapping[ActKind, Mapping[UUID, Act]]) -> dict[str, Any]:
    status = "active" if facts.lots.get(row.lot_id) and facts.lots[row.lot_id].contract_id else "pending"
    if row.id in happened.get(ActKind.AWARD_ENDED, {}):
        status = "cancelled"
    return {
        "id": str(row.id),
        "date": written(row.decided_at),
        "status": status,
        "value": amount(row.value_minor, row.currency),
        "suppliers": [{"id": str(row.supplier_id)}],
        "relatedLots": [str(row.lot_id)],
        "relatedBid": str(row.bid_id),
    }


def _contracts(rows: Rows, happened: Mapping[ActKind, Mapping[UUID, Act]]) -> list[Contract]:
    """The contracts that were made by then and follow from an award, as the standard has contracts."""
    made = (rows.contracts.get(one) for one in happened.get(ActKind.CONTRACT_MADE, {}))
    return [row for row in made if row is not None and row.award_id is not None]


def _contract(row: Contract, rows: Rows, happened: Mapping[ActKind, Mapping[UUID, Act]]) -> dict[str, Any]:
    """A contract as it was made; its later values are in its own changes."""
    active = happened.get(ActKind.CONTRACT_ACTIVE, {}).get(row.id)
    ends = (ActKind.CONTRACT_TERMINATED, ActKind.CONTRACT_COMPLETE)
    is_over = any(row.id in happened.get(kind, {}) for kind in ends)
    assert row.award_id is not None
    found: dict[str, Any] = {
        "id": str(row.id),
        "awardID": str(row.award_id),
        "title": row.number,
        "status": "terminated" if is_over else "active" if active is not None else "pending",
        "period": {"startDate": f"{row.starts_on}T00:00:00Z"},
    }
    if row.award_id in rows.awards:
        award = rows.awards[row.award_id]
        found["value"] = amount(award.value_minor, award.currency)
    return found | ({"dateSigned": written(active.at)} if active is not None else {})
