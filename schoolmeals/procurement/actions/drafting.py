"""Writing a tender: opening a draft, its sections, its lots and what is bought in them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement import profiles
from schoolmeals.procurement.access import permitted_in
from schoolmeals.procurement.acting import AtHand, permitted, record_act
from schoolmeals.procurement.documents import canonical_text, digest_of
from schoolmeals.procurement.models import Lot, LotItem, PlanLine, Tender, TenderSection
from schoolmeals.procurement.queries.drafts import items_of, lot_need, lots_of, profile_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN, NewItem, check, item_problems
from schoolmeals.procurement.rules.need import Need
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.sections import section as find_section
from schoolmeals.procurement.rules.stages import TenderStage


def open_draft(
    work: Work,
    organiser_id: UUID,
    *,
    profile_code: str,
    title: Mapping[str, str],
    review_body_id: UUID | None = None,
    repeats_id: UUID | None = None,
    id: UUID | None = None,
) -> UUID:
    """Begin a tender that nobody but its organiser sees. The same ``id`` again is the same draft.

    Raises Invalid, NotFound, NotAllowed, Conflict ``id-used``.
    """
    permitted_in(work, "open_draft", organiser_id)
    tender_id = id or new_id(work.now)
    values = {
        "organiser_id": organiser_id,
        "profile_code": profile_code,
        "title": {language: text.strip() for language, text in title.items()},
        "review_body_id": review_body_id,
        "repeats_id": repeats_id,
    }
    known = work.session.get(Tender, tender_id)
    if known is not None:
        if any(getattr(known, name) != value for name, value in values.items() if name != "title"):
            raise Conflict("id-used", N_("This number was already used for something else. Load the page again."))
        return tender_id
    _check_draft(work, values)
    tender = Tender(id=tender_id, made_by=work.actor.id, made_at=work.now, acts=0, version=0, **values)
    work.session.add(tender)
    work.session.flush()
    hand = AtHand(tender, work.now, TenderStage.DRAFT, frozenset({Party.OFFICER}), [], work)
    record_act(work, hand, ActKind.OPENED_DRAFT, {"profile": profile_code})
    _keep_section(work, hand, tender_id, "notice", {"title": values["title"]})
    return tender_id


def edit_section(
    work: Work, tender_id: UUID, section: str, content: Mapping[str, Any], *, lot_id: UUID | None = None
) -> None:
    """Write a section of the tender, or of a lot, whole. It may still lack something, but not be wrong.

    Raises Invalid with the fields' dotted paths, NotFound for a section or lot that is not there.
    """
    hand = permitted(work, "edit_section", tender_id)
    _check_content(work, hand, section, content, lot_id)
    _keep_section(work, hand, lot_id or tender_id, section, dict(content))
    if section == "notice" and lot_id is None and hand.facts.version == 0:
        hand.tender.title = dict(content.get("title") or hand.tender.title)
    digest = digest_of(canonical_text(content)).hex()
    record_act(work, hand, ActKind.EDITED, {"section": section, "sha256": digest}, lot_id=lot_id)


def add_lot(
    work: Work, tender_id: UUID, school_id: UUID, *, plan_line_id: UUID | None = None, id: UUID | None = None
) -> UUID:
    """Add a lot: one school. Raises NotFound, Conflict ``school-has-a-lot``."""
    hand = permitted(work, "add_lot", tender_id)
    if identity.organisation(work, school_id).kind != "school":
        raise NotFound
    if any(lot.school_id == school_id for lot in lots_of(work, tender_id)):
        raise Conflict("school-has-a-lot", N_("This school already has a lot in the tender."))
    if plan_line_id is not None:
        _check_plan_line(work, hand, school_id, plan_line_id)
    position = work.session.scalar(select(func.count()).where(Lot.tender_id == tender_id)) or 0
    lot = Lot(
        id=id or new_id(work.now),
        tender_id=tender_id,
        position=position + 1,
        school_id=school_id,
        plan_line_id=plan_line_id,
        made_at=work.now,
    )
    work.session.add(lot)
    work.session.flush()
    record_act(work, hand, ActKind.LOT_ADDED, {"school": str(school_id)}, lot_id=lot.id)
    return lot.id


def remove_lot(work: Work, tender_id: UUID, lot_id: UUID) -> None:
    """Take a lot out of a draft. Raises NotFound."""
    hand = permitted(work, "remove_lot", tender_id)
    lot = _lot(work, tender_id, lot_id)
    lot.removed_at = work.now
    work.session.flush()
    record_act(work, hand, ActKind.LOT_REMOVED, {"school": str(lot.school_id)}, lot_id=lot_id)


def set_items(work: Work, tender_id: UUID, lot_id: UUID, items: Sequence[NewItem]) -> None:
    """Say what is bought in a lot and what one of it may cost at most. Quantities of meals are computed, not typed.

    An item that was there before keeps its id. Raises Invalid, NotFound.
    """
    hand = permitted(work, "set_items", tender_id)
    _lot(work, tender_id, lot_id)
    profile = profile_of(work, hand.tender)
    problems = item_problems(items, profile.purpose, profile.goods_groups)
    if problems:
        raise Invalid(fields=problems)
    known = {_key(one): one for one in items_of(work, lot_id)}
    work.session.execute(delete(LotItem).where(LotItem.lot_id == lot_id))
    work.session.flush()
    for position, item in enumerate(items, start=1):
        before = known.get(_key(item))
        quantity = item.quantity if item.meal is None else (before.quantity if before is not None else 0)
        work.session.add(
            LotItem(
                id=before.id if before is not None else new_id(work.now),
                tender_id=tender_id,
                lot_id=lot_id,
                position=position,
                age_group=item.age_group,
                meal=item.meal,
                goods=dict(item.goods) if item.goods is not None else None,
                quantity=quantity,
                ceiling_minor=item.ceiling_minor,
                currency=item.currency,
            )
        )
    work.session.flush()
    written = [[*map(str, _key(one)), one.ceiling_minor, one.currency] for one in items]
    record_act(work, hand, ActKind.EDITED, {"section": "items", "items": written}, lot_id=lot_id)


def compute_need(work: Work, tender_id: UUID, lot_id: UUID) -> Need:
    """Compute a lot's need and write its quantities. Raises NotFound, Invalid where sections are missing, or where more
    days are planned than the school teaches.
    """
    hand = permitted(work, "compute_need", tender_id)
    _lot(work, tender_id, lot_id)
    need = lot_need(work, hand.tender, lot_id)
    quantities = {(line.age_group, line.meal): line.quantity for line in need.lines}
    for item in items_of(work, lot_id):
        if item.age_group is not None and item.meal is not None:
            item.quantity = quantities.get((item.age_group, item.meal), 0)
    work.session.flush()
    lines = [[line.age_group, line.meal, line.pupils, line.days, line.quantity] for line in need.lines]
    payload = {"section": "need", "school_days": need.school_days, "lines": lines}
    record_act(work, hand, ActKind.EDITED, payload, lot_id=lot_id)
    return need


def _check_draft(work: Work, values: Mapping[str, Any]) -> None:
    problems = {
        "profile_code": [] if values["profile_code"] in profiles.codes() else [UNKNOWN],
        "title": [] if all(values["title"].get(language) for language in ("kk", "ru")) else [NEEDED],
    }
    if any(problems.values()):
        raise Invalid(fields={name: found for name, found in problems.items() if found})
    if values["repeats_id"] is not None:
        repeated = work.session.get(Tender, values["repeats_id"])
        if repeated is None or repeated.organiser_id != values["organiser_id"]:
            raise NotFound
    body = values["review_body_id"]
    if body is not None and identity.organisation(work, body).kind != "state":
        raise Invalid(fields={"review_body_id": [UNKNOWN]})


def _check_content(work: Work, hand: AtHand, section: str, content: Mapping[str, Any], lot_id: UUID | None) -> None:
    purpose = profile_of(work, hand.tender).purpose
    known = find_section(section, purpose, of_lot=lot_id is not None)
    if known is None:
        raise NotFound
    if lot_id is not None:
        _lot(work, hand.id, lot_id)
    faults = check(known, content).faults
    if faults:
        raise Invalid(fields=faults)


def _check_plan_line(work: Work, hand: AtHand, school_id: UUID, plan_line_id: UUID) -> None:
    line = work.session.get(PlanLine, plan_line_id)
    mine = line is not None and line.organiser_id == hand.tender.organiser_id and line.school_id == school_id
    if line is None or not mine or line.published_at is None or line.withdrawn_at is not None:
        raise NotFound


def _keep_section(work: Work, hand: AtHand, about_id: UUID, section: str, content: dict[str, Any]) -> None:
    statement = insert(TenderSection).values(
        tender_id=hand.id,
        about_id=about_id,
        section=section,
        content=content,
        edited_by=work.actor.id,
        edited_at=work.now,
    )
    changes = {name: statement.excluded[name] for name in ("content", "edited_by", "edited_at")}
    key = [TenderSection.tender_id, TenderSection.about_id, TenderSection.section]
    work.session.execute(statement.on_conflict_do_update(index_elements=key, set_=changes))


def _lot(work: Work, tender_id: UUID, lot_id: UUID) -> Lot:
    lot = work.session.get(Lot, lot_id)
    if lot is None or lot.tender_id != tender_id or lot.removed_at is not None:
        raise NotFound
    return lot


def _key(item: LotItem | NewItem) -> tuple[str | None, str | None, str | None]:
    return item.age_group, item.meal, canonical_text(item.goods) if item.goods is not None else None
