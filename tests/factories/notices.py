"""Tenders as rows alone, for the tests of doors: cheap, and not come to by deeds."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from schoolmeals.ids import new_id
from schoolmeals.keys import token_hash
from schoolmeals.procurement import profiles
from schoolmeals.procurement.documents import LotText, TenderText, canonical_text, digest_of, document_of
from schoolmeals.procurement.models import Lot, PlanLine, Subscription, Tender, TenderAct, TenderDocument, TenderVersion
from schoolmeals.procurement.profiles import Length
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.need import AGE_GROUPS
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.rules.terms import Term, as_payload
from schoolmeals.procurement.sealing import new_member_key
from tests.factories import saved
from tests.factories.papers import PDF
from tests.factories.procurement import LOT_SECTIONS, TENDER_SECTIONS, TITLE, texts

PROFILE = "kz-catering-points"


class NoticeRows(NamedTuple):
    """A published tender, and the announcement of its draw."""

    tender_id: UUID
    draw_id: UUID


class DraftRows(NamedTuple):
    """A draft and its lot."""

    tender_id: UUID
    lot_id: UUID


def new_notice(organiser_id: UUID, school_id: UUID, now: datetime) -> NoticeRows:
    """A tender under discussion, with one lot and a commission of five."""
    published_at = now - timedelta(days=1)
    terms = {
        "discussion": Term(published_at, now + timedelta(days=4), Length(5, "working-days")),
        "bidding": Term(published_at, now + timedelta(days=14), Length(15, "calendar-days")),
        "questions": Term(published_at, now + timedelta(days=11), Length(3, "calendar-days")),
    }
    tender_id, act_id = new_id(now), new_id(now)
    number = f"2026-{tender_id.hex[-6:]}"
    text = _text(tender_id, organiser_id, school_id, now)
    document = document_of(text, number=number, version=1, published_at=published_at, terms=terms)
    written = canonical_text(document)
    times = {f"{name}_until": terms[name].until for name in ("discussion", "bidding")}
    state = {"number": number, "acts": 2, "version": 1, "submitted_at": published_at, "approved_at": published_at}
    _tender(tender_id, organiser_id, published_at, **state, published_at=published_at, **times)
    draw_id = _act(tender_id, 1, ActKind.DRAW_ANNOUNCED, published_at, _announcement(now))
    payload = {"version": 1, "number": number, "terms": as_payload(terms), "needs_confirmation": False}
    _act(tender_id, 2, ActKind.PUBLISHED, published_at, payload, id=act_id)
    about = {"tender_id": tender_id, "version": 1, "act_id": act_id, "at": published_at, "needs_confirmation": False}
    saved(TenderVersion(**about, text=written, sha256=digest_of(written), rationale=None))
    return NoticeRows(tender_id, draw_id)


def new_draft(organiser_id: UUID, school_id: UUID, now: datetime) -> DraftRows:
    """A draft with an empty lot."""
    tender_id, lot_id = new_id(now), new_id(now)
    _tender(tender_id, organiser_id, now, acts=1, version=0)
    _act(tender_id, 1, ActKind.OPENED_DRAFT, now, {"profile": PROFILE})
    saved(Lot(id=lot_id, tender_id=tender_id, position=1, school_id=school_id, made_at=now))
    return DraftRows(tender_id, lot_id)


def new_paper(tender_id: UUID, now: datetime) -> UUID:
    """A document that came with the first version."""
    row = TenderDocument(
        id=new_id(now),
        tender_id=tender_id,
        series_id=new_id(now),
        version=1,
        document_type="contractDraft",
        title=TITLE,
        file_name="contract.pdf",
        media_type="application/pdf",
        size_bytes=len(PDF),
        sha256=hashlib.sha256(PDF).digest(),
        content=PDF,
        from_version=1,
        added_at=now,
    )
    found: UUID = saved(row).id
    return found


def new_subscription(tender_id: UUID, now: datetime) -> str:
    """Somebody who follows a tender; the token of their letters."""
    token = tender_id.hex
    row = {"tender_id": tender_id, "search": None, "email": "reader@example.kz", "language": "kk"}
    saved(Subscription(id=new_id(now), **row, token_hash=token_hash(token), made_at=now))
    return token


def new_plan_line(organiser_id: UUID, school_id: UUID, now: datetime) -> UUID:
    """A published line of the plan."""
    row = PlanLine(
        id=new_id(now),
        organiser_id=organiser_id,
        school_id=school_id,
        year=2027,
        title=TITLE,
        profile_code=PROFILE,
        starts_on=date(2027, 1, 11),
        ends_on=date(2027, 5, 25),
        planned_days=90,
        pupils={"6-10": 100},
        meals=["lunch"],
        amount_minor=7_650_000_00,
        currency="KZT",
        announce_on=date(2026, 12, 1),
        made_at=now,
        published_at=now,
    )
    found: UUID = saved(row).id
    return found


def _tender(tender_id: UUID, organiser_id: UUID, made_at: datetime, **columns: Any) -> None:
    titled = {"profile_code": PROFILE, "title": TITLE, "made_by": None, "made_at": made_at}
    saved(Tender(id=tender_id, organiser_id=organiser_id, **titled, **columns))


def _act(tender_id: UUID, number: int, kind: ActKind, at: datetime, payload: Any, *, id: UUID | None = None) -> UUID:
    row = TenderAct(
        id=id or new_id(at),
        tender_id=tender_id,
        number=number,
        kind=kind.value,
        at=at,
        by_kind="system",
        payload=payload,
    )
    found: UUID = saved(row).id
    return found


def _text(tender_id: UUID, organiser_id: UUID, school_id: UUID, now: datetime) -> TenderText:
    items = [
        {
            "id": str(new_id(now)),
            "age_group": group,
            "meal": "lunch",
            "goods": None,
            "quantity": 90,
            "ceiling_minor": 850_00,
            "currency": "KZT",
        }
        for group in AGE_GROUPS
    ]
    school = {"id": str(school_id), "name": texts("№ 301")}
    lot = LotText(id=new_id(now), position=1, school=school, plan_line_id=None, sections=LOT_SECTIONS, items=items)
    return TenderText(
        tender_id=tender_id,
        organiser={"id": str(organiser_id), "name": texts("Astana")},
        review_body=None,
        profile=profiles.load(PROFILE),
        sections=TENDER_SECTIONS,
        lots=[lot],
        seats=_seats(),
        files=[],
    )


@lru_cache(maxsize=1)
def _seats() -> list[SeatFacts]:
    """Five members with keys; nobody holds a seat that a door would ask for."""
    parts = ("chair", "deputy", "member", "member", "member")
    return [
        SeatFacts(
            id=new_id(),
            pool_member_id=new_id(),
            person_id=new_id(),
            name=f"Серікова Гүлім {place}",
            part=part,
            constituency="parents",
            position=place,
            accepted_at=datetime(2026, 11, 1, tzinfo=UTC),
            seated_at=None,
            ended_at=None,
            key_public=new_member_key()[1],
        )
        for place, part in enumerate(parts, start=1)
    ]


def _announcement(now: datetime) -> dict[str, Any]:
    return {
        "algorithm": "schoolmeals-draw/v1",
        "pool": [{"id": str(new_id(now)), "name": "Ахметова Айгүл", "constituency": "parents"}],
        "left_out": [],
        "pool_sha256": "0" * 64,
        "seats": [{"constituency": "parents", "count": 1}],
        "alternates": [{"constituency": "parents", "count": 1}],
        "parents": ["parents"],
        "seed_source": "kz",
        "seed_not_before": (now + timedelta(days=1)).isoformat(),
        "seed_numbers": ["USD", "EUR", "RUB"],
        "seed_decimals": 2,
    }
