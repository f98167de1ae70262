"""Confirming suppliers: who registered one shows by a paper that they may act for it, and an officer looks at it."""

import hashlib
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals import audit, identity
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from schoolmeals.procurement.access import permitted_in, require_supplier
from schoolmeals.procurement.models import SupplierConfirmation, SupplierProof
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.media import plain_name, type_by_start
from schoolmeals.procurement.rules.securities import OUTCOMES, PROOF_KINDS
from schoolmeals.procurement.rules.suppliers import EVIDENCE_BYTES

MOST_PROOFS: Final = 20


def add_proof(
    work: Work, organisation_id: UUID, proof_id: UUID, content: bytes, *, kind: str, file_name: str, key: bytes
) -> UUID:
    """Keep a paper, sealed by ``key``, that shows who may act for one's own supplier; officers read it. The same id
    again gives the same answer. Raises Invalid, NotFound, NotNow ``too-many``.
    """
    permitted_in(work, "add_proof", organisation_id)
    require_supplier(work, organisation_id)
    known = work.session.get(SupplierProof, proof_id)
    if known is not None:
        if known.organisation_id != organisation_id:
            raise NotFound
        return proof_id
    media_type = type_by_start(content)
    problems = {
        "kind": [] if kind in PROOF_KINDS else [UNKNOWN],
        "file": [NO_PAPER] if media_type is None or len(content) > EVIDENCE_BYTES else [],
    }
    if media_type is None or any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    there = select(func.count()).where(SupplierProof.organisation_id == organisation_id)
    if (work.session.scalar(there) or 0) >= MOST_PROOFS:
        raise NotNow("too-many", TOO_MANY, most=MOST_PROOFS)
    digest = hashlib.sha256(content).digest()
    work.session.add(
        SupplierProof(
            id=proof_id,
            organisation_id=organisation_id,
            kind=kind,
            file_name=plain_name(file_name, media_type),
            media_type=media_type,
            size_bytes=len(content),
            sha256=digest,
            content=seal(key, content, proof_id.bytes),
            added_by=work.actor.id,
            added_at=work.now,
        )
    )
    work.session.flush()
    _record(work, "add-proof", organisation_id, {"kind": kind, "sha256": digest.hex()})
    return proof_id


def judge_supplier(
    work: Work, organisation_id: UUID, *, seen: UUID | None, outcome: str, reason: str, by_organisation_id: UUID
) -> None:
    """Confirm that a supplier's people may act for it, or return their papers, saying what is missing.

    ``seen`` is the newest paper that the officer has read. Raises NotFound, NotAllowed, Invalid, NotNow ``no-proof``
    or ``newer-proof``.
    """
    permitted_in(work, "judge_supplier", by_organisation_id)
    identity.organisation(work, organisation_id)
    problems = {
        "outcome": [] if outcome in OUTCOMES else [UNKNOWN],
        "reason": [NEEDED] if outcome == "returned" and not reason.strip() else [],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    newest = select(SupplierProof.id).where(SupplierProof.organisation_id == organisation_id)
    proof_id = work.session.scalar(newest.order_by(SupplierProof.added_at.desc(), SupplierProof.id.desc()).limit(1))
    if proof_id is None:
        raise NotNow("no-proof", NO_PROOF)
    if proof_id != seen:
        raise NotNow("newer-proof", NEWER_PROOF)
    work.session.add(
        SupplierConfirmation(
            id=new_id(work.now),
            organisation_id=organisation_id,
            proof_id=proof_id,
            outcome=outcome,
            reason=reason.strip(),
            by_organisation_id=by_organisation_id,
            decided_by=work.actor.id,
            decided_at=work.now,
        )
    )
    work.session.flush()
    said = {"outcome": outcome, "reason": reason.strip(), "proof": str(proof_id), "by": str(by_organisation_id)}
    _record(work, "judge-supplier", organisation_id, said)


def _record(work: Work, deed: str, organisation_id: UUID, said: dict[str, str]) -> None:
    audit.record(work, f"procurement.{deed}", Subject("supplier", organisation_id), said)


NO_PAPER: Final = FieldProblem.of("no-paper", N_("Choose a PDF, JPEG or PNG of at most 10 MB."))
TOO_MANY: Final = N_("At most %(most)s papers are taken. Ask the organiser what is missing.")
NO_PROOF: Final = N_("The supplier has sent no paper yet. There is nothing to decide on.")
NEWER_PROOF: Final = N_("The supplier has sent another paper since you opened this page. Read it first.")
