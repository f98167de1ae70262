"""The working copy of a tender: what stands in it, what it lacks, and the text that a publication would make of it.

Not scoped: whoever calls has a tender at hand, or has looked whether the actor may see its draft.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.identity import OrganisationFacts
from schoolmeals.procurement import profiles
from schoolmeals.procurement.documents import LotText, TenderText
from schoolmeals.procurement.models import Lot, LotItem, Tender, TenderDocument, TenderSection, TenderVersion
from schoolmeals.procurement.needing import need_of_school
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.drafting import NEEDED, Problems, check, items_match_meals
from schoolmeals.procurement.rules.need import Need, days_are_real
from schoolmeals.procurement.rules.papers import NOTICE
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.rules.sections import Section, sections_for

ENDS_BEFORE: Final = FieldProblem.of("ends-before", N_("The last day is before the first."))
TOO_LATE: Final = FieldProblem.of("contract-too-long", N_("The contract is longer than the procedure allows."))
NOT_COMPUTED: Final = FieldProblem.of("need-not-computed", N_("Compute the need: the meals have changed since."))
ITEMS: Final = "items"
TITLES: Final = {ITEMS: N_("Prices and quantities"), "lots": N_("Lots")}


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the task list: a section, of a lot where ``lot_id`` is set, and what it lacks."""

    section: str
    title: str
    lot_id: UUID | None
    state: str
    """``done``, ``in-progress`` or ``not-started``."""
    problems: Mapping[str, list[FieldProblem]]


def profile_of(work: Work, tender: Tender) -> Profile:
    """The tender's procedure: the copy that it was published with, or the one that its draft is written for."""
    document = document_now(work, tender)
    return Profile.from_json(document["profile"]) if document is not None else profiles.load(tender.profile_code)


def document_now(work: Work, tender: Tender) -> dict[str, Any] | None:
    """The document of the present version; None where nothing is published."""
    if tender.version == 0:
        return None
    row = work.session.get_one(TenderVersion, (tender.id, tender.version))
    document: dict[str, Any] = json.loads(row.text)
    return document


def lots_of(work: Work, tender_id: UUID) -> list[Lot]:
    """The lots that are in the tender, by position."""
    found = select(Lot).where(Lot.tender_id == tender_id, Lot.removed_at.is_(None)).order_by(Lot.position)
    return list(work.session.scalars(found))


def items_of(work: Work, lot_id: UUID) -> list[LotItem]:
    """What is bought in a lot, by position."""
    return list(work.session.scalars(select(LotItem).where(LotItem.lot_id == lot_id).order_by(LotItem.position)))


def sections_of(work: Work, tender_id: UUID) -> dict[UUID, dict[str, Any]]:
    """The working copy's sections by what they are about: the tender's own id, or a lot's."""
    rows = work.session.scalars(select(TenderSection).where(TenderSection.tender_id == tender_id))
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row.about_id, {})[row.section] = row.content
    return found


def lot_need(work: Work, tender: Tender, lot_id: UUID) -> Need:
    """What a lot of the working copy needs, computed now. Raises Invalid where period or meals are missing, or where
    more days are planned than the school teaches.
    """
    lot = work.session.get_one(Lot, lot_id)
    sections = sections_of(work, tender.id)
    period, meals = sections.get(tender.id, {}).get("period", {}), sections.get(lot_id, {}).get("meals", {})
    missing = [name for name in ("starts_on", "ends_on") if not period.get(name)]
    if missing or not meals.get("meals"):
        raise Invalid(fields={name: [NEEDED] for name in [*missing, *([] if meals.get("meals") else ["meals"])]})
    by_group: dict[str, list[str]] = {}
    for row in meals["meals"]:
        by_group.setdefault(row.get("age_group", ""), []).append(row.get("meal", ""))
    starts_on, ends_on = date.fromisoformat(period["starts_on"]), date.fromisoformat(period["ends_on"])
    planned = meals.get("planned_days")
    need = need_of_school(work, lot.school_id, by_group, starts_on, ends_on, planned_days=planned)
    refused = days_are_real(planned or 0, need.school_days)
    if refused is not None:
        raise Invalid(fields={"planned_days": [FieldProblem.of(refused.code, refused.sentence, **refused.facts)]})
    return need


def tasks(work: Work, tender: Tender) -> list[Task]:
    """The task list of the working copy: the tender's sections, then each lot's, with what each lacks."""
    profile = profile_of(work, tender)
    written = sections_of(work, tender.id)
    own = written.get(tender.id, {})
    found = [_task(one, own.get(one.name), None) for one in sections_for(profile.purpose, of_lot=False)]
    found = [_with_dates(task, own, profile) if task.section == "period" else task for task in found]
    lots = lots_of(work, tender.id)
    problems: Problems = {} if lots else {"lots": [NEEDED]}
    found.append(Task("lots", TITLES["lots"], None, "done" if lots else "not-started", problems))
    for lot in lots:
        texts = written.get(lot.id, {})
        found += [_task(one, texts.get(one.name), lot.id) for one in sections_for(profile.purpose, of_lot=True)]
        found.append(_item_task(work, tender, lot, texts, profile))
    return found


