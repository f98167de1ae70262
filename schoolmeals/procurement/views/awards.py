"""The award: the public page with ranking and standstill, the chair's signature, and what an officer decides after."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from babel.numbers import format_decimal
from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import awarding, cancelling, contracts, suspending
from schoolmeals.procurement.actions.contracts import DirectTerms
from schoolmeals.procurement.award_words import (
    CANCEL_NAMES,
    CAUSE_NAMES,
    END_NAMES,
    LOT_STAGE_NAMES,
    finding_words,
    lot_end_words,
    word_for,
)
from schoolmeals.procurement.holding import is_complaint, unsettled_complaints
from schoolmeals.procurement.jobs import legal_clock
from schoolmeals.procurement.queries import awards as award_queries
from schoolmeals.procurement.queries import complaints as complaint_queries
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries import interests
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.awards import AwardView, LotAward
from schoolmeals.procurement.queries.drafts import items_of
from schoolmeals.procurement.queries.tenders import TenderView
from schoolmeals.procurement.repeating import lots_without_supplier, repeat_tender, repetitions_of
from schoolmeals.procurement.rules.acts import LotStage
from schoolmeals.procurement.rules.awards import CANCEL_CODES, END_CODES, SUSPENSION_CAUSES, may_cancel
from schoolmeals.procurement.rules.contracts import ContractStage
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.stages import UNPUBLISHED
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.complaints import shown_complaint
from schoolmeals.procurement.views.contract_steps import buffet_of_form, minor_of, needed_day
from schoolmeals.procurement.views.contracts import shown_line
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.web import PUBLIC_POLICY, actor, frame, guard, language, now, render, roles
from schoolmeals.web.formats import money

ENDED_EARLY: Final = frozenset({ContractStage.VOID, ContractStage.TERMINATED})
"""A lot whose contract came to this can have another one."""
CHAIRS: Final = roles(Role.COMMISSION_MEMBER)


@pages.get("/tenders/<uuid:tender_id>/award")
@guard(PUBLIC_POLICY)
def award(tender_id: UUID) -> Any:
    """Who gets which lot, until when that can be contested, complaints, and contracts."""
    return render("procurement/award.html", **_award(tender_id))


@pages.get("/commission/<uuid:commission_id>/award")
@guard(CHAIRS)
def award_to_sign(commission_id: UUID) -> Any:
    """What the chair is about to sign."""
    return render("procurement/award_sign.html", **_to_sign(commission_id))


@pages.post("/commission/<uuid:commission_id>/award")
@guard(CHAIRS)
def sign_award(commission_id: UUID) -> Any:
    """Sign the protocol for the members who are ticked as present."""
    try:
        with transaction(actor(), now()) as work:
            present = [UUID(one) for one in request.form.getlist("present") if _is_id(one)]
            reason = request.form.get("reason", "")
            awarding.sign_award(work, commission_id, present=present, zone=frame().zone, reason=reason)
    except Refusal as refusal:
        return again(refusal, "procurement/award_sign.html", **(_to_sign(commission_id) | {"typed": request.form}))
    flash(gettext("The protocol of the award is signed and published."), "good")
    return redirect(url_for("procurement.award", tender_id=commission_id), code=303)


@pages.get("/procurement/tenders/<uuid:tender_id>/decisions")
@guard(READERS)
def decisions(tender_id: UUID) -> Any:
    """What an officer may decide about a published tender: holding, cancelling, lots, awards, contracts."""
    return render("procurement/decisions.html", **_decisions(tender_id))


@pages.post("/procurement/tenders/<uuid:tender_id>/decisions/<decision>")
@guard(WRITERS)
def decide_tender(tender_id: UUID, decision: str) -> Any:
    """Do one of these."""
    if decision not in DECISIONS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            tender_queries.visible(work, tender_id)
            DECISIONS[decision](work, tender_id)
    except Refusal as refusal:
        context = _decisions(tender_id) | {"typed": request.form, "open": decision}
        return again(refusal, "procurement/decisions.html", **context)
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.decisions", tender_id=tender_id), code=303)


def _suspend(work: Work, tender_id: UUID) -> None:
    named = {name: request.form.get(name, "") for name in ("cause", "cause_id", "reason")}
    suspending.suspend_tender(work, tender_id, **named, clock=legal_clock(frame().clock))


def _resume(work: Work, tender_id: UUID) -> None:
    named = {name: request.form.get(name, "") for name in ("cause_id", "reason")}
    suspending.resume_tender(work, tender_id, **named, zone=frame().zone, clock=legal_clock(frame().clock))


def _cancel(work: Work, tender_id: UUID) -> None:
    named = {name: request.form.get(name, "") for name in ("reason_code", "reason")}
    lot_id = form_id("lot_id") if request.form.get("lot_id") else None
    cancelling.cancel_tender(work, tender_id, **named, lot_id=lot_id, clock=legal_clock(frame().clock))


def _give_up(work: Work, tender_id: UUID) -> None:
    awarding.declare_unsuccessful(work, tender_id, form_id("lot_id"), request.form.get("reason", ""))


def _end_award(work: Work, tender_id: UUID) -> None:
    named = {name: request.form.get(name, "") for name in ("code", "reason")}
    awarding.end_award(work, tender_id, form_id("lot_id"), **named, zone=frame().zone)


def _contract(work: Work, tender_id: UUID) -> None:
    about = (tender_id, form_id("lot_id"), form_id("contract_id"))
    contracts.make_contract(work, *about, zone=frame().zone, buffet=buffet_of_form())


def _direct(work: Work, tender_id: UUID) -> None:
    lot_id, contract_id = form_id("lot_id"), form_id("contract_id")
    items = items_of(work, lot_id)
    terms = DirectTerms(
        supplier_id=form_id("supplier_id"),
        starts_on=needed_day("starts_on"),
        ends_on=needed_day("ends_on"),
        prices={item.id: minor_of(request.form.get(f"price.{item.id}", ""), f"price.{item.id}") for item in items},
        reason=request.form.get("reason", ""),
    )
    contracts.make_direct_contract(work, tender_id, lot_id, contract_id, terms, buffet=buffet_of_form())


def _repeat(work: Work, tender_id: UUID) -> None:
    repeat_tender(work, tender_id, form_id("repeat_id"))


def _complete(work: Work, tender_id: UUID) -> None:
    contracts.complete_tender(work, tender_id)


DECISIONS: Final[Mapping[str, Callable[[Work, UUID], None]]] = {
    "suspend": _suspend,
    "resume": _resume,
    "cancel": _cancel,
    "unsuccessful": _give_up,
    "end-award": _end_award,
    "contract": _contract,
    "direct": _direct,
    "repeat": _repeat,
    "complete": _complete,
}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _award(tender_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        version = tender_queries.version(work, tender_id)
        view = tender_queries.tender(work, tender_id)
        found = award_queries.award_view(work, tender_id)
        complaints = complaint_queries.complaints_of(work, tender_id)
        lines = contract_queries.contracts_of_tender(work, tender_id)
        found_names = identity.organisations(work, ["supplier", "school"])
    names = {one.id: one.name(language()) for one in found_names}
    until = view.terms["standstill"].until if "standstill" in view.terms else None
    runs = until is not None and until >= now() and not view.suspended and bool(found.protocol_sha256)
    return {
        "view": view,
        "title": showing.said(view.line.title),
        "stage": showing.stage_tag(view.line.stage),
        "found": found,
        "lots": _lots(view, found, names),
        "until": until if runs else None,
        "left": showing.time_left(until, now()) if runs and until is not None else "",
        "law": showing.said(view.profile.number("standstill").legal_ref),
        "verified": view.profile.number("standstill").verified,
        "complaints": [shown_complaint(one) for one in complaints],
        "contracts": [shown_line(one, names) for one in lines],
        "contracted": {one.lot_id for one in lines if one.stage not in ENDED_EARLY},
        "may_complain": showing.may_complain(view),
        "version": version,
        "supplier_names": {one.id: one.name(language()) for one in found_names if one.kind == "supplier"},
    }


def _lots(view: TenderView, found: AwardView, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    document = view.document or {"lots": []}
    by_id = {lot.lot_id: lot for lot in found.lots}
    shown = []
    for lot in document["lots"]:
        facts = by_id.get(UUID(lot["id"]))
        if facts is not None:
            shown.append(_lot(lot, facts, names))
    return shown


def _lot(lot: Mapping[str, Any], facts: LotAward, names: Mapping[UUID, str]) -> dict[str, Any]:
    standing = facts.standing
    return {
        "id": facts.lot_id,
        "position": lot["position"],
        "school": showing.said(lot["school"]["name"]),
        "stage": gettext(LOT_STAGE_NAMES[facts.stage]),
        "is_active": facts.stage is LotStage.ACTIVE,
        "winner": names.get(standing.supplier_id, "") if standing is not None else "",
        "value": money(standing.value_minor, standing.currency, language()) if standing is not None else "",
        "signing_until": facts.signing_until,
        "objections_until": facts.objections_until if facts.stage is LotStage.ACTIVE else None,
        "end": lot_end_words(facts.end_code) or word_for(CANCEL_NAMES, facts.end_code),
        "end_reason": facts.end_reason,
        "ranking": [
            [
                f"{one.rank}. {names.get(one.tenderer_id, '')}",
                _points(one.points_milli) if one.points_milli else "-",
                money(one.value_minor, "KZT", language()),
                _state(one.bid_id, facts),
            ]
            for one in facts.ranking
        ],
        "findings": [
            (names.get(supplier_id, ""), [finding_words(one) for one in findings])
            for supplier_id, findings in facts.findings.items()
            if findings
        ],
    }


def _points(milli: int) -> str:
    return str(format_decimal(milli / 1000, locale=language()))


def _state(bid_id: UUID, facts: LotAward) -> str:
    # The last one counts: an evaluation that was set aside may have awarded the same bid before.
    for one in reversed(facts.awards):
        if one.bid_id == bid_id:
            return str(gettext("Awarded")) if one.ended_at is None else word_for(END_NAMES, one.end_code or "")
    return ""


def _to_sign(tender_id: UUID) -> dict[str, Any]:
    context = _award(tender_id)
    view: TenderView = context["view"]
    if view.parties.isdisjoint({Party.MEMBER, Party.SECRETARY, Party.ALTERNATE}):
        raise NotFound
    with reading(actor(), now()) as work:
        hand = tender_queries.visible(work, tender_id)
        states = interests.shown_states(work, hand) if hand.tender.awarded_at is None else []
    declared = [one.seat for one in states if one.declared >= one.tenderers]
    lonely = view.profile.number("single_bid_needs_reason").value
    return context | {
        "seats": [(str(seat.id), seat.name) for seat in declared],
        "declarations": states,
        "commission_id": tender_id,
        "must_declare": any(one.seat.person_id == actor().id and one.seat not in declared for one in states),
        "may_sign": "sign_award" in view.deeds,
        "needs_reason": any(0 < len(lot.ranking) <= lonely for lot in context["found"].lots),
        "typed": {},
    }


def _decisions(tender_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        hand = tender_queries.visible(work, tender_id)
        if hand.stage in UNPUBLISHED or hand.parties.isdisjoint({Party.OFFICER, Party.CITY_ADMIN, Party.AUDITOR}):
            raise NotFound
        failed = lots_without_supplier(work, hand) if Party.OFFICER in hand.parties else []
        to_repeat, repeated = [lot.id for lot in failed], repetitions_of(work, tender_id)
        not_cancelled = may_cancel(unsettled_complaints(hand.facts))
    context = _award(tender_id)
    found: AwardView = context["found"]
    view: TenderView = context["view"]
    awarded = [lot for lot in found.lots if lot.stage is LotStage.AWARDED]
    named = {lot["id"]: lot["school"] for lot in context["lots"]}
    return context | {
        "draft_id": tender_id,
        "causes": _pairs({code: CAUSE_NAMES[code] for code in SUSPENSION_CAUSES}),
        "held": [one for one in found.causes if not is_complaint(one)],
        "held_by_complaint": any(is_complaint(one) for one in found.causes),
        "not_cancelled": gettext(not_cancelled.sentence) % not_cancelled.facts if not_cancelled is not None else "",
        "cancel_codes": _pairs({code: CANCEL_NAMES[code] for code in CANCEL_CODES}),
        "end_codes": _pairs({code: END_NAMES[code] for code in END_CODES}),
        "active_lots": [(lot.lot_id, named.get(lot.lot_id, "")) for lot in found.lots if lot.stage is LotStage.ACTIVE],
        "to_contract": [
            (lot.lot_id, named.get(lot.lot_id, "")) for lot in awarded if lot.lot_id not in context["contracted"]
        ],
        "awarded_lots": [(lot.lot_id, named.get(lot.lot_id, "")) for lot in awarded],
        "open_lots": [
            (lot.lot_id, named.get(lot.lot_id, ""))
            for lot in found.lots
            if lot.stage in {LotStage.ACTIVE, LotStage.AWARDED}
        ],
        "failed_lots": _failed(context),
        "suppliers": sorted(context["supplier_names"].items(), key=lambda one: one[1]),
        "direct_max": showing.shown_number(view.profile.number("direct_contract_max")),
        "contract_id": new_id(now()),
        "to_repeat": [named[lot_id] for lot_id in to_repeat if lot_id in named],
        "repeated": repeated,
        "repeat_id": new_id(now()),
        "typed": {},
        "open": "",
    }


def _failed(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lots that found nobody, with what a direct contract would price."""
    failed = {lot.lot_id for lot in context["found"].lots if lot.stage is LotStage.UNSUCCESSFUL}
    return [
        {
            "id": lot["id"],
            "school": showing.said(lot["school"]["name"]),
            "items": [
                (item["id"], showing.item_name(item), money(item["ceiling_minor"], item["currency"], language()))
                for item in lot["items"]
            ],
        }
        for lot in context["version"].document["lots"]
        if UUID(lot["id"]) in failed
    ]


def _pairs(names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(code, gettext(name)) for code, name in names.items()]
