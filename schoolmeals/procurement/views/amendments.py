"""Amendments: the officers' page of what the next version changes, and everybody's page of each version."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import amending
from schoolmeals.procurement.amending import NextVersion, next_version
from schoolmeals.procurement.jobs import legal_clock
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.tenders import VersionFacts
from schoolmeals.procurement.rules.amending import may_amend
from schoolmeals.procurement.rules.differences import Difference, differences
from schoolmeals.procurement.rules.drafting import LANGUAGES, seen_by_another
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.views.places import place_name, shown_value
from schoolmeals.web import PUBLIC_POLICY, actor, frame, guard, now, render


@pages.get("/procurement/tenders/<uuid:tender_id>/amendment")
@guard(READERS)
def amendment(tender_id: UUID) -> Any:
    """What the working copy changes in the published text, why, and what that does to the deadline."""
    return render("procurement/amendment.html", **_amendment(tender_id))


@pages.post("/procurement/tenders/<uuid:tender_id>/amendment/<change>")
@guard(WRITERS)
def amend(tender_id: UUID, change: str) -> Any:
    """Say why, discard what was written, or publish. Publishing again by the same form changes nothing."""
    if change not in ("explain", "discard", "publish"):
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            if change == "explain":
                reasons = {code: request.form.get(f"rationale.{code}", "") for code in LANGUAGES}
                amending.explain_amendment(work, tender_id, reasons)
            elif change == "discard":
                amending.discard_amendment(work, tender_id)
            else:
                _publish(work, tender_id)
    except Refusal as refusal:
        return again(refusal, "procurement/amendment.html", **(_amendment(tender_id) | {"typed": request.form}))
    if change == "publish":
        flash(gettext("The amendment is published."), "good")
        return redirect(url_for("procurement.tender", tender_id=tender_id), code=303)
    said = N_("Saved. Now a second person publishes the amendment.")
    if change == "discard":
        said = N_("What was written is discarded. The sections say again what is published.")
    flash(gettext(said), "good")
    return redirect(url_for("procurement.amendment", tender_id=tender_id), code=303)


@pages.get("/tenders/<uuid:tender_id>/versions/<int:number>")
@guard(PUBLIC_POLICY)
def tender_version(tender_id: UUID, number: int) -> Any:
    """One version's whole text, and what it changed."""
    with reading(actor(), now()) as work:
        found = tender_queries.versions(work, tender_id)
    chosen = next((one for one in found if one.version == number), None)
    if chosen is None:
        raise NotFound
    before = next((one for one in found if one.version == number - 1), None)
    document = chosen.document
    purpose = document["profile"]["purpose"]
    return render(
        "procurement/version.html",
        tender_id=tender_id,
        version=chosen,
        is_latest=number == found[-1].version,
        title=showing.said(document["sections"]["notice"]["title"]),
        rationale=showing.said(chosen.rationale),
        changes=changes_between(before, chosen),
        sections=showing.shown_sections(document["sections"], purpose, of_lot=False),
        lots=[_lot(lot, purpose) for lot in document["lots"]],
        numbers=[one.version for one in found],
    )


def changes_between(before: VersionFacts | None, after: VersionFacts) -> list[list[str]]:
    """The rows of ``shown_changes`` for each change of a version."""
    if before is None:
        return []
    return shown_changes(differences(before.document, after.document), after.document)


def shown_changes(found: Iterable[Difference], document: Mapping[str, Any]) -> list[list[str]]:
    """Differences as place, before, now, and the language where it is a text of one."""
    return [
        [place_name(one.path, document), shown_value(one.before), shown_value(one.after), _language_of(one)]
        for one in found
    ]


def _language_of(one: Difference) -> str:
    return one.path[-1] if one.path and one.path[-1] in LANGUAGES else ""


def _publish(work: Work, draft_id: UUID) -> None:
    amending.publish_amendment(
        work,
        draft_id,
        act_id=form_id("act_id"),
        seen=request.form.get("seen", ""),
        zone=frame().zone,
        clock=legal_clock(frame().clock),
    )


def _amendment(draft_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        tasks = tender_queries.task_list(work, draft_id)
        hand = tender_queries.visible(work, draft_id)
        view = tender_queries.tender(work, draft_id)
        if not view.line.version:
            raise NotFound
        wanted = next_version(work, hand, frame().zone)
        own = seen_by_another(hand.facts.editors, actor().id) is not None
    refused = may_amend(wanted.more_days, wanted.changes, wanted.rationale)
    return {
        "view": view,
        "draft_id": draft_id,
        "title": showing.said(view.line.title),
        "version": view.line.version + 1,
        "changes": shown_changes(wanted.changes, wanted.document),
        "deadline": _deadline(wanted, view.terms["bidding"].until),
        "lack": gettext(refused.sentence) % refused.facts if refused is not None else "",
        "incomplete": [gettext(one.title) for one in tasks if one.problems],
        "is_own": own,
        "papers_stay": any(one.path[:1] == ("documents",) for one in wanted.changes),
        "seen": wanted.seen,
        "act_id": new_id(now()),
        "typed": {f"rationale.{code}": text for code, text in wanted.rationale.items()},
        "rationale": showing.said(wanted.rationale),
    }


def _deadline(wanted: NextVersion, until: Any) -> str:
    """The sentence about the deadline."""
    after = wanted.terms["bidding"].until
    if after == until:
        return str(gettext("The deadline for bids stays: %(when)s.", when=showing.when(until)))
    moves = N_("The deadline for bids moves from %(before)s to %(after)s, if this is published now.")
    return str(gettext(moves) % {"before": showing.when(until), "after": showing.when(after)})


def _lot(lot: Mapping[str, Any], purpose: str) -> dict[str, Any]:
    return {
        "position": lot["position"],
        "school": showing.said(lot["school"]["name"]),
        "items": [(showing.item_name(item), item) for item in lot["items"]],
        "total_minor": showing.ceiling_of(lot["items"]),
        "sections": showing.shown_sections(lot["sections"], purpose, of_lot=True),
    }
