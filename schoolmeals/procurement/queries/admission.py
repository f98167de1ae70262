"""Looking at admission: the matrix for the commission and those who watch over it, and what a supplier is asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.admitting import Fix, Row, admission_of, fixes_of, outcomes_of, published
from schoolmeals.procurement.models import FixFile, FrozenBid, RequirementDecision
from schoolmeals.procurement.profiles import Profile, Requirement
from schoolmeals.procurement.queries.interests import DeclarationState, shown_states, undeclared
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.admission import Finding, fix_term
from schoolmeals.procurement.rules.permissions import DEEDS, Party, decide
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.sheet import quorum
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Term

READERS: Final = frozenset(
    {
        Party.CHAIR,
        Party.MEMBER,
        Party.SECRETARY,
        Party.OFFICER,
        Party.CITY_ADMIN,
        Party.AUDITOR,
        Party.REVIEW_BODY,
        Party.SYSTEM,
    }
)
"""Who follows the commission's work while it goes on; everybody else reads the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionBoard:
    """Admission as somebody at the commission's table sees it. ``seat`` is the actor's own with a vote, if any."""

    tender_id: UUID
    title: Mapping[str, str]
    stage: TenderStage
    profile: Profile
    lots: Mapping[UUID, Mapping[str, Any]]
    rows: tuple[Row, ...]
    names: Mapping[UUID, Mapping[str, str]]
    """Of the tenderers."""
    seat: SeatFacts | None
    voters: tuple[SeatFacts, ...]
    quorum: int
    undeclared: int
    """Of how many tenderers the actor, as a member, has still to declare; until then nothing is decided."""
    declarations: tuple[DeclarationState, ...]
    """How far each member has come with that; empty for those who may not know it."""
    terms: Mapping[str, Term]
    deeds: frozenset[str]
    now: datetime

    def row(self, bid_id: UUID) -> Row:
        """One bid. Raises NotFound."""
        for one in self.rows:
            if one.candidate.id == bid_id:
                return one
        raise NotFound


@dataclass(frozen=True, slots=True)
class FixTask:
    """What a supplier is asked to mend in its bid."""

    title: Mapping[str, str]
    bid_id: UUID
    fix: Fix
    requirements: tuple[Requirement, ...]
    until: datetime
    open: bool


def admission_board(work: Work, tender_id: UUID, zone: ZoneInfo) -> AdmissionBoard:
    """The matrix of bids and requirements, once bids are opened. Raises NotFound for whoever has no part in it."""
    hand = at_the_table(work, tender_id)
    document = json.loads(published(work, hand).text)
    profile = Profile.from_json(document["profile"])
    rows = admission_of(work, hand, profile, document, zone)
    if hand.tender.admitted_at is not None:
        outcomes = outcomes_of(work, tender_id)
        rows = [_recorded(row, outcomes) for row in rows]
    tenderers = {row.candidate.row.tenderer_id for row in rows}
    seat = next((one for one in voters(hand.seats) if one.person_id == work.actor.id), None)
    voting = voters(hand.seats)
    return AdmissionBoard(
        tender_id=tender_id,
        title=document["sections"]["notice"]["title"],
        stage=hand.stage,
        profile=profile,
        lots={UUID(lot["id"]): lot for lot in document["lots"]},
        rows=tuple(rows),
        names={one: names_of(work, one) for one in tenderers},
        seat=seat,
        voters=tuple(voting),
        quorum=quorum(len(voting), profile),
        undeclared=len(undeclared(work, hand, seat)),
        declarations=tuple(shown_states(work, hand)),
        terms=hand.facts.terms,
        deeds=frozenset(deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None),
        now=hand.at,
    )


def at_the_table(work: Work, tender_id: UUID) -> AtHand:
    """A tender whose bids are open, for those who may follow the commission's work. Raises NotFound."""
    hand = visible(work, tender_id)
    if hand.tender.opened_at is None or hand.parties.isdisjoint(READERS):
        raise NotFound
    return hand


def fix_task(work: Work, tender_id: UUID, bid_id: UUID) -> FixTask:
    """What the actor's bid is to be mended in. Raises NotFound where nothing was asked, or of anybody else's bid."""
    hand = visible(work, tender_id)
    bid = work.session.get(FrozenBid, bid_id)
    fix = next((one for one in reversed(fixes_of(work, tender_id)) if one.bid_id == bid_id), None)
    if bid is None or fix is None or bid.tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    document = json.loads(published(work, hand).text)
    asked = [one for one in Profile.from_json(document["profile"]).requirements if one.code in fix.requirements]
    until = hand.facts.terms[fix_term(bid_id)].until
    is_open = fix.answered_at is None and hand.at <= until and hand.stage is TenderStage.ADMISSION
    return FixTask(document["sections"]["notice"]["title"], bid_id, fix, tuple(asked), until, is_open)


def fix_file(work: Work, tender_id: UUID, file_id: UUID) -> FixFile:
    """A document that came with a mended bid: for those at the table, and for whoever sent it. Raises NotFound."""
    hand = visible(work, tender_id)
    row = work.session.get(FixFile, file_id)
    known = {file["id"]: fix for fix in fixes_of(work, tender_id) for file in fix.files}
    if row is None or file_id not in known:
        raise NotFound
    bid = work.session.get_one(FrozenBid, known[file_id].bid_id)
    if hand.parties.isdisjoint(READERS) and bid.tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    return row


def names_of(work: Work, organisation_id: UUID) -> Mapping[str, str]:
    """An organisation's name in each language."""
    facts = identity.organisation(work, organisation_id)
    return {"kk": facts.name_kk, "ru": facts.name_ru, "en": facts.name_en}


def _recorded(row: Row, outcomes: Mapping[tuple[UUID, str], RequirementDecision]) -> Row:
    """A bid as it was decided, whatever registers say by now."""
    cells = []
    for cell in row.cells:
        known = outcomes.get((row.candidate.id, cell.requirement.code))
        if known is not None and known.finding is not None:
            met = known.met if known.reason_code != "undecided" else None
            decided = replace(cell.decision, met=met, flag=known.flag)
            cell = replace(cell, finding=Finding.from_json(known.finding), decision=decided)
        cells.append(cell)
    return replace(row, cells=tuple(cells))
