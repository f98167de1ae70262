"""Contracts: the public list and page, one's own desk, and what a side may do with a contract in force."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, NotFound, Refusal
from schoolmeals.files import DRAW, PaperOrder, file_key, order_paper, to_paper
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.award_words import (
    CHANGE_NAMES,
    CONTRACT_KINDS,
    FAULT_NAMES,
    LEASE_KINDS,
    SIDE_NAMES,
    STATE_NAMES,
    finding_words,
    word_for,
)
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries import securities as security_queries
from schoolmeals.procurement.queries.contracts import ChangeFacts, ContractLine, ContractView, SignatureFacts
from schoolmeals.procurement.rules.contracts import (
    CHANGE_KINDS,
    FAULTS,
    LEASE_NAMES,
    STAGE_NAMES,
    ContractStage,
    LeaseState,
)
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.confirmations import confirmation_tags
from schoolmeals.procurement.views.contract_steps import STEPS
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.securities import shown_security
from schoolmeals.procurement.words import AGE_GROUP_NAMES, CHOICE_NAMES, MEAL_NAMES, SALE_UNIT_NAMES
from schoolmeals.web import PUBLIC_POLICY, SIGNED_IN, actor, frame, guard, language, now, render, roles
from schoolmeals.web.formats import day, grouped, money

SIDES: Final = roles(Role.SUPPLIER, Role.SCHOOL_OFFICE, Role.PROCUREMENT_OFFICER)
TEMPLATE: Final = "procurement/contract.html"
LAST_PAGE: Final = 10_000


@pages.get("/contracts")
@guard(PUBLIC_POLICY)
def contract_list() -> Any:
    """All contracts in force or over, narrowed by school; for everybody, free of charge."""
    school_id, page = _asked()
    with reading(actor(), now()) as work:
        found = contract_queries.contracts(work, school_id=school_id, page=page)
        names = _names(work)
        schools = [(one.id, one.name(language())) for one in identity.organisations(work, ["school"])]
    return render(
        "procurement/contracts.html",
        lines=[shown_line(one, names) for one in found.lines],
        found=found,
        schools=schools,
        school_id=school_id,
        page_url=lambda number: url_for("procurement.contract_list", page=number, school=school_id),
    )


@pages.get("/contracts/mine")
@guard(SIDES)
def my_contracts() -> Any:
    """The contracts of the actor's sides, with what is to do in each."""
    with reading(actor(), now()) as work:
        lines = contract_queries.my_contracts(work)
        names = _names(work)
    return render("procurement/my_contracts.html", lines=[shown_line(one, names) for one in lines])


@pages.get("/contracts/<uuid:contract_id>")
@guard(PUBLIC_POLICY)
def contract(contract_id: UUID) -> Any:
    """One contract: who with whom, at what prices, its milestones, changes and signatures."""
    return render(TEMPLATE, **shown_contract(contract_id))


