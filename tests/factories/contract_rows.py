"""A contract, an award and a complaint as rows alone, for the tests of doors; not come to by deeds."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from schoolmeals.procurement.documents import canonical_text, digest_of
from schoolmeals.procurement.models import Complaint, ComplaintFile, Contract, ContractDocument, Lot, Security
from schoolmeals.procurement.views.suppliers import evidence_key
from tests.factories import saved
from tests.factories.procurement import LOT_SECTIONS, TITLE, texts


class ContractRows(NamedTuple):
    """A contract that waits for the supplier, a complaint that waits, and a file that came with it."""

    contract_id: UUID
    complaint_id: UUID
    file_id: UUID


def new_contract(tender_id: UUID, school_id: UUID, now: datetime, *, author_id: UUID | None = None) -> ContractRows:
    """All in one school, which is organiser, buyer and supplier at once: roles of a test are roles in it."""
    lot_id, contract_id = new_id(now), new_id(now)
    saved(Lot(id=lot_id, tender_id=tender_id, position=1, school_id=school_id, made_at=now))
    row = Contract(
        id=contract_id,
        number=f"2026-{contract_id.hex[-8:]}/1",
        tender_id=tender_id,
        lot_id=lot_id,
        organiser_id=school_id,
        buyer_id=school_id,
        supplier_id=school_id,
        starts_on=date(2027, 1, 11),
        ends_on=date(2027, 5, 25),
        value_minor=720_000_00,
        currency="KZT",
        security_minor=21_600_00,
        version=1,
        made_at=now,
    )
    saved(row)
    text = canonical_text(_text(contract_id, tender_id))
    saved(ContractDocument(contract_id=contract_id, version=1, at=now, text=text, sha256=digest_of(text)))
    return ContractRows(contract_id, *_complaint(tender_id, now, author_id or new_id(now)))


def new_security(tender_id: UUID, contract_id: UUID, supplier_id: UUID, at: datetime) -> UUID:
    """A security of the contract, with its paper; gives its id."""
    id = new_id(at)
    row = Security(
        id=id,
        tender_id=tender_id,
        purpose="contract",
        contract_id=contract_id,
        supplier_id=supplier_id,
        kind="bank-guarantee",
        number="BG-7",
        issuer="Банк",
        amount_minor=21_600_00,
        currency="KZT",
        valid_until=date(2027, 5, 25),
        file_name="guarantee.pdf",
        media_type="application/pdf",
        sha256=bytes(32),
        content=seal(evidence_key(), b"%PDF-1", id.bytes),
        recorded_at=at,
    )
    saved(row)
    return id


def _complaint(tender_id: UUID, now: datetime, author_id: UUID) -> tuple[UUID, UUID]:
    complaint_id, file_id = new_id(now), new_id(now)
    said = {"about": "terms", "text": "Шарт бір өнім берушіге арналған", "remedy": "Өзгертіңіз", "language": "kk"}
    saved(Complaint(id=complaint_id, tender_id=tender_id, number=1, author_id=author_id, at=now, **said))
    file = {"file_name": "scan.pdf", "media_type": "application/pdf", "size_bytes": 4, "sha256": b"0" * 32}
    saved(ComplaintFile(id=file_id, complaint_id=complaint_id, content=b"%PDF", added_at=now, **file))
    return complaint_id, file_id


def _text(contract_id: UUID, tender_id: UUID) -> dict[str, object]:
    place = {"name": texts("№ 301")}
    item = {
        "contract_item_id": str(new_id()),
        "lot_item_id": None,
        "kind": "meal",
        "age_group": "6-10",
        "meal": "lunch",
        "name": None,
        "unit": "meal",
        "quantity": 900,
        "price_minor": 800_00,
    }
    tea = {**item, "kind": "buffet", "age_group": None, "meal": None, "name": texts("Шай"), "quantity": 0}
    return {
        "contract_id": str(contract_id),
        "tender": {"id": str(tender_id), "title": TITLE},
        "supplier": place,
        "buyer": place,
        "organiser": place,
        "items": [item, tea],
        "currency": "KZT",
        "reason": "",
        "sections": {name: LOT_SECTIONS[name] for name in ("kitchen", "lease")},
        "staff": [{"post": "cook", "fte_percent": 100}],
        "lease_days": 15,
    }
