"""How each deed on a tender is done, for the table of permissions: one recipe for each row.

A recipe does its deed as well as it can at any stage and by anybody; what a deed's own rules then refuse is no matter
of permission. A builder who adds an action adds its recipe here, or the build fails.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import (
    amending,
    bidding,
    closing,
    commission,
    drafting,
    draws,
    enquiries,
    opening,
    papers,
    publishing,
    reviewing,
)
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.enquiries import NewEnquiry
from schoolmeals.procurement.sealing import new_member_key
from tests.factories.bids import KEYS
from tests.factories.papers import a_document
from tests.factories.procurement import ALMATY, CEILING_MINOR, SEED, TENDER_SECTIONS, Procurement, rates_of
from tests.procurement import deeds_of_awards as awards
from tests.procurement import deeds_of_evaluation as evaluating

Recipe = Callable[[Procurement, Work, UUID], Any]
RECIPIENT: Final = new_member_key()[1]


def _lot(work: Work, tender_id: UUID) -> UUID:
    return lots_of(work, tender_id)[0].id


def _set_items(_world: Procurement, work: Work, tender_id: UUID) -> None:
    item = NewItem(age_group="6-10", meal="lunch", ceiling_minor=CEILING_MINOR)
    drafting.set_items(work, tender_id, _lot(work, tender_id), [item])


def _announce(_world: Procurement, work: Work, tender_id: UUID) -> None:
    draws.announce_draw(work, tender_id, rates_of(work.now + timedelta(hours=1)))


def _recuse(world: Procurement, work: Work, tender_id: UUID) -> None:
    commission.recuse(work, tender_id, world.chair_id, "a relative bids")


def _declare(world: Procurement, work: Work, tender_id: UUID) -> None:
    commission.declare_interest(work, tender_id, world.supplier_id, has_interest=False, nature="none")


def _send(world: Procurement, work: Work, tender_id: UUID) -> None:
    about = (tender_id, world.supplier_id, new_id(work.now), "qualification", 0, b"")
    bidding.receive_part(work, *about, **BIDDING)


BIDDING: Final[dict[str, Any]] = {"keys": KEYS, "clock": deed_clock}
"""Bids go by the legal clock; here that follows the clock that is moved by hand."""
RECIPES: Final[dict[str, Recipe]] = {
    "add_document": lambda _world, work, tender: papers.add_document(work, tender, a_document(new_id(work.now))),
    "keep_notice_paper": lambda _world, work, tender: papers.keep_notice_paper(work, tender, 1, "kk", b"%PDF-1.7"),
    "explain_amendment": lambda _world, work, tender: amending.explain_amendment(work, tender, {"kk": "x", "ru": "x"}),
    "discard_amendment": lambda _world, work, tender: amending.discard_amendment(work, tender),
    "publish_amendment": lambda _world, work, tender: amending.publish_amendment(
        work, tender, act_id=new_id(work.now), seen="", zone=ALMATY, clock=deed_clock
    ),
    "ask_enquiry": lambda _world, work, tender: enquiries.ask_enquiry(
        work, tender, NewEnquiry(id=new_id(work.now), kind="question", text="When?", language="en")
    ),
    "answer_enquiry": lambda _world, work, tender: enquiries.answer_enquiry(work, tender, new_id(work.now), {}),
    "edit_section": lambda _world, work, tender: drafting.edit_section(
        work, tender, "notice", TENDER_SECTIONS["notice"]
    ),
    "add_lot": lambda world, work, tender: drafting.add_lot(work, tender, world.other_school_id),
    "remove_lot": lambda _world, work, tender: drafting.remove_lot(work, tender, _lot(work, tender)),
    "set_items": _set_items,
    "compute_need": lambda _world, work, tender: drafting.compute_need(work, tender, _lot(work, tender)),
    "submit_for_review": lambda _world, work, tender: reviewing.submit_for_review(work, tender),
    "return_tender": lambda _world, work, tender: reviewing.return_tender(work, tender, "mend it"),
    "approve_tender": lambda _world, work, tender: reviewing.approve_tender(work, tender),
    "reopen_draft": lambda _world, work, tender: reviewing.reopen_draft(work, tender, "a mistake"),
    "publish_tender": lambda _world, work, tender: publishing.publish_tender(
        work, tender, act_id=new_id(work.now), zone=ALMATY
    ),
    "announce_draw": _announce,
    "draw_members": lambda _world, work, tender: draws.draw_members(work, tender, SEED),
    "appoint_secretary": lambda world, work, tender: commission.appoint_secretary(work, tender, world.officer_id),
    "accept_appointment": lambda _world, work, tender: commission.accept_appointment(work, tender),
    "decline_appointment": lambda _world, work, tender: commission.decline_appointment(work, tender, "no time"),
    "publish_key": lambda _world, work, tender: commission.publish_key(work, tender, RECIPIENT),
    "declare_interest": _declare,
    "recuse": _recuse,
    "submit_bid": lambda world, work, tender: bidding.submit_bid(work, tender, world.supplier_id, b"{}", **BIDDING),
    "replace_bid": lambda world, work, tender: bidding.replace_bid(work, tender, world.supplier_id, b"{}", **BIDDING),
    "withdraw_bid": lambda world, work, tender: bidding.withdraw_bid(
        work, tender, world.supplier_id, new_id(work.now), request_id=new_id(work.now), **BIDDING
    ),
    "confirm_bid": lambda world, work, tender: bidding.confirm_bid(
        work, tender, world.supplier_id, new_id(work.now), request_id=new_id(work.now), **BIDDING
    ),
    "receive_part": _send,
    "write_cover": lambda _world, work, tender: bidding.write_cover(work, tender, rows=1, parts=1, **BIDDING),
    "close_bidding": lambda _world, work, tender: closing.close_bidding(work, tender, **BIDDING),
    "start_opening": lambda _world, work, tender: opening.start_opening(work, tender, zone=ALMATY, **BIDDING),
    "give_shares": lambda _world, work, tender: opening.give_shares(work, tender, []),
    "reveal_bid": lambda _world, work, tender: opening.reveal_bid(
        work, tender, new_id(work.now), "qualification", **BIDDING
    ),
    "adjourn_opening": lambda _world, work, tender: opening.adjourn_opening(work, tender, zone=ALMATY, **BIDDING),
    "finish_opening": lambda _world, work, tender: opening.finish_opening(work, tender, clock=deed_clock),
    **evaluating.RECIPES,
    **awards.RECIPES,
}
"""Deeds on a tender, by the names of their actions."""
