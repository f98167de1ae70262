"""A supplier's paper and a line of its ledger, and an imported register, as rows alone."""

import secrets
from datetime import datetime
from uuid import UUID

from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from schoolmeals.procurement.models import RegisterImport, SupplierEquipment, SupplierEvidence, SupplierProof
from schoolmeals.procurement.views.registers import PURPOSE
from schoolmeals.procurement.views.suppliers import evidence_key
from tests.factories import saved
from tests.factories.files import new_kept_file


def new_evidence(organisation_id: UUID, at: datetime) -> str:
    """A paper, readable as the app keeps it; gives its digest."""
    id, sha256 = new_id(at), secrets.token_hex(32)
    row = SupplierEvidence(
        id=id,
        organisation_id=organisation_id,
        sha256=sha256,
        kind="diploma",
        title="Диплом",
        file_name="diploma.pdf",
        media_type="application/pdf",
        size_bytes=6,
        content=seal(evidence_key(), b"%PDF-1", id.bytes),
        added_at=at,
    )
    saved(row)
    return sha256


def new_proof(organisation_id: UUID, at: datetime) -> UUID:
    """A paper that shows who acts for a supplier; gives its id."""
    id = new_id(at)
    row = SupplierProof(
        id=id,
        organisation_id=organisation_id,
        kind="registration",
        file_name="registration.pdf",
        media_type="application/pdf",
        size_bytes=6,
        sha256=bytes(32),
        content=seal(evidence_key(), b"%PDF-1", id.bytes),
        added_at=at,
    )
    saved(row)
    return id


def new_equipment(organisation_id: UUID, at: datetime) -> UUID:
    """A line of the ledger."""
    row = SupplierEquipment(
        id=new_id(at),
        organisation_id=organisation_id,
        name="Пеш",
        count=2,
        owned=True,
        evidence=[],
        added_at=at,
    )
    found: UUID = saved(row).id
    return found


def new_register(at: datetime) -> UUID:
    """An imported register without entries."""
    row = RegisterImport(
        id=new_id(at),
        register="bad-faith",
        source="portal",
        as_of=at,
        file_name="register.csv",
        sha256=bytes(32),
        entries=0,
        at=at,
    )
    found: UUID = saved(row).id
    return found


def new_register_upload(keeper_id: UUID, at: datetime) -> UUID:
    """A register that waits to be imported, with one line."""
    facts = {"register": "bad-faith", "source": "portal", "as_of": at.isoformat()}
    content = "Number;Name;From\r\n090840003425;«Дәм»;2026-01-01\r\n".encode()
    kept = {"kind": "upload", "purpose": PURPOSE, "ready_at": None, "name": "register.csv", "facts": facts}
    found: UUID = new_kept_file(keeper_id, at, content, **kept)
    return found