def lacks(work: Work, tender: Tender) -> Problems:
    """Everything that a working copy still lacks, by ``section.field`` or ``lot id.section.field``."""
    problems: Problems = {}
    for task in tasks(work, tender):
        place = f"{task.lot_id}.{task.section}" if task.lot_id is not None else task.section
        problems |= {f"{place}.{name}": list(found) for name, found in task.problems.items()}
    return problems


def text_of(work: Work, tender: Tender, profile: Profile, seats: list[SeatFacts]) -> TenderText:
    """Everything that a publication would say now. ``profile`` is the one to be copied in."""
    written = sections_of(work, tender.id)
    review_body = tender.review_body_id
    return TenderText(
        tender_id=tender.id,
        organiser=shown_organisation(identity.organisation(work, tender.organiser_id)),
        review_body=shown_organisation(identity.organisation(work, review_body)) if review_body is not None else None,
        profile=profile,
        sections=written.get(tender.id, {}),
        lots=[
            LotText(
                id=lot.id,
                position=lot.position,
                school=shown_organisation(identity.organisation(work, lot.school_id)),
                plan_line_id=lot.plan_line_id,
                sections=written.get(lot.id, {}),
                items=[_shown_item(item) for item in items_of(work, lot.id)],
            )
            for lot in lots_of(work, tender.id)
        ],
        seats=seats,
        files=_shown_files(work, tender.id),
    )


def shown_organisation(facts: OrganisationFacts) -> dict[str, Any]:
    """An organisation as a document names it."""
    return {
        "id": str(facts.id),
        "name": {"kk": facts.name_kk, "ru": facts.name_ru, "en": facts.name_en},
        "identifier": {"scheme": facts.identifier_scheme, "id": facts.identifier} if facts.identifier else None,
        "address": facts.address,
        "district": facts.district,
    }


def _task(section: Section, content: Mapping[str, Any] | None, lot_id: UUID | None) -> Task:
    if content is None:
        return Task(section.name, section.title, lot_id, "not-started", {section.name: [NEEDED]})
    checked = check(section, content)
    problems = {**checked.gaps, **checked.faults}
    return Task(section.name, section.title, lot_id, "in-progress" if problems else "done", problems)


def _with_dates(task: Task, sections: Mapping[str, Any], profile: Profile) -> Task:
    """The period's own rules, once both dates are there."""
    if task.state != "done":
        return task
    period = sections["period"]
    starts_on, ends_on = date.fromisoformat(period["starts_on"]), date.fromisoformat(period["ends_on"])
    most_days = 31 * profile.number("contract_max").value
    if ends_on < starts_on:
        return Task(task.section, task.title, None, "in-progress", {"ends_on": [ENDS_BEFORE]})
    if (ends_on - starts_on).days >= most_days:
        return Task(task.section, task.title, None, "in-progress", {"ends_on": [TOO_LATE]})
    return task


def _item_task(work: Work, tender: Tender, lot: Lot, texts: Mapping[str, Any], profile: Profile) -> Task:
    items = items_of(work, lot.id)
    problems: Problems = {} if items else {ITEMS: [NEEDED]}
    if items and profile.purpose == "catering":
        problems |= _meal_problems(work, tender, lot, texts, items)
    state = "done" if not problems else ("in-progress" if items else "not-started")
    return Task(ITEMS, TITLES[ITEMS], lot.id, state, problems)


def _meal_problems(work: Work, tender: Tender, lot: Lot, texts: Mapping[str, Any], items: list[LotItem]) -> Problems:
    """The items of a lot are its meals, in the quantities that the need comes to now."""
    wanted = [(row.get("age_group", ""), row.get("meal", "")) for row in texts.get("meals", {}).get("meals", [])]
    there = {(item.age_group or "", item.meal or ""): item.quantity for item in items}
    refused = items_match_meals(wanted, there)
    if refused is not None:
        return {ITEMS: [FieldProblem.of(refused.code, refused.sentence, **refused.facts)]}
    try:
        need = lot_need(work, tender, lot.id)
    except Invalid as refusal:
        return {name: list(problems) for name, problems in refusal.fields.items()}
    computed = {(line.age_group, line.meal): line.quantity for line in need.lines}
    return {} if computed == there else {ITEMS: [NOT_COMPUTED]}


def _shown_item(item: LotItem) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "age_group": item.age_group,
        "meal": item.meal,
        "goods": item.goods,
        "quantity": item.quantity,
        "ceiling_minor": item.ceiling_minor,
        "currency": item.currency,
    }


def _shown_files(work: Work, tender_id: UUID) -> list[dict[str, Any]]:
    """The newest version of each attached document, without its content."""
    columns = [column for column in TenderDocument.__table__.c if column.name != "content"]
    attached = (TenderDocument.tender_id == tender_id, TenderDocument.document_type != NOTICE)
    found = select(*columns).where(*attached)
    newest = {row.series_id: row for row in work.session.execute(found.order_by(TenderDocument.version))}
    return [
        {
            "id": str(row.id),
            "series_id": str(row.series_id),
            "version": row.version,
            "lot_id": str(row.lot_id) if row.lot_id is not None else None,
            "document_type": row.document_type,
            "title": row.title,
            "language": row.language,
            "file_name": row.file_name,
            "media_type": row.media_type,
            "size_bytes": row.size_bytes,
            "sha256": row.sha256.hex(),
        }
        for _series_id, row in sorted(newest.items())
    ]