@pages.get("/contracts/<uuid:contract_id>/text.json")
@guard(PUBLIC_POLICY)
def contract_text(contract_id: UUID) -> Any:
    """A version's own bytes, whose SHA-256 was signed; ``?version=`` for another one."""
    with reading(actor(), now()) as work:
        text, sha256 = contract_queries.text_of(work, contract_id, request.args.get("version", type=int))
    answer = Response(text, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="contract-{sha256[:12]}.json"'
    return answer


@pages.post("/contracts/<uuid:contract_id>/paper")
@guard(SIGNED_IN)
def contract_paper(contract_id: UUID) -> Any:
    """Order the contract as a PDF; the worker draws it, and its page waits for it."""
    context = shown_contract(contract_id)
    html = render("procurement/papers/paper_contract.html", **context, language=language(), as_of=now())
    order = PaperOrder(
        task=DRAW,
        name=f"contract-{context['found'].sha256[:12]}.pdf",
        html=html,
        back=url_for("procurement.contract", contract_id=contract_id),
        pages=3,
    )
    with transaction(actor(), now()) as work:
        return to_paper(order_paper(work, file_key(), order))


@pages.post("/contracts/<uuid:contract_id>/<contract_step>")
@guard(SIDES)
def contract_do(contract_id: UUID, contract_step: str) -> Any:
    """What a side does: propose or refuse a change, extend, note the lease, terminate, close, attach a signature."""
    if contract_step not in STEPS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            found = contract_queries.contract(work, contract_id)
            if found.side is None:
                raise NotFound
            STEPS[contract_step](work, found.line.tender_id, contract_id)
    except Refusal as refusal:
        context = shown_contract(contract_id) | {"typed": request.form, "open": contract_step}
        return again(refusal, TEMPLATE, **context)
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.contract", contract_id=contract_id), code=303)


def shown_line(line: ContractLine, names: Mapping[UUID, str]) -> dict[str, Any]:
    """A contract of a list in words."""
    zone = frame().zone
    period = f"{day(line.starts_on, language(), zone, year=True)} - {day(line.ends_on, language(), zone, year=True)}"
    return {
        "id": line.id,
        "number": line.number,
        "tender_id": line.tender_id,
        "school": names.get(line.buyer_id, ""),
        "supplier": names.get(line.supplier_id, ""),
        "period": period,
        "value": money(line.value_minor, line.currency, language()),
        "stage": (gettext(STAGE_NAMES[line.stage]), CONTRACT_KINDS.get(line.stage, "neutral")),
        "is_direct": line.is_direct,
        "lease": _lease(line),
    }


def _asked() -> tuple[UUID | None, int]:
    try:
        school_id = UUID(request.args["school"]) if request.args.get("school") else None
        page = int(request.args.get("page") or 1)
    except ValueError as error:
        raise NotFound from error
    if not 1 <= page <= LAST_PAGE:
        raise NotFound
    return school_id, page


def _names(work: Work) -> dict[UUID, str]:
    return {one.id: one.name(language()) for one in identity.organisations(work, ["supplier", "school"])}


def _lease(line: ContractLine) -> tuple[str, str] | None:
    if line.lease is LeaseState.NOT_NEEDED or line.stage is not ContractStage.ACTIVE:
        return None
    return gettext(LEASE_NAMES[line.lease]), LEASE_KINDS.get(line.lease, "neutral")


def shown_contract(contract_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        found = contract_queries.contract(work, contract_id)
        names = _names(work)
        leaves, joins = contract_queries.replaceable_staff(work, contract_id)
        aside = _aside(work, found)
    text, line = found.text, found.line
    meals = [item for item in text["items"] if item["kind"] != "buffet"]
    return {
        "found": found,
        "line": shown_line(line, names),
        "text": text,
        "title": showing.said(text["tender"]["title"]),
        "supplier": showing.said(text["supplier"]["name"]),
        **aside,
        "buyer": showing.said(text["buyer"]["name"]),
        "organiser": showing.said(text["organiser"]["name"]),
        "items": [_item(item, text["currency"]) for item in meals],
        "buffet": [
            [showing.said(item["name"]), _unit(item["unit"]), money(item["price_minor"], text["currency"], language())]
            for item in text["items"]
            if item["kind"] == "buffet"
        ],
        "sections": showing.shown_sections(text["sections"], "catering", of_lot=True),
        "posts": _posts(text),
        "signatures": [_signature(one) for one in found.signatures],
        "changes": [_change(one) for one in found.changes],
        "fault": word_for(FAULT_NAMES, found.fault or ""),
        "findings": [finding_words(one) for one in found.findings],
        "lease_due": day(line.lease_due_on, language(), frame().zone, year=True) if line.lease_due_on else "",
        "side": word_for(SIDE_NAMES, found.side or ""),
        "signed_in": actor().id is not None,
        "may": _may(found),
        "kinds": [(code, gettext(CHANGE_NAMES[code])) for code in CHANGE_KINDS if code != "staff" or leaves],
        "faults": [(code, gettext(FAULT_NAMES[code])) for code in FAULTS],
        "leaves": [(one.id, _worker(one.name, one.post, one.fte_percent)) for one in leaves],
        "joins": [(one.id, _worker(one.name, one.post, one.fte_percent)) for one in joins],
        "change_id": new_id(now()),
        "typed": {},
        "open": "",
    }


def _aside(work: Work, found: ContractView) -> dict[str, Any]:
    """What stands beside the contract: its security, and whether somebody has confirmed who acts for the supplier."""
    secured = security_queries.contract_security(work, found.line.id)
    return {
        "confirmation": confirmation_tags(work, [found.line.supplier_id])[found.line.supplier_id],
        "secured": secured,
        "securities": [shown_security(one) for one in secured.given],
        "reads_all": any(one.number for one in secured.given),
    }


def _item(item: Mapping[str, Any], currency: str) -> list[str]:
    if item["meal"] is None:
        name = showing.said(item["name"])
    else:
        name = f"{gettext(MEAL_NAMES[item['meal']])}, {gettext(AGE_GROUP_NAMES[item['age_group']])}"
    price, total = item["price_minor"], item["quantity"] * item["price_minor"]
    amounts = [money(one, currency, language()) for one in (price, total)]
    return [name, grouped(item["quantity"], language()), *amounts]


def _unit(unit: str) -> str:
    return str(gettext(SALE_UNIT_NAMES[unit])) if unit in SALE_UNIT_NAMES else unit


def _posts(text: Mapping[str, Any]) -> list[list[str]]:
    counts: dict[str, list[int]] = {}
    for one in text["staff"]:
        counts.setdefault(one["post"], []).append(one["fte_percent"])
    return [
        [gettext(CHOICE_NAMES.get(post, post)), grouped(len(fte), language()), f"{sum(fte)} %"]
        for post, fte in sorted(counts.items())
    ]


def _worker(name: str, post: str, fte_percent: int) -> str:
    return f"{name}, {gettext(CHOICE_NAMES.get(post, post))}, {fte_percent} %"


def _signature(one: SignatureFacts) -> dict[str, Any]:
    said = {True: N_("Checked again just now: it holds"), False: N_("Checked again just now: it does not hold")}
    return {
        "side": gettext(SIDE_NAMES[one.side]),
        "version": one.version,
        "kind": gettext("Passkey") if one.kind == "passkey" else gettext("CMS file"),
        "state": (gettext(STATE_NAMES[one.state]), "good" if one.state == "verified" else "care"),
        "again": gettext(said[one.holds]) if one.holds is not None else "",
        "name": one.name,
        "detail": ", ".join(str(one.detail[key]) for key in ("algorithm", "signer") if one.detail.get(key)),
        "at": one.at,
    }


def _change(one: ChangeFacts) -> dict[str, Any]:
    content = one.content
    said = [str(content[name]) for name in ("text", "source", "ends_on", "from_on") if content.get(name)]
    if content.get("index_permille"):
        said.insert(0, f"+{content['index_permille'] / 10:g} %")
    said += [showing.said(item["name"]) for item in content.get("added", ())]
    if content.get("replaced"):
        said.insert(0, gettext(CHOICE_NAMES.get(content["replaced"]["leaves"]["post"], "")))
    return {
        "facts": one,
        "kind": word_for(CHANGE_NAMES, one.kind),
        "side": word_for(SIDE_NAMES, one.proposed_side),
        "said": "; ".join(said),
        "is_open": one.applied_at is None and one.refused_at is None,
    }


def _may(found: ContractView) -> frozenset[str]:
    """What the actor's side may do now."""
    stage, deeds = found.line.stage, found.deeds
    if stage in {ContractStage.MADE, ContractStage.SIGNED_ONCE}:
        turn = "supplier" if stage is ContractStage.MADE else "buyer"
        return frozenset({"sign_contract"} & deeds) if found.side == turn else frozenset()
    if stage is not ContractStage.ACTIVE:
        return frozenset()
    open_change = any(one.applied_at is None and one.refused_at is None for one in found.changes)
    barred = {"sign_contract", *(["propose_change", "extend_contract"] if open_change else ["sign_change"])}
    if found.line.lease not in {LeaseState.WAITING, LeaseState.OVERDUE}:
        barred.add("sign_lease")
    return deeds - barred
